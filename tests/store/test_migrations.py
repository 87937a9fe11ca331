"""The schema: what migrations build is what the tables say, from empty and step by step."""

from base64 import urlsafe_b64decode
from collections.abc import Callable
from hashlib import blake2b

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from healthguard.v1 import event_pb2 as event_pb
from sqlalchemy import text
from sqlmodel import Session, SQLModel, select

from server.ingest.prepare import event_key
from server.store import apps, counters, events, issues, migrate, payload, performance, scope, session_tables, tables
from server.store.app_settings import AppSettings
from server.store.apps import NewApp
from server.store.dimensions import Dimension
from server.store.engine import Engine
from server.store.issues import IssueFilter
from server.store.migrate import SchemaState
from server.store.scope import Role
from server.store.sequence import Sequence as IdSequence
from server.store.totals import EventFilter, TimeRange, Totals, event_totals
from tests.store import build


def test_migrations_build_exactly_the_tables(engine: str, new_database: Callable[[str], str]) -> None:
    store = Engine(new_database(engine))
    assert migrate.schema_state(store) is SchemaState.EMPTY
    migrate.upgrade(store)
    assert migrate.schema_state(store) is SchemaState.CURRENT
    migrate.upgrade(store)
    with store.sync_engine().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []
    store.close()


async def test_apps_of_the_first_schema_keep_their_owners(engine: str, new_database: Callable[[str], str]) -> None:
    store = Engine(new_database(engine))
    migrate.upgrade(store, "0001")
    with store.sync_engine().begin() as connection:
        for statement in FIRST_APPS:
            connection.exec_driver_sql(statement)
    migrate.upgrade(store)
    assert migrate.schema_state(store) is SchemaState.CURRENT
    assert await store.read(scope.visible_apps, 1) == {5: "web_one", 6: "web_two"}
    assert await store.read(scope.visible_apps, 2, "ios_three", Role.OWNER) == {7: "ios_three"}
    shop = await store.read(apps.find, 1, "app_record_1")
    assert (shop.name, shop.type, shop.created_ms, shop.role) == ("Shop", "web", 11, Role.OWNER)
    assert shop.settings == AppSettings()
    assert (await store.read(scope.ingest_app, "ios_three")).id == 7
    made = await store.write(apps.create, NewApp("app_record_4", 2, "New", "web_four", "web", 12))
    assert made.id > 7 or engine == "postgresql"  # whose sequence has not seen the ids given here
    store.close()


FIRST_APPS = (
    """INSERT INTO users (id, public_id, email, password_hash, created_ms)
       VALUES (1, 'user_1', 'a@example.test', 'h', 1), (2, 'user_2', 'b@example.test', 'h', 2)""",
    """INSERT INTO apps (id, public_id, owner_id, name, app_key, type, created_ms)
       VALUES (5, 'app_record_1', 1, 'Shop', 'web_one', 'web', 11), (6, 'app_record_2', 1, 'Two', 'web_two', 'web', 12),
              (7, 'app_record_3', 2, 'Phone', 'ios_three', 'ios', 13)""",
)
"""Users and apps as the first schema kept them."""


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
    assert session_tables.SessionRow.__table__ in growing  # type: ignore[attr-defined]
    for table in growing:
        assert next(iter(table.primary_key.columns)).name == "app_id", table.name


FIRST_SCHEMA_DATA = (
    (
        "INSERT INTO issues (app_id, fingerprint, id, grouping_version, message, error_type, event_count, first_seen_ms,"
        " last_seen_ms, status, archived) VALUES (1, 'js:a', 7, 'sdk', 'm', 'js', 2, 3600010, 7200020, 'open', false)"
    ),
    (
        "INSERT INTO events (app_id, event_key, id, issue_id, time_ms, received_ms, kind, platform, user_key, payload) VALUES"
        " (1, 'BPdlStXpNKBP7Q3l-Bew', 1, 7, 3600010, 1, 1, 'web', 5, :payload), (1, 'AbzsetATjgmA_80BJxLI', 2, 7, 7200020, 1, 1, 'ios', 5, :payload),"
        " (1, 'Avxwg1MEcqljVqrzjMBf', 3, NULL, 7200030, 1, 0, 'ios', NULL, :payload)"
    ),
    "INSERT INTO issue_platforms (app_id, issue_id, platform, event_count) VALUES (1, 7, 'web', 1), (1, 7, 'ios', 1)",
    (
        "INSERT INTO totals (app_id, platform, shard, events, errors, failed_requests, affected_users, issues, archived_issues)"
        " VALUES (1, '', 0, 3, 2, 0, 1, 1, 0), (1, 'web', 0, 1, 1, 0, 1, 1, 0), (1, 'ios', 0, 2, 1, 0, 1, 1, 0)"
    ),
    (
        "INSERT INTO hour_totals (app_id, hour, platform, shard, events, errors, failed_requests)"
        " VALUES (1, 1, 'web', 0, 1, 1, 0), (1, 2, 'ios', 0, 2, 1, 0)"
    ),
    (
        "INSERT INTO distinct_users (app_id, scope, user_key) VALUES (1, '', 5), (1, 'p:web', 5), (1, 'p:ios', 5),"
        " (1, 'h:000000001:web', 5), (1, 'h:000000002:ios', 5)"
    ),
)


def test_data_of_the_first_schema_survives(engine: str, new_database: Callable[[str], str]) -> None:
    store = Engine(new_database(engine))
    migrate.upgrade(store, "0001")
    assert migrate.schema_state(store) is SchemaState.OLD
    with store.sync_engine().begin() as connection:
        for statement in FIRST_SCHEMA_DATA:
            connection.execute(text(statement), {"payload": payload.compress(b"")})
    migrate.upgrade(store)
    with Session(store.sync_engine()) as session:
        _check_first_schema_data(session)
    store.close()


def _check_first_schema_data(session: Session) -> None:
    apps = {1: "web_one"}
    issue = issues.find(session, apps, "js:a")
    assert issue is not None
    assert (issue.id, issue.event_count, issue.user_count, issue.status) == (7, 2, 1, "open")
    assert issue.platforms == {"web": 1, "ios": 1}
    assert (issue.merged_into, issue.merged) == (None, ())
    row = session.exec(select(tables.IssueRow)).one()
    assert (row.own_event_count, row.own_first_seen_ms, row.own_last_seen_ms) == (2, 3_600_010, 7_200_020)
    assert {(facet.event_count, facet.own_event_count) for facet in session.exec(select(tables.IssueFacetRow))} == {
        (1, 1)
    }
    assert event_totals(session, EventFilter(apps)) == Totals(3, 2, 0, 1)
    assert event_totals(session, EventFilter(apps, Dimension("ios"))) == Totals(2, 1, 0, 1)
    second_hour = TimeRange(7_200_000, 10_799_999)
    assert event_totals(session, EventFilter(apps, when=second_hour)) == Totals(2, 1, 0, 1)
    assert event_totals(session, EventFilter(apps, Dimension("web"), second_hour)) == Totals()
    assert event_totals(session, EventFilter(apps, Dimension("ios"), TimeRange(7_200_025))) == Totals(1, 0, 0, 0)
    assert [(b.events, b.affected_users) for b in issues.issue_buckets(session, issue, 1, 1, 3)] == [
        (1, 1),
        (1, 1),
        (0, 0),
    ]


async def test_measurements_of_before_there_were_kinds_are_metrics(
    engine: str, new_database: Callable[[str], str]
) -> None:
    store = Engine(new_database(engine))
    migrate.upgrade(store, "0013")
    with store.sync_engine().begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO metric_spans (app_id, span_hours, first_hour, name, shard, sketch, count, good, needs_improvement, poor)"
            " VALUES (1, 1, 490000, 'LCP', 0, '[[2100],[3]]', 3, 2, 1, 0)"
        )
    migrate.upgrade(store)
    (metric,) = await store.read(performance.read, 1, performance.METRIC, 490_000, 490_000)
    assert (metric.name, metric.count, metric.rated, metric.bins) == ("LCP", 3, [2, 1, 0], {2100: 3})
    assert await store.read(performance.read, 1, performance.REQUEST, 490_000, 490_000) == []
    store.close()


OLD_KEY = "hwyat9SaGJP--_0__aAl"
"""The key of `evt_1` as it was kept in text."""


async def test_events_of_before_there_were_packs_are_read_and_known(
    engine: str, new_database: Callable[[str], str]
) -> None:
    store = Engine(new_database(engine))
    migrate.upgrade(store, "0015")
    said = event_pb.Event(event_id="evt_1").SerializeToString()
    with store.sync_engine().begin() as connection:
        for statement in FIRST_EVENT:
            connection.execute(text(statement), {"payload": payload.compress(said)})
    migrate.upgrade(store)
    (issue,) = await store.read(issues.page, IssueFilter({1: "web_one"}), None, 9)
    (found,) = await store.read(issues.events_of, issue, TimeRange(), "ios", None, 9)
    assert (found.time_ms, found.message) == (3_600_010, said)
    assert await store.read(issues.events_of, issue, TimeRange(), "web", None, 9) == []
    batch = [build.event(event_key("evt_1")), build.event()]
    assert await store.write_bulk(events.commit, [build.submission(*batch)], IdSequence(), 0) == [[False, True]]
    with Session(store.sync_engine()) as session:
        (signal,) = session.exec(select(session_tables.SessionSignalRow)).all()
    assert (signal.key, signal.event_key) == (OLD_KEY, urlsafe_b64decode(OLD_KEY))
    store.close()


FIRST_EVENT = (
    "INSERT INTO dimensions (app_id, platform, environment, release, type, id) VALUES (1, 'web', '', '', 'js', 1), (1, 'ios', '', '', 'js', 2)",
    (
        "INSERT INTO issues (app_id, fingerprint, id, grouping_version, message, error_type, event_count, user_count, first_seen_ms,"
        " last_seen_ms, status, archived, own_event_count, own_first_seen_ms, own_last_seen_ms)"
        " VALUES (1, 'js\\:a', 7, 'sdk', 'm', 'js', 1, 1, 3600010, 3600010, 'open', false, 1, 3600010, 3600010)"
    ),
    (
        "INSERT INTO events (app_id, event_key, id, issue_id, time_ms, received_ms, kind, platform, dimension_id, user_key, payload)"
        f" VALUES (1, '{OLD_KEY}', 1, 7, 3600010, 1, 1, 'ios', 2, 5, :payload)"
    ),
    (
        "INSERT INTO session_signals (app_id, session_id, kind, key, start_ms, end_ms, label, count, event_key)"
        f" VALUES (1, 1, 'crash', '{OLD_KEY}', 1, 1, 'm', 1, '{OLD_KEY}')"
    ),
)


def test_users_of_scopes_in_text_are_counted_on(engine: str, new_database: Callable[[str], str]) -> None:
    store = Engine(new_database(engine))
    migrate.upgrade(store, "0016")
    with store.sync_engine().begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO totals (app_id, platform, shard, events, errors, failed_requests, affected_users, issues, archived_issues)"
            " VALUES (1, '', 0, 1, 1, 0, 1, 1, 0), (1, 'ios', 0, 1, 1, 0, 1, 1, 0)"
        )
        connection.exec_driver_sql(
            "INSERT INTO distinct_users (app_id, scope, user_key) VALUES (1, '', -5), (1, 'p:ios', -5),"
            " (1, 'i:400000000000000007', -5), (1, 'g:400000000000000007', -5), (1, 'i:400000000000000007:490001', -5),"
            " (1, 'd:000490001:12', -5)"
        )
    migrate.upgrade(store)
    with Session(store.sync_engine()) as session:
        rows = session.exec(select(tables.DistinctUserRow)).all()
    issue = 400_000_000_000_000_007
    assert {(row.scope, row.part, row.user_key) for row in rows} == {
        (-5, counters.OF_APP, 0),
        (-5, counters.OF_APP, counters.platform_scope("ios")),
        (issue, counters.OF_ISSUE, -5),
        (issue, counters.OF_GROUP, -5),
        (issue, 490_001, -5),
        (-490_001, 12, -5),
    }
    store.close()


async def test_events_that_went_by_a_hash_alone_are_known_again(
    engine: str, new_database: Callable[[str], str]
) -> None:
    """In packs and alone, of SDKs and others, and more than are read at a time."""
    store = Engine(new_database(engine))
    migrate.upgrade(store, "0017")
    ids = [
        "evt_zwp192wrummwrwdpmw",
        "evt_",
        "crash_0123456789abcdef",
        *(f"evt_{n:010d}mwrw{n:04d}" for n in range(1_100)),
    ]
    of_before = [_event(event_id, blake2b(event_id.encode(), digest_size=15).digest()) for event_id in ids]
    for batch in (of_before[:1], of_before[1:]):
        assert await store.write_bulk(events.commit, [build.submission(*batch)], IdSequence(), 0) == [
            [True] * len(batch)
        ]
    migrate.upgrade(store)
    again = [_event(event_id, event_key(event_id)) for event_id in [*ids, "evt_new"]]
    stored = await store.write_bulk(events.commit, [build.submission(*again)], IdSequence(), 0)
    assert stored == [[False] * len(ids) + [True]]
    store.close()


def _event(event_id: str, key: bytes) -> events.NewEvent:
    return build.event(key, message=event_pb.Event(event_id=event_id).SerializeToString())
