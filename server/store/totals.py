"""Reading totals and trends from counters. Exact to the millisecond; cost does not grow with the number of events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlmodel import Session, col

from server.store import dimensions
from server.store.arrivals import ERROR, FAILED_REQUEST, OTHER
from server.store.counters import HOUR_MS, hour_scope
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
    hours, edges = _split(which.when)
    found = Totals()
    if hours is not None:
        _add_hours(session, chosen, hours, found)
    if edges:
        _add_edges(session, chosen, edges, found)
    found.affected_users = _count_users(session, chosen, hours, edges)
    return found


def totals_by_app(session: Session, app_ids: Iterable[int]) -> dict[int, Totals]:
    """All-time totals of each app, with the issues that are not archived."""
    found = {app_id: Totals() for app_id in app_ids}
    summed = (TotalsRow.events, TotalsRow.errors, TotalsRow.failed_requests, TotalsRow.affected_users, TotalsRow.issues)
    rows = session.connection().execute(
        sa.select(col(TotalsRow.app_id), *(sa.func.sum(column) for column in summed))
        .where(*_totals_of(found, ""))
        .group_by(col(TotalsRow.app_id))
    )
    return found | {row[0]: Totals(*(int(value) for value in row[1:])) for row in rows}


def open_and_archived_issues(session: Session, app_ids: Mapping[int, str], platform: str) -> tuple[int, int]:
    """How many issues of the apps are not archived, and how many are; on one platform or (empty) on any."""
    summed = [sa.func.coalesce(sa.func.sum(column), 0) for column in (TotalsRow.issues, TotalsRow.archived_issues)]
    row = session.connection().execute(sa.select(*summed).where(*_totals_of(app_ids, platform))).one()
    return int(row[0]), int(row[1])


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
    for bucket_number, users in _distinct_by_bucket(session, _users_in(chosen.users(hours), 3, hours_each)):
        found[bucket_number].affected_users += users
    return list(found.values())


def users_by_bucket(
    session: Session, app_id: int, scope_prefixes: Iterable[str], hours_each: int, first: int, last: int
) -> Iterable[tuple[int, int]]:
    """(bucket number, distinct users) of all scopes that are one of the prefixes and an hour of six digits."""
    scope = col(DistinctUserRow.scope)
    low, high = first * hours_each, (last + 1) * hours_each - 1
    return _distinct_by_bucket(
        session,
        *(
            _users_in(
                [
                    col(DistinctUserRow.app_id) == app_id,
                    scope >= f"{prefix}{low}",
                    scope <= f"{prefix}{high}",
                ],
                len(prefix) + 1,
                hours_each,
            )
            for prefix in scope_prefixes
        ),
    )


def _users_in(conditions: list[ColumnElement[bool]], hour_at: int, hours_each: int) -> sa.Select[Any, Any, Any]:
    """(bucket number, app, user) of scopes with the hour at that place, counted from 1."""
    hour = sa.cast(sa.func.substr(col(DistinctUserRow.scope), hour_at, 9), sa.Integer)
    number = (hour // hours_each).label("number")
    return sa.select(number, col(DistinctUserRow.app_id), col(DistinctUserRow.user_key)).where(*conditions)


def _distinct_by_bucket(session: Session, *parts: sa.Select[Any, Any, Any]) -> Iterable[tuple[int, int]]:
    union = sa.union_all(*parts).subquery()
    each = sa.select(union).distinct().subquery()
    rows = session.connection().execute(sa.select(each.c.number, sa.func.count()).group_by(each.c.number))
    return [(int(bucket_number), users) for bucket_number, users in rows]


def _totals_of(app_ids: Iterable[int], platform: str) -> list[ColumnElement[bool]]:
    return [col(TotalsRow.app_id).in_(app_ids), col(TotalsRow.platform) == (platform or EVERY_PLATFORM)]


def _all_time(session: Session, which: EventFilter) -> Totals:
    columns = (TotalsRow.events, TotalsRow.errors, TotalsRow.failed_requests, TotalsRow.affected_users)
    query = sa.select(*(sa.func.coalesce(sa.func.sum(column), 0) for column in columns))
    row = session.connection().execute(query.where(*_totals_of(which.app_ids, which.only.platform))).one()
    return Totals(*(int(value) for value in row))


_HOUR_COUNTS = (DimensionHourRow.events, DimensionHourRow.errors, DimensionHourRow.failed_requests)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The apps of a filter, and the (app id, number) of the dimensions it picks; None picks all."""

    app_ids: Mapping[int, str]
    pairs: list[tuple[int, int]] | None

    @classmethod
    def of(cls, session: Session, which: EventFilter) -> "_Chosen":
        return cls(which.app_ids, dimensions.matching(session, list(which.app_ids), which.only))

    def picks(self, app: Column, number: Column, *, as_text: bool = False) -> list[ColumnElement[bool]]:
        """The conditions on two columns that hold an app and the number of one of its dimensions."""
        conditions = [app.in_(self.app_ids)]
        if self.pairs is not None:
            pairs = [(app_id, str(n) if as_text else n) for app_id, n in self.pairs]
            conditions.append(sa.tuple_(app, number).in_(pairs))
        return conditions

    def hours(self, hours: tuple[int, int]) -> list[ColumnElement[bool]]:
        picked = self.picks(col(DimensionHourRow.app_id), col(DimensionHourRow.dimension_id))
        return [*picked, col(DimensionHourRow.hour).between(*hours)]

    def users(self, hours: tuple[int, int]) -> list[ColumnElement[bool]]:
        scope = col(DistinctUserRow.scope)
        number = sa.func.substr(scope, len(hour_scope(0)) + 1)
        return [
            *self.picks(col(DistinctUserRow.app_id), number, as_text=True),
            scope >= hour_scope(hours[0]),
            scope < hour_scope(hours[1] + 1) if hours[1] < MAX_HOUR else scope < "d;",
        ]

    def edge(self, edge: tuple[int, int]) -> list[ColumnElement[bool]]:
        """One end of a range at a time: PostgreSQL goes through the whole table for two ends joined by OR."""
        picked = self.picks(col(EventRow.app_id), col(EventRow.dimension_id))
        return [*picked, col(EventRow.time_ms).between(*edge)]


def _split(when: TimeRange) -> tuple[tuple[int, int] | None, list[tuple[int, int]]]:
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


def _count_users(session: Session, chosen: _Chosen, hours: tuple[int, int] | None, edges: list[tuple[int, int]]) -> int:
    parts: list[sa.Select[Any, Any]] = []
    if hours is not None:
        parts.append(sa.select(col(DistinctUserRow.app_id), col(DistinctUserRow.user_key)).where(*chosen.users(hours)))
    met_a_fault = [col(EventRow.kind) != OTHER, col(EventRow.user_key).is_not(None)]
    parts += (
        sa.select(col(EventRow.app_id), col(EventRow.user_key)).where(*chosen.edge(edge), *met_a_fault)
        for edge in edges
    )
    if not parts:
        return 0
    union = sa.union_all(*parts).subquery()
    distinct = sa.select(union.c.app_id, union.c.user_key).distinct().subquery()
    return session.connection().execute(sa.select(sa.func.count()).select_from(distinct)).scalar_one()
