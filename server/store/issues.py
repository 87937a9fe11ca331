"""Reading totals, issues and their events."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, exists, literal, or_, select as sa_select, tuple_, union_all
from sqlmodel import Session, col, func, select

from server.store.counters import HOUR_MS, hour_scope
from server.store.events import ERROR, FAILED_REQUEST, OTHER
from server.store.tables import (
    EVERY_PLATFORM,
    DistinctUserRow,
    EventRow,
    HourTotalsRow,
    IssuePlatformRow,
    IssueRow,
    TotalsRow,
    UserRow,
)

MAX_BRANCHES = 100
"""Apps whose lists are merged branch by branch, each from its index; a caller with more pays for a sort."""

MAX_HOUR = 10**9 - 1


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Inclusive bounds in epoch milliseconds; None is open."""

    start_ms: int | None = None
    end_ms: int | None = None

    @property
    def is_open(self) -> bool:
        return self.start_ms is None and self.end_ms is None


@dataclass(frozen=True, slots=True)
class IssueFilter:
    """Which issues: of these apps, seen on this platform ("" is any), archived or not (both if empty), last seen in."""

    app_ids: Mapping[int, str]
    platform: str = ""
    archived: tuple[bool, ...] = (False,)
    seen: TimeRange = TimeRange()


@dataclass(slots=True)
class Totals:
    events: int = 0
    errors: int = 0
    failed_requests: int = 0
    affected_users: int = 0
    issues: int = 0


@dataclass(slots=True)
class Issue:
    """One issue; `app_key` completes its public id. `assignee` is a user's public id, `status_changed_by` an email."""

    id: int
    app_id: int
    app_key: str
    fingerprint: str
    message: str
    error_type: str
    event_count: int
    first_seen_ms: int
    last_seen_ms: int
    first_seen_release: str | None
    last_seen_release: str | None
    fixed_in_release: str | None
    verified_in_release: str | None
    status: str
    archived: bool
    archived_ms: int | None
    regressed_ms: int | None
    regressed_in_release: str | None
    status_changed_ms: int | None
    status_changed_by: str | None
    assignee: str | None
    muted_until_ms: int | None
    platforms: dict[str, int] = field(default_factory=dict)


def totals(session: Session, which: IssueFilter) -> Totals:
    """Totals of events in the range and of issues last seen in it. Exact; cost does not grow with stored events."""
    if not which.app_ids:
        return Totals()
    return _all_time(session, which) if which.seen.is_open else _ranged(session, which)


def _all_time(session: Session, which: IssueFilter) -> Totals:
    row = (
        session.connection()
        .execute(
            sa_select(*(func.coalesce(func.sum(getattr(TotalsRow, name)), 0) for name in _SUMMED)).where(
                col(TotalsRow.app_id).in_(which.app_ids), col(TotalsRow.platform) == (which.platform or EVERY_PLATFORM)
            )
        )
        .one()
    )
    events, errors, failed, users, open_issues, archived_issues = (int(value) for value in row)
    issues = open_issues * (False in which.archived) + archived_issues * (True in which.archived)
    return Totals(events, errors, failed, users, issues)


_SUMMED = ("events", "errors", "failed_requests", "affected_users", "issues", "archived_issues")


def _ranged(session: Session, which: IssueFilter) -> Totals:
    hours, edges = _split(which.seen)
    found = Totals()
    if hours is not None:
        _add_hours(session, which, hours, found)
    if edges:
        _add_edges(session, which, edges, found)
    found.affected_users = _count_users(session, which, hours, edges)
    found.issues = session.exec(
        select(func.count()).select_from(IssueRow).where(*(_branch(which, archived=None)))
    ).one()
    return found


def _split(seen: TimeRange) -> tuple[tuple[int, int] | None, list[tuple[int, int]]]:
    """The whole hours of a range (first, last), and the partial hours at its ends as millisecond ranges."""
    start = 0 if seen.start_ms is None else max(0, seen.start_ms)
    end = (MAX_HOUR + 1) * HOUR_MS - 1 if seen.end_ms is None else min(seen.end_ms, (MAX_HOUR + 1) * HOUR_MS - 1)
    first = -(-start // HOUR_MS)
    last = (end + 1) // HOUR_MS - 1
    if first > last:
        return None, [(start, end)] if start <= end else []
    edges = [(start, first * HOUR_MS - 1), ((last + 1) * HOUR_MS, end)]
    return (first, last), [(low, high) for low, high in edges if low <= high]


def _add_hours(session: Session, which: IssueFilter, hours: tuple[int, int], found: Totals) -> None:
    query = select(
        func.coalesce(func.sum(HourTotalsRow.events), 0),
        func.coalesce(func.sum(HourTotalsRow.errors), 0),
        func.coalesce(func.sum(HourTotalsRow.failed_requests), 0),
    ).where(col(HourTotalsRow.app_id).in_(which.app_ids), col(HourTotalsRow.hour).between(*hours))
    if which.platform:
        query = query.where(HourTotalsRow.platform == which.platform)
    events, errors, failed = session.exec(query).one()
    found.events += int(events)
    found.errors += int(errors)
    found.failed_requests += int(failed)


def _in_edges(which: IssueFilter, edges: Iterable[tuple[int, int]]) -> list[ColumnElement[bool]]:
    inside = [col(EventRow.app_id).in_(which.app_ids), or_(*(col(EventRow.time_ms).between(*edge) for edge in edges))]
    if which.platform:
        inside.append(col(EventRow.platform) == which.platform)
    return inside


def _add_edges(session: Session, which: IssueFilter, edges: list[tuple[int, int]], found: Totals) -> None:
    """Less than an hour at each end, from an index that holds all it needs."""
    query = select(EventRow.kind, func.count()).where(*_in_edges(which, edges)).group_by(col(EventRow.kind))
    for kind, events in session.exec(query):
        found.events += events
        found.errors += events * (kind == ERROR)
        found.failed_requests += events * (kind == FAILED_REQUEST)


def _count_users(
    session: Session, which: IssueFilter, hours: tuple[int, int] | None, edges: list[tuple[int, int]]
) -> int:
    parts: list[sa.Select[Any, Any]] = []
    if hours is not None:
        scope = col(DistinctUserRow.scope)
        in_hours = [
            col(DistinctUserRow.app_id).in_(which.app_ids),
            scope >= hour_scope(hours[0]),
            scope < hour_scope(hours[1] + 1) if hours[1] < MAX_HOUR else scope < "h;",
        ]
        if which.platform:
            in_hours.append(func.substr(scope, len(hour_scope(0)) + 1) == which.platform)
        parts.append(sa_select(col(DistinctUserRow.app_id), col(DistinctUserRow.user_key)).where(*in_hours))
    if edges:
        parts.append(
            sa_select(col(EventRow.app_id), col(EventRow.user_key)).where(
                *_in_edges(which, edges), col(EventRow.kind) != OTHER, col(EventRow.user_key).is_not(None)
            )
        )
    if not parts:
        return 0
    union = union_all(*parts).subquery()
    distinct = sa_select(union.c.app_id, union.c.user_key).distinct().subquery()
    return session.connection().execute(sa_select(func.count()).select_from(distinct)).scalar_one()


def _branch(which: IssueFilter, archived: bool | None, app_id: int | None = None) -> list[ColumnElement[bool]]:
    """Conditions on IssueRow: of one app (or all of them), archived or not (None: as the filter says)."""
    app = col(IssueRow.app_id)
    conditions = [app.in_(which.app_ids) if app_id is None else app == app_id]
    kept = which.archived if archived is None else (archived,)
    if len(kept) == 1:
        conditions.append(col(IssueRow.archived) == kept[0])
    if which.seen.start_ms is not None:
        conditions.append(col(IssueRow.last_seen_ms) >= which.seen.start_ms)
    if which.seen.end_ms is not None:
        conditions.append(col(IssueRow.last_seen_ms) <= which.seen.end_ms)
    if which.platform:
        conditions.append(
            exists().where(
                col(IssuePlatformRow.app_id) == app,
                col(IssuePlatformRow.issue_id) == col(IssueRow.id),
                col(IssuePlatformRow.platform) == which.platform,
            )
        )
    return conditions


def page(session: Session, which: IssueFilter, after: tuple[int, int] | None, limit: int) -> list[Issue]:
    """Issues, last seen first, ties newest first, behind the keyset position `after` = (last seen, id)."""
    if not which.app_ids:
        return []
    position = tuple_(col(IssueRow.last_seen_ms), col(IssueRow.id))
    behind = [] if after is None else [position < tuple_(literal(after[0]), literal(after[1]))]
    newest = (col(IssueRow.last_seen_ms).desc(), col(IssueRow.id).desc())

    def branch(conditions: list[ColumnElement[bool]]) -> Sequence[int]:
        ids = select(IssueRow.last_seen_ms, IssueRow.id, IssueRow.app_id).where(*conditions, *behind)
        return ids.order_by(*newest).limit(limit).subquery()  # type: ignore[return-value]

    if len(which.app_ids) * len(which.archived) > MAX_BRANCHES:
        rows = session.exec(
            select(IssueRow).where(*_branch(which, archived=None), *behind).order_by(*newest).limit(limit)
        ).all()
    else:
        branches = [branch(_branch(which, kept, app_id)) for app_id in which.app_ids for kept in which.archived]
        merged = union_all(*(sa_select(b) for b in branches)).subquery()  # type: ignore[call-overload]
        chosen = sa_select(merged.c.app_id, merged.c.id).order_by(merged.c.last_seen_ms.desc(), merged.c.id.desc())
        keys = session.connection().execute(chosen.limit(limit)).all()
        rows = session.exec(
            select(IssueRow)
            .where(tuple_(col(IssueRow.app_id), col(IssueRow.id)).in_([tuple(key) for key in keys]))
            .order_by(*newest)
        ).all()
    return _issues(session, rows, which.app_ids)


def find(session: Session, app_ids: Mapping[int, str], fingerprint: str) -> Issue | None:
    """The issue with this fingerprint in one of the apps (callers pass one)."""
    row = session.exec(
        select(IssueRow).where(col(IssueRow.app_id).in_(app_ids), IssueRow.fingerprint == fingerprint)
    ).first()
    return None if row is None else _issues(session, [row], app_ids)[0]


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event of an issue; (`time_ms`, `id`) is its place in the list."""

    time_ms: int
    id: int
    payload: bytes


def events_of(
    session: Session, issue: Issue, when: TimeRange, platform: str, after: tuple[int, int] | None, limit: int
) -> list[StoredEvent]:
    """The issue's events in the range, newest first, ties newest arrival first, behind the position `after`."""
    query = select(EventRow.time_ms, EventRow.id, EventRow.payload).where(
        EventRow.app_id == issue.app_id, EventRow.issue_id == issue.id
    )
    if when.start_ms is not None:
        query = query.where(col(EventRow.time_ms) >= when.start_ms)
    if when.end_ms is not None:
        query = query.where(col(EventRow.time_ms) <= when.end_ms)
    if platform:
        query = query.where(EventRow.platform == platform)
    if after is not None:
        position = tuple_(col(EventRow.time_ms), col(EventRow.id))
        query = query.where(position < tuple_(literal(after[0]), literal(after[1])))
    rows = session.exec(query.order_by(col(EventRow.time_ms).desc(), col(EventRow.id).desc()).limit(limit))
    return [StoredEvent(*row) for row in rows]


def _issues(session: Session, rows: Sequence[IssueRow], app_ids: Mapping[int, str]) -> list[Issue]:
    platforms = _platforms(session, rows)
    people = _people(session, rows)
    return [
        Issue(
            id=row.id,
            app_id=row.app_id,
            app_key=app_ids[row.app_id],
            fingerprint=row.fingerprint,
            message=row.message,
            error_type=row.error_type,
            event_count=row.event_count,
            first_seen_ms=row.first_seen_ms,
            last_seen_ms=row.last_seen_ms,
            first_seen_release=row.first_seen_release,
            last_seen_release=row.last_seen_release,
            fixed_in_release=row.fixed_in_release,
            verified_in_release=row.verified_in_release,
            status=row.status,
            archived=row.archived,
            archived_ms=row.archived_ms,
            regressed_ms=row.regressed_ms,
            regressed_in_release=row.regressed_in_release,
            status_changed_ms=row.status_changed_ms,
            status_changed_by=people[row.status_changed_by].email if row.status_changed_by in people else None,
            assignee=people[row.assignee_id].public_id if row.assignee_id in people else None,
            muted_until_ms=row.muted_until_ms,
            platforms=platforms[row.app_id, row.id],
        )
        for row in rows
    ]


def _people(session: Session, rows: Sequence[IssueRow]) -> dict[int | None, UserRow]:
    ids = {row.assignee_id for row in rows} | {row.status_changed_by for row in rows}
    ids.discard(None)
    return {user.id: user for user in session.exec(select(UserRow).where(col(UserRow.id).in_(ids)))} if ids else {}


def _platforms(session: Session, rows: Sequence[IssueRow]) -> defaultdict[tuple[int, int], dict[str, int]]:
    found: defaultdict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    keys = [(row.app_id, row.id) for row in rows]
    query = (
        select(IssuePlatformRow)
        .where(tuple_(col(IssuePlatformRow.app_id), col(IssuePlatformRow.issue_id)).in_(keys))
        .order_by(col(IssuePlatformRow.event_count).desc())
    )
    for row in session.exec(query):
        found[row.app_id, row.issue_id][row.platform] = row.event_count
    return found
