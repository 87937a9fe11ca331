"""Reading totals and trends from counters. Exact to the millisecond; cost does not grow with the number of events."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlmodel import Session, col

from server.store import dimensions
from server.store.arrivals import ERROR, FAILED_REQUEST, OTHER
from server.store.bulk import Query, bulk_of
from server.store.counters import HOUR_MS
from server.store.dimensions import Dimension
from server.store.tables import EVERY_PLATFORM, DimensionHourRow, DistinctUserRow, EventRow, TotalsRow

MAX_HOUR = 10**9 - 1
ANY = Dimension("")
Column = Any
"""A column, mapped or computed: SQLAlchemy has no common type for the two."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Inclusive bounds in epoch milliseconds; None is open."""

    start_ms: int | None = None
    end_ms: int | None = None

    @property
    def is_open(self) -> bool:
        return self.start_ms is None and self.end_ms is None


EVER = TimeRange()


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events: of these apps, with the values of `only` that are not empty, in this range of event time."""

    app_ids: Mapping[int, str]
    only: Dimension = ANY
    when: TimeRange = EVER


@dataclass(slots=True)
class Totals:
    events: int = 0
    errors: int = 0
    failed_requests: int = 0
    affected_users: int = 0
    issues: int = 0


@dataclass(slots=True)
class Bucket:
    """Totals of the span of time that begins at `start_ms`."""

    start_ms: int
    events: int = 0
    errors: int = 0
    failed_requests: int = 0
    affected_users: int = 0


def event_totals(session: Session, which: EventFilter) -> Totals:
    """Totals of events; `issues` stays 0."""
    if not which.app_ids:
        return Totals()
    if which.when.is_open and which.only == Dimension(which.only.platform):
        return _all_time(session, which)
    chosen = _Chosen.of(session, which)
    hours, edges = hours_and_edges(which.when)
    found = Totals()
    if hours is not None:
        _add_hours(session, chosen, hours, found)
    if edges:
        _add_edges(session, chosen, edges, found)
    found.affected_users = _count_users(session, which, {0: (hours, edges)})[0]
    return found


_OF_APPS = (
    col(TotalsRow.app_id).in_(sa.bindparam("app_ids", expanding=True)),
    col(TotalsRow.platform) == sa.bindparam("platform"),
)
_SUMS = [
    sa.func.coalesce(sa.func.sum(column), 0)
    for column in (
        TotalsRow.events,
        TotalsRow.errors,
        TotalsRow.failed_requests,
        TotalsRow.affected_users,
        TotalsRow.issues,
        TotalsRow.archived_issues,
    )
]
# Asked with every overview: put together once, which takes ten times as long as running them.
_TOGETHER = sa.select(*_SUMS).where(*_OF_APPS)
_APP_BY_APP = sa.select(col(TotalsRow.app_id), *_SUMS).where(*_OF_APPS).group_by(col(TotalsRow.app_id))


def totals_by_app(session: Session, app_ids: Collection[int]) -> dict[int, Totals]:
    """All-time totals of each app, with the issues that are not archived."""
    found = {app_id: Totals() for app_id in app_ids}
    rows = session.connection().execute(_APP_BY_APP, _apps(app_ids, ""))
    return found | {row[0]: Totals(*(int(value) for value in row[1:6])) for row in rows}


def open_and_archived_issues(session: Session, app_ids: Collection[int], platform: str) -> tuple[int, int]:
    """How many issues of the apps are not archived, and how many are; on one platform or (empty) on any."""
    row = session.connection().execute(_TOGETHER, _apps(app_ids, platform)).one()
    return int(row[4]), int(row[5])


def _apps(app_ids: Collection[int], platform: str) -> dict[str, object]:
    return {"app_ids": list(app_ids), "platform": platform or EVERY_PLATFORM}


def buckets(session: Session, which: EventFilter, hours_each: int, first: int, last: int) -> list[Bucket]:
    """Totals by bucket of `hours_each` hours, from bucket number `first` to `last` since the epoch, empty ones included."""
    found = {number: Bucket(number * hours_each * HOUR_MS) for number in range(first, last + 1)}
    chosen = _Chosen.of(session, which) if which.app_ids else None
    if chosen is None:
        return list(found.values())
    hours = (first * hours_each, (last + 1) * hours_each - 1)
    number = col(DimensionHourRow.hour) // hours_each
    rows = session.connection().execute(
        sa.select(number, *(sa.func.sum(column) for column in _HOUR_COUNTS))
        .where(*chosen.hours(hours))
        .group_by(number)
    )
    for row in rows:
        bucket = found[int(row[0])]
        bucket.events, bucket.errors, bucket.failed_requests = int(row[1]), int(row[2]), int(row[3])
    spans: dict[int, _Span] = {
        bucket_number: ((bucket_number * hours_each, (bucket_number + 1) * hours_each - 1), [])
        for bucket_number, bucket in found.items()
        if bucket.errors or bucket.failed_requests
    }
    for bucket_number, users in _count_users(session, which, spans).items():
        found[bucket_number].affected_users = users
    return list(found.values())


def users_by_bucket(
    session: Session, app_id: int, issue_ids: Collection[int], hours_each: int, first: int, last: int
) -> Iterable[tuple[int, int]]:
    """(bucket number, distinct users) of these issues together."""
    number = (col(DistinctUserRow.part) // hours_each).label("number")
    users = (
        sa.select(number, col(DistinctUserRow.user_key))
        .where(col(DistinctUserRow.app_id) == app_id, col(DistinctUserRow.scope).in_(issue_ids))
        .where(col(DistinctUserRow.part).between(first * hours_each, (last + 1) * hours_each - 1))
        .distinct()
        .subquery()
    )
    rows = session.connection().execute(sa.select(users.c.number, sa.func.count()).group_by(users.c.number))
    return [(int(bucket_number), count) for bucket_number, count in rows]


def _all_time(session: Session, which: EventFilter) -> Totals:
    row = session.connection().execute(_TOGETHER, _apps(which.app_ids, which.only.platform)).one()
    return Totals(*(int(value) for value in row[:4]))


_HOUR_COUNTS = (DimensionHourRow.events, DimensionHourRow.errors, DimensionHourRow.failed_requests)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The apps of a filter, and the (app id, number) of the dimensions it picks; None picks all."""

    app_ids: Mapping[int, str]
    pairs: list[tuple[int, int]] | None

    @classmethod
    def of(cls, session: Session, which: EventFilter) -> "_Chosen":
        return cls(which.app_ids, dimensions.matching(session, list(which.app_ids), which.only))

    def picks(self, app: Column, number: Column) -> list[ColumnElement[bool]]:
        """The conditions on two columns that hold an app and the number of one of its dimensions."""
        conditions = [app.in_(self.app_ids)]
        if self.pairs is not None:
            conditions.append(sa.tuple_(app, number).in_(self.pairs))
        return conditions

    def hours(self, hours: tuple[int, int]) -> list[ColumnElement[bool]]:
        picked = self.picks(col(DimensionHourRow.app_id), col(DimensionHourRow.dimension_id))
        return [*picked, col(DimensionHourRow.hour).between(*hours)]

    def edge(self, edge: tuple[int, int]) -> list[ColumnElement[bool]]:
        """One end of a range at a time: PostgreSQL goes through the whole table for two ends joined by OR."""
        picked = self.picks(col(EventRow.app_id), col(EventRow.dimension_id))
        return [*picked, col(EventRow.time_ms).between(*edge)]


def hours_and_edges(when: TimeRange) -> tuple[tuple[int, int] | None, list[tuple[int, int]]]:
    """The whole hours of a range (first, last), and the partial hours at its ends as millisecond ranges."""
    start = 0 if when.start_ms is None else max(0, when.start_ms)
    end = (MAX_HOUR + 1) * HOUR_MS - 1 if when.end_ms is None else min(when.end_ms, (MAX_HOUR + 1) * HOUR_MS - 1)
    first = -(-start // HOUR_MS)
    last = (end + 1) // HOUR_MS - 1
    if first > last:
        return None, [(start, end)] if start <= end else []
    edges = [(start, first * HOUR_MS - 1), ((last + 1) * HOUR_MS, end)]
    return (first, last), [(low, high) for low, high in edges if low <= high]


def _add_hours(session: Session, chosen: _Chosen, hours: tuple[int, int], found: Totals) -> None:
    query = sa.select(*(sa.func.coalesce(sa.func.sum(column), 0) for column in _HOUR_COUNTS))
    row = session.connection().execute(query.where(*chosen.hours(hours))).one()
    found.events += int(row[0])
    found.errors += int(row[1])
    found.failed_requests += int(row[2])


def _add_edges(session: Session, chosen: _Chosen, edges: list[tuple[int, int]], found: Totals) -> None:
    """Less than an hour at each end, from an index that holds all it needs."""
    kind = col(EventRow.kind)
    for edge in edges:
        query = sa.select(kind, sa.func.count()).where(*chosen.edge(edge)).group_by(kind)
        for of_kind, events in session.connection().execute(query):
            found.events += events
            found.errors += events * (of_kind == ERROR)
            found.failed_requests += events * (of_kind == FAILED_REQUEST)


_Span = tuple[tuple[int, int] | None, list[tuple[int, int]]]
"""Whole hours (first, last), and what lies beside them (first, last) in milliseconds."""

_NO_HOURS: Final = (0, -1)
_NO_EDGE: Final = (0, -1)


def _users_query(of_hours: str, of_events: str) -> Query:
    """Users by span, with conditions on the dimension of an hour's users and of events.

    The users of an hour are found through its dimensions: going through all scopes between two took twice the time.
    """
    edges = "".join(
        f" UNION SELECT ev.user_key FROM events AS ev WHERE ev.app_id = r.app_id AND ev.time_ms BETWEEN r.low_{i} AND r.high_{i}"  # noqa: S608
        f" AND ev.kind <> {OTHER} AND ev.user_key IS NOT NULL{of_events}"
        for i in (1, 2)
    )
    return Query(
        (
            ("place", "int"),
            ("app_id", "int"),
            *((name, "int") for name in ("first_hour", "last_hour", "low_1", "high_1", "low_2", "high_2")),
            *((name, "text") for name in Dimension._fields),
        ),
        "SELECT r.place, (SELECT COUNT(*) FROM ("  # noqa: S608 -- nothing from outside
        "SELECT u.user_key FROM (SELECT DISTINCT h.hour, h.dimension_id FROM dimension_hours AS h "
        "WHERE h.app_id = r.app_id AND h.hour BETWEEN r.first_hour AND r.last_hour "
        f"AND h.errors + h.failed_requests > 0{of_hours}) AS h CROSS JOIN distinct_users AS u "
        "WHERE u.app_id = r.app_id AND u.scope = -h.hour AND u.part = h.dimension_id"
        f"{edges}) AS them) FROM {{rows}}",
    )


def _is_picked(table: str) -> str:
    picks = "".join(f" AND (r.{name} = '' OR d.{name} = r.{name})" for name in Dimension._fields)
    return f" AND EXISTS (SELECT 1 FROM dimensions AS d WHERE d.app_id = {table}.app_id AND d.id = {table}.dimension_id{picks})"  # noqa: S608


_USERS = _users_query("", "")
_PICKED_USERS = _users_query(_is_picked("h"), _is_picked("ev"))


def _count_users(session: Session, which: EventFilter, spans: Mapping[int, _Span]) -> dict[int, int]:
    """Distinct users of errors and failed requests in each of the spans."""
    found = dict.fromkeys(spans, 0)
    rows = []
    for place, (hours, edges) in spans.items():
        low, high = [*edges, _NO_EDGE, _NO_EDGE][:2]
        rows += [(place, app_id, *(hours or _NO_HOURS), *low, *high, *which.only) for app_id in which.app_ids]
    query = _USERS if which.only == ANY else _PICKED_USERS
    for place, users in bulk_of(session).ask(query, rows):
        found[place] += users
    return found
