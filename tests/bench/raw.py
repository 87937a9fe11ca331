"""The limit: how fast the engine itself takes the rows that the collector stored, with nothing around them.

Same tables, keys, indexes, connection settings and fsync as the collector's; one connection, executemany on SQLite and
binary COPY on PostgreSQL; only the rows of events and of the packs they share, none of the counters that the collector keeps
beside them.
"""

import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from server.store.engine import Engine as StoreEngine
from server.store.tables import EventRow, PayloadPackRow
from tests.bench import site
from tests.bench.database import Database, Row

MOST_ROWS = 40_000
ROWS_PER_COMMIT = 4_000
"""As many as the collector puts into one transaction at most."""

_EVENTS, _PACKS = (sa.inspect(row).local_table for row in (EventRow, PayloadPackRow))


def rows_per_s(engine: site.Engine, source: Database) -> float:
    """Copy rows of `source`, in order of arrival, into an empty database and say how many went in per second."""
    rows = source.rows(f"SELECT {_names(_EVENTS)} FROM events ORDER BY id LIMIT {MOST_ROWS}")
    last_id = max(row[_ID] for row in rows)
    packs = source.rows(f"SELECT {_names(_PACKS)} FROM payload_packs WHERE id <= {last_id} ORDER BY id, part")
    store = StoreEngine(engine.create().url)
    insert = _insert if store.is_sqlite else _copy
    try:
        began = time.perf_counter()
        for start in range(0, len(rows), ROWS_PER_COMMIT):
            of_packs = slice(start * len(packs) // len(rows), (start + ROWS_PER_COMMIT) * len(packs) // len(rows))
            with store.sync_engine().begin() as connection:
                insert(connection.connection.driver_connection, _EVENTS, rows[start : start + ROWS_PER_COMMIT])
                insert(connection.connection.driver_connection, _PACKS, packs[of_packs])
        return len(rows) / (time.perf_counter() - began)
    finally:
        store.close()


def _names(table: sa.Table) -> str:
    return ", ".join(table.columns.keys())


_ID = list(_EVENTS.columns.keys()).index("id")


def _insert(connection: Any, table: sa.Table, rows: list[Row]) -> None:
    places = ", ".join("?" * len(table.columns))
    connection.executemany(f"INSERT INTO {table.name} ({_names(table)}) VALUES ({places})", rows)


def _copy(connection: Any, table: sa.Table, rows: list[Row]) -> None:
    into = f"COPY {table.name} ({_names(table)}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        copy.set_types([column.type.compile(dialect=postgresql.dialect()).lower() for column in table.columns])
        for row in rows:
            copy.write_row(row)
