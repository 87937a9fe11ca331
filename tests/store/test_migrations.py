"""The schema: what migrations build is what the tables say, from empty and step by step."""

from collections.abc import Callable

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlmodel import SQLModel

from server.store import migrate, tables
from server.store.engine import Engine
from server.store.migrate import SchemaState


def test_migrations_build_exactly_the_tables(engine: str, new_database: Callable[[str], str]) -> None:
    store = Engine(new_database(engine))
    assert migrate.schema_state(store) is SchemaState.EMPTY
    migrate.upgrade(store)
    assert migrate.schema_state(store) is SchemaState.CURRENT
    migrate.upgrade(store)
    with store.sync_engine().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []
    store.close()


def test_unknown_revision_is_a_newer_schema(engine: str, new_database: Callable[[str], str]) -> None:
    store = Engine(new_database(engine))
    migrate.upgrade(store)
    with store.sync_engine().begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from-the-future'")
    assert migrate.schema_state(store) is SchemaState.NEWER
    store.close()


def test_every_growing_table_is_keyed_by_app_first() -> None:
    growing = [table for table in SQLModel.metadata.sorted_tables if "app_id" in table.columns]
    assert tables.EventRow.__table__ in growing  # type: ignore[attr-defined]
    for table in growing:
        assert next(iter(table.primary_key.columns)).name == "app_id", table.name
