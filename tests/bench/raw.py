"""The limit: how fast the engine itself takes the rows that the collector stored, with nothing around them.

Same table, keys, indexes, connection settings and fsync as the collector's; one connection, executemany on SQLite and
binary COPY on PostgreSQL; only the rows of `events`, none of the counters that the collector keeps beside them.
"""

import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from server.store.engine import Engine as StoreEngine
from server.store.tables import EventRow
from tests.bench import site
from tests.bench.database import Database, Row

MOST_ROWS = 40_000
ROWS_PER_COMMIT = 4_000
"""As many as the collector puts into one transaction at most."""

_COLUMNS = list(sa.inspect(EventRow).local_table.columns)
_NAMES = ", ".join(column.name for column in _COLUMNS)
_POSTGRES_TYPES = [column.type.compile(dialect=postgresql.dialect()).lower() for column in _COLUMNS]


def rows_per_s(engine: site.Engine, source: Database) -> float:
    """Copy rows of `source`, in order of arrival, into an empty database and say how many went in per second."""
    rows = source.rows(f"SELECT {_NAMES} FROM events ORDER BY id LIMIT {MOST_ROWS}")
    store = StoreEngine(engine.create().url)
    insert = _insert if store.is_sqlite else _copy
    try:
        began = time.perf_counter()
        for start in range(0, len(rows), ROWS_PER_COMMIT):
            with store.sync_engine().begin() as connection:
                insert(connection.connection.driver_connection, rows[start : start + ROWS_PER_COMMIT])
        return len(rows) / (time.perf_counter() - began)
    finally:
        store.close()


def _insert(connection: Any, rows: list[Row]) -> None:
    places = ", ".join("?" * len(_COLUMNS))
    connection.executemany(f"INSERT INTO events ({_NAMES}) VALUES ({places})", rows)


def _copy(connection: Any, rows: list[Row]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY events ({_NAMES}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(_POSTGRES_TYPES)
        for row in rows:
            copy.write_row(row)
