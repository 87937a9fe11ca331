"""The room a database takes on its disk, and giving back what it no longer needs."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlmodel import Session

STEP_PAGES: Final = 125
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


def usage(session: Session, *, with_blobs: bool = False) -> Usage:
    """What the database takes now, and with it the screenshots that sessions show.

    Exact on SQLite, with its write-ahead log; an estimate where PostgreSQL had removals.
    """
    database = _sqlite_usage(session) if session.get_bind().dialect.name == "sqlite" else _postgres_usage(session)
    if not with_blobs:
        return database
    blobs = session.connection().execute(text(_BLOB_BYTES)).scalar_one()
    return Usage(database.file_bytes + int(blobs), database.reusable_bytes)


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
    database = session.connection().execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    return Usage(int(database), sum(_postgres_empty(session, table, rows) for table, rows in _POSTGRES_ROWS.items()))


def _postgres_empty(session: Session, table: str, row_bytes: str) -> int:
    """Bytes of a table and its indexes that hold nothing, by a sample of its pages."""
    total, heap, pages = session.connection().execute(text(_POSTGRES_SIZES), {"table": table}).one()
    if not pages:
        return 0
    share = min(1.0, SAMPLED_PAGES / pages)
    query = f"SELECT COALESCE(sum({row_bytes}), 0) FROM {table} TABLESAMPLE SYSTEM (:percent)"  # noqa: S608 -- constants
    rows = session.connection().execute(text(query), {"percent": share * 100}).scalar_one()
    return int(total * max(0.0, 1 - int(rows) / share / (int(heap) * _FULL)))


_BLOB_BYTES = "SELECT COALESCE(sum(size_bytes), 0) FROM blobs WHERE refs > 0"
_POSTGRES_SIZES = """
SELECT pg_total_relation_size(CAST(:table AS regclass)), pg_table_size(CAST(:table AS regclass)),
       pg_relation_size(CAST(:table AS regclass)) / current_setting('block_size')::int
"""

# 28 bytes of header and line pointer a row. pg_column_size() tells what a value takes where it is stored, also in TOAST.
_POSTGRES_ROWS = {
    "events": "28 + 58 + 16 + pg_column_size(payload)",
    "payload_packs": "28 + 18 + pg_column_size(data)",
    "session_batches": "28 + 160 + pg_column_size(beats) + pg_column_size(payload)",
}
"""Of each table that shrinks, what a row of it takes."""
