"""Retention: exactly what the rule says goes, and nothing else changes, on both engines."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlmodel import Session, SQLModel, col, delete, select

from server.store import aging, events, issues, ledger, retention, totals
from server.store.arrivals import OTHER
from server.store.bulk import bulk_of
from server.store.counters import HOUR_MS, OF_APP, OF_ISSUE
from server.store.engine import Engine
from server.store.events import NewEvent
from server.store.issues import IssueFilter
from server.store.lease import Lease, claim, release
from server.store.performance import METRIC, REQUEST
from server.store.retention import DAY_MS, EVERY_RETENTION, Reach
from server.store.sequence import Sequence
from server.store.tables import (
    AppRow,
    DimensionHourRow,
    DistinctUserRow,
    EventRow,
    IssueHourRow,
    LedgerRow,
    MetricSpanRow,
)
from server.store.totals import EventFilter, TimeRange
from tests.store.build import NOW, event, submission

APPS = {1: "web_one", 2: "web_two"}
DAYS = {1: 30, 2: 7}
DEFAULT_DAYS = 30


def add_apps(session: Session) -> None:
    session.add(_app(1, None))
    session.add(_app(2, DAYS[2]))


def _app(app_id: int, days: int | None) -> AppRow:
    return AppRow(
        id=app_id,
        public_id=f"app_{app_id}",
        name="Shop",
        app_key=APPS[app_id],
        type="web",
        created_ms=NOW,
        retention_days=days,
    )


IDS = Sequence()
"""One for all: the ids of two would follow each other only from one millisecond to the next."""


def commit(session: Session, *stored: NewEvent) -> None:
    events.commit(bulk_of(session), [submission(*stored)], IDS, 0)


def sweep_all(session: Session, now_ms: int, batch: int = 500) -> None:
    """A lap for each retention, in batches."""
    for days in retention.retentions(session, DEFAULT_DAYS):
        reach, position, more = Reach.of_age(days * DAY_MS, now_ms, days, DEFAULT_DAYS), 0, True
        while more:
            swept = retention.sweep(session, reach, position, batch)
            position, more = swept.position, swept.more


def stored_keys(session: Session) -> set[tuple[int, str]]:
    return set(session.exec(select(EventRow.app_id, EventRow.event_key)))


@dataclass
class Model:
    """The rule, written once more and plainly."""

    live: list[NewEvent] = field(default_factory=list)
    seen: defaultdict[tuple[int, str], list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, new: list[NewEvent]) -> None:
        self.live += new
        for one in new:
            if one.issue is not None:
                self.seen[one.app_id, one.issue.fingerprint].append(one.time_ms)

    def sweep(self, now_ms: int, age_ms: Callable[[int], int]) -> None:
        self.live = [
            one
            for one in self.live
            if one.received_ms >= now_ms - age_ms(one.app_id) or self._keeps(one, now_ms - 4 * age_ms(one.app_id))
        ]

    def _keeps(self, one: NewEvent, seen_ms: int) -> bool:
        if one.issue is None:
            return False
        times = self.seen[one.app_id, one.issue.fingerprint]
        if max(times) < seen_ms:
            return False
        # Python's sort is stable, and the list is in order of arrival.
        listed = sorted(
            (e for e in self.live if (e.app_id, e.issue) == (one.app_id, one.issue)), key=lambda e: e.time_ms
        )
        return len(times) <= 10 or one in listed[:3] or one in listed[-3:]


@pytest.fixture(scope="module")
def module_store(engine: str, migrated: Callable[[str], str]) -> Iterator[Engine]:
    with closing(Engine(migrated(engine))) as opened:
        yield opened


def emptied(store: Engine) -> Session:
    session = Session(store.sync_engine())
    for table in reversed(SQLModel.metadata.sorted_tables):
        session.execute(delete(table))
    add_apps(session)
    session.flush()
    return session


arrivals = st.lists(
    st.tuples(
        st.sampled_from([1, 2]),
        st.sampled_from([None, "js:a", "js:a", "js:b"]),
        st.integers(-20, 1),  # days by which the client's clock is off
    ),
    max_size=14,
)
steps = st.lists(
    st.tuples(arrivals, st.sampled_from([0, 1, 5, 12, 40, 130]), st.integers(1, 9)), min_size=1, max_size=6
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_exactly_what_the_rule_says_survives(module_store: Engine, random_steps: list) -> None:
    model, now = Model(), NOW
    with emptied(module_store) as session:
        for arrived, days, batch in random_steps:
            new = [event(app=app, issue=issue, at=now + off * DAY_MS, received=now) for app, issue, off in arrived]
            commit(session, *new)
            model.add(new)
            now += days * DAY_MS
            sweep_all(session, now, batch)
            model.sweep(now, lambda app: DAYS[app] * DAY_MS)
            assert stored_keys(session) == {(one.app_id, one.event_key) for one in model.live}
        session.rollback()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals, arrivals, st.integers(1, 9))
def test_a_shorter_age_for_all_apps_takes_from_all_of_them(
    module_store: Engine, first: list, second: list, batch: int
) -> None:
    model = Model()
    with emptied(module_store) as session:
        for when, arrived in ((NOW, first), (NOW + 3 * DAY_MS, second)):
            new = [event(app=app, issue=issue, at=when + off * DAY_MS, received=when) for app, issue, off in arrived]
            commit(session, *new)
            model.add(new)
        now = NOW + 4 * DAY_MS
        reach, position, more = Reach.of_age(2 * DAY_MS, now, EVERY_RETENTION, DEFAULT_DAYS), 0, True
        while more:
            swept = retention.sweep(session, reach, position, batch)
            position, more = swept.position, swept.more
        model.sweep(now, lambda _app: 2 * DAY_MS)
        assert stored_keys(session) == {(one.app_id, one.event_key) for one in model.live}
        session.rollback()


async def test_counters_go_on_counting_what_was_seen(store: Engine) -> None:
    await store.write(add_apps)
    old = [event(issue=f"js:{n % 2}", user=n, at=NOW - n, received=NOW) for n in range(60)]
    await store.write(commit, *old, event(issue=None, kind=OTHER, user=None))

    def book(session: Session) -> list[object]:
        hour = NOW // HOUR_MS * HOUR_MS
        ranged = EventFilter(APPS, when=TimeRange(hour, hour + HOUR_MS - 1))
        counted = [totals.event_totals(session, which) for which in (EventFilter(APPS), ranged)]
        return [counted, issues.count(session, IssueFilter(APPS)), issues.page(session, IssueFilter(APPS), None, 10)]

    before = await store.read(book)
    await store.write(sweep_all, NOW + 31 * DAY_MS)
    assert len(await store.read(stored_keys)) == 2 * 6
    assert await store.read(book) == before


async def test_an_event_that_comes_again_after_it_went_is_a_new_one(store: Engine) -> None:
    await store.write(add_apps)
    await store.write(commit, event("again", issue=None))
    await store.write(sweep_all, NOW + 31 * DAY_MS)
    await store.write(commit, event("again", issue=None))
    assert (await store.read(totals.event_totals, EventFilter(APPS))).events == 2


async def test_a_transaction_that_dies_in_the_middle_removes_nothing(store: Engine) -> None:
    await store.write(add_apps)
    await store.write(commit, *(event(issue=None) for _ in range(20)))

    def die(session: Session) -> None:
        sweep_all(session, NOW + 31 * DAY_MS, 5)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await store.write(die)
    assert len(await store.read(stored_keys)) == 20
    await store.write(sweep_all, NOW + 31 * DAY_MS, 5)
    assert await store.read(stored_keys) == set()


async def test_books_and_hours_end_in_whole_minutes_and_hours(store: Engine) -> None:
    await store.write(add_apps)
    hours = [NOW - days * DAY_MS for days in (401, 399, 121, 119, 1)]
    await store.write(commit, *(event(at=at, user=7) for at in hours))
    minutes = [(NOW - days * DAY_MS) // 60_000 for days in (91, 89)]
    for minute in minutes:
        taken = events.Submission(1, minute, [event(at=NOW, user=7)], submission(rejected=1).others)
        await store.write_bulk(events.commit, [taken], IDS, 0)
    keep = aging.ends(NOW, 30 * DAY_MS)
    spans = [(1, keep.hour - 1), (24, keep.hour - 24), (1, keep.hour), (24, keep.hour - 23)]
    await store.write(lambda session: session.add_all([_metric_span(*span) for span in spans]))
    while await store.write(aging.drop_of_app, 1, keep, 1):
        pass
    position: int | None = 0
    while position is not None:
        position = await store.write(aging.drop_of_issues, 1, position, keep, 1)

    def left(session: Session) -> tuple[list[int], list[int], list[tuple[int, int]], set[int]]:
        hours = session.exec(select(DimensionHourRow.hour).order_by(col(DimensionHourRow.hour))).all()
        issue_hours = session.exec(select(IssueHourRow.hour).order_by(col(IssueHourRow.hour))).all()
        scopes = session.exec(select(DistinctUserRow.scope, DistinctUserRow.part)).all()
        return list(hours), list(issue_hours), sorted(scopes), set(session.exec(select(LedgerRow.minute)))

    kept_spans = await store.read(
        lambda session: session.exec(select(MetricSpanRow.span_hours, MetricSpanRow.first_hour)).all()
    )
    assert set(kept_spans) == set(spans[2:])
    kept_hours, kept_issue_hours, scopes, kept_minutes = await store.read(left)
    assert kept_hours == kept_issue_hours == [*(at // HOUR_MS for at in hours[1:]), NOW // HOUR_MS]
    users = [*(at // HOUR_MS for at in hours[3:]), NOW // HOUR_MS]
    assert sorted(-scope for scope, part in scopes if scope < 0 and part > 0) == users
    assert [part for scope, part in scopes if scope > 0 and part > 0] == users
    assert sorted(part for _, part in scopes if part <= 0) == [OF_APP, OF_APP, OF_ISSUE]
    assert kept_minutes == {minutes[1], NOW // 60_000}
    assert await store.read(ledger.unbalanced, 10) == []
    assert (await store.read(totals.event_totals, EventFilter(APPS))).affected_users == 1


def _metric_span(hours: int, first_hour: int) -> MetricSpanRow:
    return MetricSpanRow(
        app_id=1,
        kind=REQUEST if hours == 1 else METRIC,
        span_hours=hours,
        first_hour=first_hour,
        name="LCP",
        shard=0,
        sketch="",
        count=1,
        good=1,
        needs_improvement=0,
        poor=0,
    )


async def test_books_that_do_not_balance_are_found(store: Engine) -> None:
    await store.write(commit, event(), event())
    await store.write(_cook_the_books)
    assert await store.read(ledger.unbalanced, 10) == [(1, NOW // 60_000)]


def _cook_the_books(session: Session) -> None:
    row = session.exec(select(LedgerRow).where(LedgerRow.outcome == "stored")).one()
    row.events -= 1
    session.add(row)


async def test_a_lease_has_one_holder_at_a_time(store: Engine) -> None:
    one, other = Lease("work", "one"), Lease("work", "other")
    assert await store.write(claim, one, 0, 100)
    assert not await store.write(claim, other, 99, 200)
    assert await store.write(claim, one, 99, 200)
    assert await store.write(claim, other, 200, 300)
    await store.write(release, one)
    assert not await store.write(claim, one, 201, 400)
    await store.write(release, other)
    assert await store.write(claim, one, 201, 400)
