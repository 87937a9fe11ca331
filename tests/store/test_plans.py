"""How the engines answer reads when there are a million events: never by going through the events."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from server.store import dimensions, grouping, issues, ledger, payload, releases, retention, totals
from server.store.bulk import Bulk, Query
from server.store.dimensions import Dimension
from server.store.engine import Engine
from server.store.issues import IssueFilter
from server.store.retention import Reach
from server.store.totals import EventFilter, TimeRange

EVENTS = 1_000_000
ISSUES = 500
APPS = {1: "web_one", 2: "web_two"}
HOUR = 3_600_000
START = 1_790_000_000_000 // HOUR * HOUR

NUMBERS = {
    "sqlite": "(WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {last}) SELECT n FROM s)",
    "postgresql": "(SELECT generate_series(CAST(0 AS BIGINT), {last}) AS n)",
}

KEYS = {
    "sqlite": "CAST('k' || CAST(n AS VARCHAR) AS BLOB)",
    "postgresql": "convert_to('k' || CAST(n AS VARCHAR), 'UTF8')",
}


@pytest.fixture(scope="module")
def crowded(engine: str, migrated: Callable[[str], str]) -> Iterator[Engine]:
    """A store with a million small events of two apps over thirty days, filled by SQL alone."""
    store = Engine(migrated(engine))
    numbers = NUMBERS[engine].format(last=EVENTS - 1)
    few = NUMBERS[engine].format(last=ISSUES - 1)
    with store.sync_engine().begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO events (app_id, event_key, id, issue_id, time_ms, received_ms, kind, dimension_id, user_key, payload)"
                f" SELECT 1 + n % 2, {KEYS[engine]}, n, n % {ISSUES}, {START} + n * 2592, {START}, 1, 1, n % 10000, :payload FROM {numbers} AS s"
            ),
            {"payload": payload.compress(b"")},
        )
        connection.execute(
            sa.text(
                "INSERT INTO issues (app_id, fingerprint, id, grouping_version, message, error_type, event_count, user_count,"
                " first_seen_ms, last_seen_ms, status, archived) SELECT 1 + n % 2, 'js\\:' || CAST(n AS VARCHAR), n, 'sdk', 'm', 'js', 9, 9,"
                f" {START}, {START} + n, 'open', false FROM {few} AS s"
            )
        )
        connection.exec_driver_sql("UPDATE issues SET merged_into_id = 20 WHERE app_id = 1 AND id IN (22, 24)")
        connection.execute(
            sa.text(
                "INSERT INTO dimensions (app_id, platform, environment, release, type, id)"
                " VALUES (1, 'web', '', '1.0', 'js', 1), (2, 'web', '', '1.0', 'js', 1)"
            )
        )
        hours = NUMBERS[engine].format(last=720)
        connection.execute(
            sa.text(
                "INSERT INTO dimension_hours (app_id, hour, dimension_id, shard, events, errors, failed_requests)"
                f" SELECT 1, {START // HOUR} + n, 1, 0, 9, 9, 0 FROM {hours} AS s"
            )
        )
    if engine == "postgresql":
        with store.sync_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    yield store
    store.close()


@contextmanager
def plans_of(session: Session) -> Iterator[list[str]]:
    """Collects the plan of every statement that is run meanwhile."""
    plans: list[str] = []
    explain = "EXPLAIN QUERY PLAN " if session.get_bind().dialect.name == "sqlite" else "EXPLAIN "
    explaining = False

    def note(connection: sa.Connection, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        nonlocal explaining
        if explaining or not statement.lstrip().upper().startswith("SELECT"):
            return
        explaining = True
        rows = connection.exec_driver_sql(explain + statement, parameters).all()
        explaining = False
        plans.append(statement + "\n" + "\n".join(str(row[-1]) for row in rows))

    def noting(ask: Any) -> Any:
        def noted(self: Bulk, query: Query, rows: Any) -> Any:
            told = ask(self, replace(query, text=explain + query.text), rows)
            plans.append(query.text + "\n" + "\n".join(str(row[-1]) for row in told))
            return ask(self, query, rows)

        return noted

    with ExitStack() as stack:
        for kind in Bulk.__subclasses__():
            stack.enter_context(mock.patch.object(kind, "ask", noting(kind.ask)))
        sa.event.listen(session.get_bind(), "before_cursor_execute", note)
        stack.callback(sa.event.remove, session.get_bind(), "before_cursor_execute", note)
        yield plans


MIDDLE = TimeRange(START + 5 * HOUR + 1, START + 25 * HOUR + 7)
NARROW = Dimension("web", release="1.0")


def _detail(session: Session, fingerprint: str = "js:8") -> None:
    issue = issues.find(session, APPS, fingerprint)
    assert issue is not None
    assert len(issue.parts) == (3 if fingerprint == "js:20" else 1)
    assert len(issues.events_of(session, issue, TimeRange(), "", None, 50)) == 50
    assert len(issues.events_of(session, issue, MIDDLE, "web", (START + 9 * HOUR, 5), 50)) > 0
    issues.issue_buckets(session, issue, 1, START // HOUR, START // HOUR + 24)
    issues.breakdowns(session, issue)


READS: dict[str, Callable[[Session], object]] = {
    "overview": lambda s: totals.event_totals(s, EventFilter(APPS)),
    "overview of a platform": lambda s: totals.event_totals(s, EventFilter(APPS, Dimension("web"))),
    "overview of a range": lambda s: totals.event_totals(s, EventFilter(APPS, when=MIDDLE)),
    "overview of a release": lambda s: totals.event_totals(s, EventFilter(APPS, NARROW)),
    "overview of a range and release": lambda s: totals.event_totals(s, EventFilter(APPS, NARROW, MIDDLE)),
    "trend of all": lambda s: totals.buckets(s, EventFilter(APPS), 1, START // HOUR, START // HOUR + 48),
    "trend": lambda s: totals.buckets(
        s, EventFilter(APPS, NARROW), 24, START // (24 * HOUR), START // (24 * HOUR) + 30
    ),
    "number of issues": lambda s: issues.count(s, IssueFilter(APPS, NARROW, seen=MIDDLE, text="m")),
    "number of issues active in a range": lambda s: issues.count(s, IssueFilter(APPS, NARROW), MIDDLE),
    "ledger": lambda s: ledger.read(s, APPS, 0, 100),
    **{
        f"issues by {order}": lambda s, order=order: issues.page(s, IssueFilter(APPS, NARROW), (START, 5), 100, order)
        for order in issues.ORDERS
    },
    "trends of a page": lambda s: issues.trends(
        s, issues.page(s, IssueFilter(APPS), None, 25), 24, START // (24 * HOUR), START // (24 * HOUR) + 14
    ),
    "releases of a range": lambda s: releases.read(s, APPS, START // HOUR, START // HOUR + 24 * 30),
    "values to filter by": lambda s: dimensions.values(s, APPS, "release"),
    "issue, its events, trend and breakdowns": _detail,
    "oldest events": lambda s: retention.examine(s, Reach(START + 1, START, 30, 30), EVENTS // 2),
    "age of the oldest events": lambda s: retention.youngest(s, EVENTS // 2),
    "issue with others merged into it": lambda s: _detail(s, "js:20"),
    "latest events of issues": lambda s: grouping.latest_messages(s, 1, range(0, 40, 2), 10),
    "issues of a dry run": lambda s: grouping.newest_issues(s, 1, ["v1"], 300, 20),
}


SCANS = re.compile(r"Seq Scan on events|SCAN (events|issues|issue_facets|issue_hours|distinct_users|ev|f|u)\b")
"""Going through a table that grows, by its name or by what statements over many rows call it."""


def test_no_read_goes_through_the_events(crowded: Engine, subtests: pytest.Subtests) -> None:
    """One test for all: workers that shared them would make a million events each."""
    for name, read in READS.items():
        with subtests.test(read=name):
            with Session(crowded.sync_engine()) as session, plans_of(session) as plans:
                read(session)
            assert plans
            for plan in plans:
                assert not SCANS.search(plan), plan
    with subtests.test("a scan would be seen"):
        with Session(crowded.sync_engine()) as session, plans_of(session) as plans:
            session.connection().execute(sa.text("SELECT COUNT(*) FROM events WHERE received_ms = 1 AND payload = ''"))
        assert any("SCAN events" in plan or "Seq Scan on events" in plan or "Parallel" in plan for plan in plans)
