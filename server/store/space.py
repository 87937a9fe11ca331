"""The room a database takes on its disk, and giving back what it no longer needs."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlmodel import Session

STEP_PAGES: Final = 250
"""Pages that SQLite gives back in one transaction: 1 MiB."""

SAMPLED_PAGES: Final = 2_000
"""Pages of PostgreSQL's table of events that are looked at to estimate how full it is: within 2 % of its size."""

_FULL: Final = 0.95
"""Share of a freshly written PostgreSQL table that is rows; the rest is page headers and ends of pages."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes on the disk, and how many of them hold nothing and will be used before the files grow."""

    file_bytes: int
    reusable_bytes: int

    @property
    def used_bytes(self) -> int:
        return self.file_bytes - self.reusable_bytes


def usage(session: Session) -> Usage:
    """What the database takes now. Exact on SQLite, with its write-ahead log; an estimate where PostgreSQL had removals."""
    return _sqlite_usage(session) if session.get_bind().dialect.name == "sqlite" else _postgres_usage(session)


def give_back(session: Session, pages: int = STEP_PAGES) -> bool:
    """Cut free pages off the end of SQLite's file; whether there are more. PostgreSQL's own vacuum sees to its files."""
    free = _pragma(session, "freelist_count")
    # One by one: a larger number is a loop that Python's driver leaves after its first round.
    for _ in range(min(pages, free)):
        session.connection().exec_driver_sql("PRAGMA incremental_vacuum(1)")
    return free > pages


def _sqlite_usage(session: Session) -> Usage:
    page_bytes = _pragma(session, "page_size")
    log = Path(f"{session.get_bind().engine.url.database}-wal")
    log_bytes = 0
    with contextlib.suppress(FileNotFoundError):
        log_bytes = log.stat().st_size
    return Usage(
        _pragma(session, "page_count") * page_bytes + log_bytes, _pragma(session, "freelist_count") * page_bytes
    )


def _pragma(session: Session, name: str) -> int:
    return int(session.connection().exec_driver_sql(f"PRAGMA {name}").scalar_one())


def _postgres_usage(session: Session) -> Usage:
    database, events, table, pages = (int(size) for size in session.connection().execute(text(_POSTGRES_SIZES)).one())
    if not pages:
        return Usage(database, 0)
    share = min(1.0, SAMPLED_PAGES / pages)
    rows = session.connection().execute(text(_POSTGRES_SAMPLE), {"percent": share * 100}).scalar_one()
    empty = max(0.0, 1 - int(rows) / share / (table * _FULL))
    return Usage(database, int(events * empty))


_POSTGRES_SIZES = """
SELECT pg_database_size(current_database()), pg_total_relation_size('events'), pg_table_size('events'),
       pg_relation_size('events') / current_setting('block_size')::int
"""

# 28 bytes of header and line pointer a row. pg_column_size() tells what a value takes where it is stored, also in TOAST.
_POSTGRES_SAMPLE = """
SELECT COALESCE(sum(28 + 42 + 21 + pg_column_size(platform) + pg_column_size(payload)), 0)
FROM events TABLESAMPLE SYSTEM (:percent)
"""
