"""The two engines and everything in which they differ: connections, transactions, threads and bulk parameters.

SQLite: WAL, `synchronous=FULL`, `BEGIN IMMEDIATE` and one writer thread. Its default transactions take the write lock only
at the first write, so two of them can read the same row and lose one update; `BEGIN IMMEDIATE` takes it at the start.
PostgreSQL: psycopg 3, READ COMMITTED, several writer threads.
"""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

import orjson
import psycopg
import sqlalchemy as sa
from psycopg.types.string import StrBinaryDumper, StrDumper
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeout
from sqlmodel import Session

from server.errors import DiskFull, StoreUnavailable
from server.store import bulk
from server.store.arrivals import TEMPORARY
from server.store.bulk import Bulk, StaleTransaction
from server.store.columns import POSTGRES_TYPES, Columns
from server.store.integrity import is_damage
from server.store.log_keeper import MOST_PAGES, LogKeeper

T = TypeVar("T")
P = ParamSpec("P")

SQLITE_READERS = 4
POSTGRES_READERS = 8
POSTGRES_WRITERS = 2
CONNECT_TIMEOUT_S = 5
BUSY_TIMEOUT_MS = 10_000
STATEMENTS = 512  # that a connection to SQLite keeps prepared: storing events needs each in nine sizes

_POSTGRES_DISK_FULL = "53100"
_POSTGRES_RETRY = {"40001", "40P01"}  # serialisation failure, deadlock: PostgreSQL asks to run it again
_POSTGRES_READ_ONLY = "25006"  # a standby, or a primary that was told to refuse writes
MAX_ATTEMPTS = 5


class Engine:
    """One open database. `read` and `write` run a function of a Session in a thread, in one transaction.

    Both raise StoreUnavailable when the database cannot be reached and DiskFull when it cannot grow; a failed `write`
    has left nothing behind.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.writers = 1 if self.is_sqlite else POSTGRES_WRITERS
        readers = SQLITE_READERS if self.is_sqlite else POSTGRES_READERS
        make = _sqlite_engine if self.is_sqlite else _postgres_engine
        self._write_engine = make(self.url, self.writers, writes=True)
        self._read_engine = make(self.url, readers + 1, writes=False)  # one for the log keeper
        self._write_pool = ThreadPoolExecutor(self.writers, thread_name_prefix="store-write")
        self._read_pool = ThreadPoolExecutor(readers, thread_name_prefix="store-read")
        self._waiting: deque[None] = deque()
        self._log = LogKeeper(self._read_engine, self._write_engine, self._soon_written) if self.is_sqlite else None

    async def read(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(session, ...)` on one consistent snapshot."""

        def attempt() -> T:
            with Session(self._read_engine, expire_on_commit=False) as session, session.begin():
                return work(session, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._read_pool, _attempted, self._read_engine, attempt)

    async def write(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(session, ...)` and commit it durably before returning. Runs again on StaleTransaction."""
        return await self.write_by(lambda: self.write_session_now(work, *args, **kwargs))

    async def write_bulk(self, work: Callable[Concatenate[Bulk, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `write`, for a function of a Bulk: without a Session, which costs more than a small commit."""
        return await self.write_by(lambda: self.write_now(work, *args, **kwargs))

    async def write_by(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that writes and commits by itself where `write` runs, so that neither waits for the other's locks.

        One that commits more than once notes each commit, and ends where another is waited for.
        """

        def written() -> T:
            done = work(*args, **kwargs)
            self.note_commit()
            return done

        return await asyncio.wrap_future(self._soon_written(written))

    def note_commit(self) -> None:
        """Something was committed. Called where `write` runs."""
        if self._log is not None:
            self._log.note_commit()

    def write_waits(self) -> bool:
        """Whether there is something to write that has not begun."""
        return bool(self._waiting)

    def _soon_written(self, work: Callable[[], T]) -> Future[T]:
        def begun() -> T:
            self._waiting.pop()
            return work()

        def given_up(future: Future[T]) -> None:
            if future.cancelled():  # which only what has not begun can be
                self._waiting.pop()

        self._waiting.append(None)
        future = self._write_pool.submit(begun)
        future.add_done_callback(given_up)
        return future

    def write_now(self, work: Callable[Concatenate[Bulk, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `write_bulk`, in this thread."""

        def attempt() -> T:
            with bulk.transaction(self._write_engine) as transaction:
                return work(transaction, *args, **kwargs)

        return _attempted(self._write_engine, attempt)

    def write_session_now(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `write`, in this thread."""

        def attempt() -> T:
            with Session(self._write_engine, expire_on_commit=False) as session, session.begin():
                return work(session, *args, **kwargs)

        return _attempted(self._write_engine, attempt)

    async def checkpoint(self) -> None:
        """Move SQLite's write-ahead log into the database and cut both files, as far as no reader is in the way."""
        if self._log is not None:
            moving = self._log.moving
            await asyncio.wrap_future(self._soon_written(lambda: _checkpoint(self._write_engine, moving)))

    def sync_engine(self) -> sa.Engine:
        """The SQLAlchemy engine that may write, for migrations and statement counting."""
        return self._write_engine

    def close(self) -> None:
        """Wait for running work and close every connection."""
        if self._log is not None:
            self._log.close()
        self._write_pool.shutdown()
        self._read_pool.shutdown()
        self._write_engine.dispose()
        self._read_engine.dispose()

    def display_url(self) -> str:
        """The URL without its password."""
        return self.url.render_as_string(hide_password=True)


def source(session: Session, name: str, columns: Columns) -> str:
    """SQL of a derived table `name` whose rows come from `bind`: one statement for any number of rows.

    SQLite takes them as one JSON array (text and integers only), PostgreSQL as one array per column.
    """
    if session.get_bind().dialect.name == "sqlite":
        picks = ", ".join(f"value ->> {i} AS {column}" for i, (column, _) in enumerate(columns))
        return f"(SELECT {picks} FROM json_each(:{name})) AS {name}"  # noqa: S608 -- names come from this program
    casts = ", ".join(f"CAST(:{name}_{column} AS {POSTGRES_TYPES[kind]}[])" for column, kind in columns)
    names = ", ".join(column for column, _ in columns)
    return f"unnest({casts}) AS {name}({names})"


def bind(session: Session, name: str, columns: Columns, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """The parameters for `source(session, name, columns)`."""
    if session.get_bind().dialect.name == "sqlite":
        return {name: orjson.dumps(rows).decode()}
    transposed = zip(*rows, strict=True) if rows else ([] for _ in columns)
    return {f"{name}_{column}": list(values) for (column, _), values in zip(columns, transposed, strict=True)}


def _attempted(engine: sa.Engine, attempt: Callable[[], T]) -> T:
    for _ in range(MAX_ATTEMPTS):
        try:
            return attempt()
        except StaleTransaction:
            continue
        except (DBAPIError, PoolTimeout, sqlite3.Error, psycopg.Error) as error:
            if _sqlstate(error) == _POSTGRES_READ_ONLY:
                engine.dispose()  # a connection to a server that was demoted stays read-only for as long as it lives
            if _sqlstate(error) not in _POSTGRES_RETRY:
                raise _store_error(error) from error
    raise StoreUnavailable


def _checkpoint(engine: sa.Engine, moving: threading.Lock) -> None:
    """Outside any transaction. Waits for nobody: it would hold up every writer meanwhile."""
    pooled = engine.raw_connection()
    try:
        connection = pooled.driver_connection
        if not isinstance(connection, sqlite3.Connection):
            raise TypeError(connection)
        connection.execute("PRAGMA busy_timeout=0")
        try:
            with moving:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    except sqlite3.Error as error:
        raise _store_error(error) from error
    finally:
        pooled.close()


def _store_error(error: Exception) -> Exception:
    """The domain error for a fault of the store, or the error itself where the fault is ours (bad SQL, broken rule)."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL or _sqlstate(error) == _POSTGRES_DISK_FULL:
        return DiskFull(retry_after_s=10)
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    unreachable = isinstance(cause, sqlite3.OperationalError | psycopg.OperationalError | psycopg.InterfaceError)
    away = lost or unreachable or is_damage(cause) or isinstance(error, PoolTimeout)
    away = away or _sqlstate(error) == _POSTGRES_READ_ONLY
    return StoreUnavailable() if away else error


def _sqlstate(error: Exception) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None)


def _sqlite_engine(url: URL, connections: int, *, writes: bool) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,  # what was bound must not reach the log with an error
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000, "cached_statements": STATEMENTS},
    )

    @sa.event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        connection.create_function("lower", 1, _lower, deterministic=True)  # SQLite's own knows ASCII only
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        if not writes:
            connection.execute("PRAGMA query_only=ON")
            # There are several readers, and the system keeps the file's pages too.
            connection.execute("PRAGMA cache_size=-4096")
            return
        for statement in bulk.temporary_tables(TEMPORARY, sqlite=True):
            connection.execute(statement)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _lower(value: Any) -> Any:  # noqa: ANN401 -- any SQL value
    return value.lower() if isinstance(value, str) else value


_PRAGMAS = (
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "page_size=8192",  # new files only: a commit is written page by page, and takes half as many
    "auto_vacuum=INCREMENTAL",  # takes effect only before the first table; lets retention give space back
    "journal_mode=WAL",
    f"wal_autocheckpoint={MOST_PAGES}",
    "journal_size_limit=16777216",  # a log that grew under load shrinks when it starts over
    "synchronous=FULL",  # a commit is on the disk before it is acknowledged
    "foreign_keys=ON",
    "temp_store=MEMORY",
    "cache_size=-32768",  # 32 MiB: twice as much made commits into a million events no faster
)


def _postgres_engine(url: URL, connections: int, *, writes: bool) -> sa.Engine:
    """Without compiling plans where it writes: that takes 300 ms, for a plan whose guess at a temporary table was too high."""
    options = "-c timezone=UTC -c jit=off" if writes else "-c timezone=UTC -c default_transaction_read_only=on"
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=CONNECT_TIMEOUT_S,
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "options": options},
    )

    @sa.event.listens_for(engine, "connect")
    def configure(connection: psycopg.Connection[Any], _record: object) -> None:
        for dumper in (_NulSafeText, _NulSafeBinaryText):
            connection.adapters.register_dumper(str, dumper)
        if writes:
            for statement in bulk.temporary_tables(TEMPORARY, sqlite=False):
                connection.execute(statement.encode())
            connection.commit()

    return engine


class _NulSafe:
    """PostgreSQL's text cannot hold NUL; a filter or a name with one must be a value that is not there, not a fault."""

    def dump(self, obj: str) -> Any:  # noqa: ANN401 -- psycopg's buffers
        return super().dump(obj.replace("\0", "\ufffd"))  # type: ignore[misc]  # of the dumper it is mixed into


class _NulSafeText(_NulSafe, StrDumper):
    pass


class _NulSafeBinaryText(_NulSafe, StrBinaryDumper):
    pass
