"""Statements over many rows, on the driver's own connection: the path that stores events.

SQLAlchemy takes ten times as long to hand over a statement as SQLite to run it. Statements here are constants, so both
drivers keep them prepared. `Insert` wants no answer and `Query` does, because PostgreSQL has a faster way for the former.
"""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any, Final, Protocol

import psycopg
import sqlalchemy as sa
from sqlmodel import Session

from server.store.columns import POSTGRES_TYPES, Columns, Kind

Row = Sequence[Any]

MAX_SQLITE_ROWS: Final = 256
"""Rows of one statement: SQLite keeps every size that is a power of two prepared, the largest at about 1 MiB."""


class StaleTransaction(Exception):
    """Another writer changed what this transaction had read; roll back and run it again."""


@dataclass(frozen=True)
class Insert:
    """Rows for `table`; `conflict` is what to do where `key` is there already, as ON CONFLICT says it."""

    table: str
    columns: Columns
    key: tuple[str, ...]
    conflict: str


@dataclass(frozen=True)
class Table:
    """A temporary table that every connection which writes has."""

    name: str
    columns: Columns
    key: tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """A statement that answers. `{rows}` in its text stands for a table `r` with these columns."""

    columns: Columns
    text: str


class Done(Protocol):
    """What a statement came to."""

    @property
    def rowcount(self) -> int:
        """How many rows it put in or changed."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Its answer, in no order."""


class Bulk(ABC):
    """The driver's connection inside one transaction. Rows are given in the order of their keys: locks are taken in it."""

    @abstractmethod
    def insert(self, statement: Insert, rows: Sequence[Row]) -> int:
        """Put the rows in, in one statement; how many were put in or changed."""

    @abstractmethod
    def ask(self, query: Query, rows: Sequence[Row]) -> Iterable[tuple[Any, ...]]:
        """The answer for these rows, in no order."""

    @abstractmethod
    def load(self, table: str, columns: Columns, rows: Sequence[Row]) -> None:
        """Put rows into a temporary table."""

    @abstractmethod
    def together(self) -> AbstractContextManager[Any]:
        """What runs inside need not wait for what ran before it; what it came to is known at the end."""

    @abstractmethod
    def run(self, statement: str) -> Done:
        """Run a statement that has no parameters."""

    @abstractmethod
    def clear(self, tables: Iterable[Table]) -> None:
        """Empty temporary tables."""

    @abstractmethod
    def add_new(self, table: str, news: Table, source: str) -> None:
        """Put those rows of `source` into a table that it does not have, and the same into `news`, its temporary twin."""

    @abstractmethod
    def lock_rows(self, statement: str) -> None:
        """Keep the rows that the statement locks from other writers until the end of the transaction."""

    @abstractmethod
    def lock(self, number: int) -> None:
        """Wait for other writers that locked this number, and keep them waiting until the end of the transaction."""


def bulk_of(session: Session) -> Bulk:
    """The session's transaction, for statements over many rows."""
    return _on(session.connection().connection.driver_connection)


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[Bulk]:
    """A transaction of its own on one of the engine's connections, durable at the end of the block."""
    pooled = engine.raw_connection()
    connection = pooled.driver_connection
    try:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("BEGIN IMMEDIATE")
        yield _on(connection)
        pooled.commit()
    except BaseException:
        if getattr(connection, "closed", False):
            pooled.invalidate()
        raise
    finally:
        pooled.close()  # which rolls back what was not committed


def temporary_tables(tables: Iterable[Table], *, sqlite: bool) -> list[str]:
    """The statements that make them on a connection.

    A key of one integer is SQLite's own row number. PostgreSQL has no keys here: emptying an index at every commit would
    have it plan every statement anew.
    """
    return [_sqlite_temporary(table) if sqlite else _postgres_temporary(table) for table in tables]


def _sqlite_temporary(table: Table) -> str:
    rows = "" if table.key == ("id",) else " WITHOUT ROWID"
    columns = ", ".join(f"{name} {_SQLITE_TYPES.get(kind, 'INTEGER')}" for name, kind in table.columns)
    return f"CREATE TEMP TABLE {table.name} ({columns}, PRIMARY KEY ({', '.join(table.key)})){rows}"


def _postgres_temporary(table: Table) -> str:
    columns = ", ".join(f"{name} {POSTGRES_TYPES[kind]}" for name, kind in table.columns)
    return f"CREATE TEMP TABLE {table.name} ({columns}) ON COMMIT DELETE ROWS"


_SQLITE_TYPES: Final = {"text": "TEXT", "blob": "BLOB"}


def _on(connection: Any) -> Bulk:  # noqa: ANN401 -- one of two drivers' connections
    return _Sqlite(connection) if isinstance(connection, sqlite3.Connection) else _Postgres(connection)


class _Sqlite(Bulk):
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def insert(self, statement: Insert, rows: Sequence[Row]) -> int:
        return sum(self._put(_sqlite_insert(statement, len(part)), part) for part in _parts(rows))

    def ask(self, query: Query, rows: Sequence[Row]) -> Iterable[tuple[Any, ...]]:
        """One statement for up to MAX_SQLITE_ROWS rows, filled up to a power of two with rows that are skipped."""
        found: list[tuple[Any, ...]] = []
        for start in range(0, len(rows), MAX_SQLITE_ROWS):
            part = rows[start : start + MAX_SQLITE_ROWS]
            size = 1 << (len(part) - 1).bit_length()
            values = list(chain.from_iterable(part))
            values += [None] * (size * len(query.columns) - len(values))
            found += self._connection.execute(_sqlite_query(query, size), values).fetchall()
        return found

    def load(self, table: str, columns: Columns, rows: Sequence[Row]) -> None:
        for part in _parts(rows):
            self._put(_values(table, tuple(columns), len(part)), part)

    def together(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def run(self, statement: str) -> Done:
        return self._connection.execute(statement)

    def clear(self, tables: Iterable[Table]) -> None:
        for table in tables:
            self.run(f"DELETE FROM {table.name}")  # noqa: S608 -- a name of ours

    def add_new(self, table: str, news: Table, source: str) -> None:
        for statement in _sqlite_add_new(table, news, source):
            self.run(statement)

    def lock_rows(self, statement: str) -> None:
        """Nothing to do: there is one writer."""

    def _put(self, statement: str, rows: Sequence[Row]) -> int:
        return self._connection.execute(statement, list(chain.from_iterable(rows))).rowcount

    def lock(self, number: int) -> None:
        """Nothing to do: there is one writer."""


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Rows in as few parts as there are powers of two in their number.

    A statement gives the interpreter up for each row where it runs once a row, and then waits for the event loop's thread
    to give it back, which may take milliseconds each time.
    """
    at = 0
    while at < len(rows):
        size = min(MAX_SQLITE_ROWS, 1 << ((len(rows) - at).bit_length() - 1))
        yield rows[at : at + size]
        at += size


@cache
def _sqlite_insert(statement: Insert, rows: int) -> str:
    values = _values(statement.table, statement.columns, rows)
    return f"{values} ON CONFLICT ({', '.join(statement.key)}) {statement.conflict}"


@cache
def _values(table: str, columns: Columns, rows: int) -> str:
    row = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({_names(columns)}) VALUES {', '.join([row] * rows)}"  # noqa: S608 -- our own names


@cache
def _sqlite_add_new(table: str, news: Table, source: str) -> tuple[str, str]:
    names = _names(news.columns)
    same = " AND ".join(f"t.{name} = s.{name}" for name in news.key)
    missing = f"NOT EXISTS (SELECT 1 FROM {table} AS t WHERE {same})"  # noqa: S608 -- our own names
    return (
        f"INSERT INTO {news.name} ({names}) SELECT {names} FROM ({source}) AS s WHERE {missing}",  # noqa: S608
        f"INSERT INTO {table} ({names}) SELECT {names} FROM {news.name}",  # noqa: S608
    )


@cache
def _sqlite_query(query: Query, size: int) -> str:
    row = f"({', '.join('?' * len(query.columns))})"
    picks = ", ".join(f"column{i} AS {name}" for i, (name, _) in enumerate(query.columns, start=1))
    values = ", ".join([row] * size)
    return query.text.format(rows=f"(SELECT {picks} FROM (VALUES {values}) WHERE column1 IS NOT NULL) AS r")  # noqa: S608


def _names(columns: Columns) -> str:
    return ", ".join(name for name, _ in columns)


class _Postgres(Bulk):
    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._connection = connection

    def insert(self, statement: Insert, rows: Sequence[Row]) -> int:
        if not rows:
            return 0
        return self._connection.execute(_postgres_insert(statement), _arrays(statement.columns, rows)).rowcount

    def ask(self, query: Query, rows: Sequence[Row]) -> Iterable[tuple[Any, ...]]:
        if not rows:
            return ()
        return self._connection.execute(_postgres_query(query), _arrays(query.columns, rows)).fetchall()

    def load(self, table: str, columns: Columns, rows: Sequence[Row]) -> None:
        """By binary COPY, which took a third of the time of an INSERT from arrays."""
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({_names(columns)}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types([POSTGRES_TYPES[kind] for _, kind in columns])
            for row in rows:
                copy.write_row(row)

    @contextmanager
    def together(self) -> Iterator[None]:
        """In one pipeline, and without nested loops: nobody counts the rows of temporary tables, and a plan made for ten takes seconds for a thousand."""
        with self._connection.pipeline():
            self.run("SET LOCAL enable_nestloop = off")
            yield
            self.run("SET LOCAL enable_nestloop TO DEFAULT")

    def run(self, statement: str) -> Done:
        return self._connection.execute(statement.encode())

    def clear(self, tables: Iterable[Table]) -> None:
        """They are empty after every commit; this is for a second piece of work in one transaction."""
        names = [table.name for table in tables]
        first, *others = [f"DELETE FROM {name}" for name in names]  # noqa: S608 -- our own names
        self.run(" ".join(["WITH", ", ".join(f"t{i} AS ({other})" for i, other in enumerate(others)), first]))

    def add_new(self, table: str, news: Table, source: str) -> None:
        self.run(_postgres_add_new(table, news, source))

    def lock_rows(self, statement: str) -> None:
        self.run(statement)

    def lock(self, number: int) -> None:
        self._connection.execute("SELECT pg_advisory_xact_lock(%s::int8)", (number,))


@cache
def _postgres_insert(statement: Insert) -> bytes:
    names = _names(statement.columns)
    keys = ", ".join(statement.key)
    return (
        f"INSERT INTO {statement.table} ({names}) SELECT {names} FROM {_unnest(statement.columns)} "  # noqa: S608
        f"ON CONFLICT ({keys}) {statement.conflict}"
    ).encode()


@cache
def _postgres_add_new(table: str, news: Table, source: str) -> str:
    """In one statement, because another writer may put the same row in while it runs."""
    names = _names(news.columns)
    return (
        f"WITH added AS (INSERT INTO {table} ({names}) SELECT {names} FROM ({source}) AS s ORDER BY {', '.join(news.key)} "  # noqa: S608
        f"ON CONFLICT DO NOTHING RETURNING {names}) INSERT INTO {news.name} ({names}) SELECT {names} FROM added"
    )


@cache
def _postgres_query(query: Query) -> bytes:
    return query.text.format(rows=_unnest(query.columns)).encode()


def _unnest(columns: Columns) -> str:
    casts = ", ".join(f"%s::{POSTGRES_TYPES[kind]}[]" for _, kind in columns)
    return f"unnest({casts}) AS r({_names(columns)})"


def _arrays(columns: Columns, rows: Sequence[Row]) -> list[str]:
    """Each column in PostgreSQL's text form of an array: joined in C, where the driver would visit each value."""
    return [_array(kind, values) for (_, kind), values in zip(columns, zip(*rows, strict=True), strict=True)]


def _array(kind: Kind, values: Iterable[Any]) -> str:
    if kind == "text":
        return "{" + ",".join(["NULL" if value is None else _quoted(value) for value in values]) + "}"
    if kind == "blob":
        return "{" + ",".join(["NULL" if value is None else f'"\\\\x{value.hex()}"' for value in values]) + "}"
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def _quoted(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'
