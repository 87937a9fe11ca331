"""The whole database as files and back: SQLite by its own backup, PostgreSQL table by table in binary COPY.

pg_dump would have to be there, and no older than the server; COPY needs neither. The schema is not dumped: migrations
know it at every revision, so a dump is the revision and the rows.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlmodel import Session

CHUNK_BYTES = 1_048_576
_VERSIONS = "alembic_version"


@dataclass(frozen=True, slots=True)
class Dumped:
    """One file of a dump: a table of PostgreSQL, or SQLite's database as a whole (`table` is empty, `columns` too)."""

    table: str
    columns: list[str]
    path: Path


def freeze(session: Session) -> str:
    """Let everything this session reads from now on be of one instant; the revision of the schema at that instant."""
    if not _is_sqlite(session):
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    return str(session.connection().execute(sa.text(f"SELECT version_num FROM {_VERSIONS}")).scalar_one())  # noqa: S608


def dump(session: Session, directory: Path) -> Iterator[Dumped]:
    """Write the database of a frozen session into the directory, file by file; a file may go once the next is asked for."""
    if _is_sqlite(session):
        yield Dumped("", [], _copy_sqlite(_driver(session, sqlite3.Connection), directory / "healthguard.db"))
        return
    for table in _tables(session):
        columns = [column["name"] for column in sa.inspect(session.connection()).get_columns(table)]
        path = directory / table
        taking = _copy("COPY {table} ({columns}) TO STDOUT (FORMAT BINARY)", table, columns)
        cursor = _driver(session, psycopg.Connection).cursor()
        with path.open("wb") as file, cursor, cursor.copy(taking) as rows:
            for chunk in rows:
                file.write(chunk)
        yield Dumped(table, columns, path)
        path.unlink()


def load_table(session: Session, table: str, columns: list[str], file: IO[bytes]) -> None:
    """Fill one empty table of PostgreSQL from its file."""
    giving = _copy("COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)", table, columns)
    with _driver(session, psycopg.Connection).cursor() as cursor, cursor.copy(giving) as rows:
        while chunk := file.read(CHUNK_BYTES):
            rows.write(chunk)


def tables_of(session: Session) -> set[str]:
    """The tables that a dump of PostgreSQL has to hold."""
    return set(_tables(session))


def continue_sequences(session: Session) -> None:
    """Let PostgreSQL number new rows behind those that were loaded."""
    for table, column in session.connection().execute(sa.text(_NUMBERED)).all():
        names = {"table": sql.Identifier(table), "column": sql.Identifier(column), "name": sql.Literal(f'"{table}"')}
        statement = sql.SQL(
            "SELECT setval(pg_get_serial_sequence({name}, {literal}), max({column})) FROM {table} HAVING max({column}) > 0"
        ).format(**names, literal=sql.Literal(column))
        _driver(session, psycopg.Connection).execute(statement)


def _tables(session: Session) -> list[str]:
    """Names in an order in which no row comes before one that it refers to."""
    ordered = sa.inspect(session.connection()).get_sorted_table_and_fkc_names()
    return [table for table, _ in ordered if table is not None and table != _VERSIONS]


def _copy_sqlite(source: sqlite3.Connection, path: Path) -> Path:
    """All pages in one step: in several, a write in between would begin the copy anew, for ever under load."""
    with closing(sqlite3.connect(path)) as target:
        source.backup(target)
    return path


def _copy(statement: str, table: str, columns: list[str]) -> sql.Composed:
    names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    return sql.SQL(statement).format(table=sql.Identifier(table), columns=names)


def _driver(session: Session, kind: type[Any]) -> Any:  # noqa: ANN401 -- one of two drivers' connections
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, kind):
        raise TypeError(connection)
    return connection


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


_NUMBERED = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = current_schema() AND (column_default LIKE 'nextval(%' OR is_identity = 'YES')
"""
