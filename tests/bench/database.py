"""A second opinion on what the collector stored: the bench asks the database itself."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from tests.bench import usage

Row = tuple[Any, ...]

_LEDGER = "SELECT outcome, sum(events) FROM ledger GROUP BY outcome"
_STORED = "SELECT '', count(*) FROM events"


@dataclass(frozen=True)
class Books:
    """Stored events, counted one by one, and events by outcome as the collector booked them."""

    stored: int
    ledger: dict[str, int]


class Database(ABC):
    """One engine's database, read directly."""

    name: str

    def __init__(self, url: str) -> None:
        self.url = url

    @abstractmethod
    def rows(self, query: str) -> list[Row]:
        """All rows of a query."""

    @abstractmethod
    def size_bytes(self) -> int:
        """Tables and indexes on disk, without free pages and without the log."""

    @abstractmethod
    def describe(self) -> str:
        """Version and the settings on which durability rests."""

    def cpu_s(self) -> float:
        """CPU that the database used outside the collector."""
        return 0.0

    def ledger(self) -> dict[str, int]:
        """Events by outcome, as the collector booked them."""
        return {outcome: int(events) for outcome, events in self.rows(_LEDGER)}

    def batches(self) -> int:
        """Stored batches of recorded sessions."""
        return int(self.rows("SELECT count(*) FROM session_batches")[0][0])

    def books(self) -> Books:
        """Ledger and events of one instant: one statement sees one snapshot, however busy the collector is."""
        ledger = {outcome: int(events) for outcome, events in self.rows(f"{_LEDGER} UNION ALL {_STORED}")}
        return Books(ledger.pop(""), ledger)


class Sqlite(Database):
    """A SQLite file."""

    name = "sqlite"

    def rows(self, query: str) -> list[Row]:
        with self._connection() as connection:
            return connection.execute(query).fetchall()

    def size_bytes(self) -> int:
        with self._connection() as connection:
            pages, free, size = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * size)

    def describe(self) -> str:
        return f"SQLite {sqlite3.sqlite_version}, WAL, synchronous=FULL"

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        path = Path(str(make_url(self.url).database)).absolute()
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=60)
        try:
            yield connection
        finally:
            connection.close()


class Postgresql(Database):
    """A PostgreSQL database; `postmaster` is the server's process where it runs on this machine."""

    name = "postgresql"

    def __init__(self, url: str, postmaster: int | None) -> None:
        super().__init__(url)
        self._postmaster = postmaster

    def rows(self, query: str) -> list[Row]:
        dsn = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(dsn, autocommit=True) as connection:
            return connection.execute(query).fetchall()

    def size_bytes(self) -> int:
        return int(self.rows("SELECT pg_database_size(current_database())")[0][0])

    def describe(self) -> str:
        names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size")
        version, *values = self.rows("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))[0]
        settings = ", ".join(f"{name}={value}" for name, value in zip(names[1:], values, strict=True))
        return f"PostgreSQL {version}, {settings}"

    def cpu_s(self) -> float:
        return 0.0 if self._postmaster is None else usage.cpu_s(self._postmaster)
