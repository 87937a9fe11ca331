"""The schema: what migrations build is what the tables say, from empty and step by step."""

from collections.abc import Callable

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlmodel import SQLModel

from server.store import apps, issues, migrate, scope, tables
from server.store.app_settings import AppSettings
from server.store.apps import NewApp
from server.store.engine import Engine
from server.store.issues import IssueFilter, Totals
from server.store.migrate import SchemaState
from server.store.scope import Role


def test_migrations_build_exactly_the_tables(engine: str, new_database: Callable[[str], str]) -> None:
    store = Engine(new_database(engine))
    assert migrate.schema_state(store) is SchemaState.EMPTY
    migrate.upgrade(store)
    assert migrate.schema_state(store) is SchemaState.CURRENT
    migrate.upgrade(store)
    with store.sync_engine().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []
    store.close()


async def test_data_of_the_first_schema_lives_on(engine: str, new_database: Callable[[str], str]) -> None:
    store = Engine(new_database(engine))
    migrate.upgrade(store, "0001")
    assert migrate.schema_state(store) is SchemaState.OLD
    with store.sync_engine().begin() as connection:
        for statement in FIRST_DATA:
            connection.exec_driver_sql(statement)
    migrate.upgrade(store)
    assert migrate.schema_state(store) is SchemaState.CURRENT
    assert await store.read(scope.visible_apps, 1) == {5: "web_one", 6: "web_two"}
    assert await store.read(scope.visible_apps, 2, "ios_three", Role.OWNER) == {7: "ios_three"}
    shop = await store.read(apps.find, 1, "app_record_1")
    assert (shop.name, shop.type, shop.created_ms, shop.role) == ("Shop", "web", 11, Role.OWNER)
    assert shop.settings == AppSettings()
    assert (await store.read(scope.ingest_app, "ios_three")).id == 7
    issue = await store.read(issues.find, {5: "web_one"}, "js:a")
    assert (issue.event_count, issue.status, issue.regressed_ms, issue.platforms) == (3, "open", None, {"web": 3})
    totals = await store.read(issues.totals, IssueFilter({5: "web_one"}))
    assert totals == Totals(events=3, errors=3, affected_users=2, issues=1)
    made = await store.write(apps.create, NewApp("app_record_4", 2, "New", "web_four", "web", 12))
    assert made.id > 7 or engine == "postgresql"  # whose sequence has not seen the ids given here
    store.close()


FIRST_DATA = (
    """INSERT INTO users (id, public_id, email, password_hash, created_ms)
       VALUES (1, 'user_1', 'a@example.test', 'h', 1), (2, 'user_2', 'b@example.test', 'h', 2)""",
    """INSERT INTO apps (id, public_id, owner_id, name, app_key, type, created_ms)
       VALUES (5, 'app_record_1', 1, 'Shop', 'web_one', 'web', 11), (6, 'app_record_2', 1, 'Two', 'web_two', 'web', 12),
              (7, 'app_record_3', 2, 'Phone', 'ios_three', 'ios', 13)""",
    """INSERT INTO issues (app_id, fingerprint, id, grouping_version, message, error_type, event_count, first_seen_ms,
                           last_seen_ms, status, archived)
       VALUES (5, 'js:a', 9, 'sdk', 'boom', 'js', 3, 20, 30, 'open', false)""",
    "INSERT INTO issue_platforms (app_id, issue_id, platform, event_count) VALUES (5, 9, 'web', 3)",
    """INSERT INTO totals (app_id, platform, shard, events, errors, failed_requests, affected_users, issues, archived_issues)
       VALUES (5, '', 0, 3, 3, 0, 2, 1, 0)""",
)
"""What the first schema may hold: users, their apps, and an issue with its counters."""


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
