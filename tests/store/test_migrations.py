"""The schema: what migrations build is what the tables say, from empty and step by step."""

from collections.abc import Callable

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlmodel import Session, SQLModel

from server.store import issues, migrate, tables
from server.store.engine import Engine
from server.store.issues import IssueFilter, Totals
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


def test_data_of_the_first_schema_survives(engine: str, new_database: Callable[[str], str]) -> None:
    store = Engine(new_database(engine))
    migrate.upgrade(store, "0001")
    assert migrate.schema_state(store) is SchemaState.OLD
    with store.sync_engine().begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO issues (app_id, fingerprint, id, grouping_version, message, error_type, event_count,"
            " first_seen_ms, last_seen_ms, status, archived) VALUES (1, 'js:a', 7, 'sdk', 'm', 'js', 3, 10, 20, 'open', false)"
        )
        connection.exec_driver_sql(
            "INSERT INTO totals (app_id, platform, shard, events, errors, failed_requests, affected_users, issues,"
            " archived_issues) VALUES (1, '', 0, 3, 3, 0, 1, 1, 0)"
        )
    migrate.upgrade(store)
    with Session(store.sync_engine()) as session:
        issue = issues.find(session, {1: "web_one"}, "js:a")
        assert issue is not None
        assert (issue.id, issue.event_count, issue.status, issue.regressed_ms, issue.assignee) == (
            7,
            3,
            "open",
            None,
            None,
        )
        assert issues.totals(session, IssueFilter({1: "web_one"})) == Totals(3, 3, 0, 1, 1)
    store.close()
