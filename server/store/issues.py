"""Reading issues, their events and what these have in common."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, exists, literal, tuple_, union_all
from sqlmodel import Session, col, func, select

from server.store import merges
from server.store.active_issues import HAD_AN_EVENT, bounds
from server.store.counters import HOUR_MS, issue_hour_scope
from server.store.dimensions import Dimension
from server.store.merges import Member
from server.store.tables import EventRow, IssueFacetRow, IssueHourRow, IssueRow, UserRow
from server.store.totals import ANY, EVER, Bucket, TimeRange, open_and_archived_issues, users_by_bucket

HTTP = "http"
"""Error type of the issues that failed requests make."""

MAX_BRANCHES = 100
"""Apps whose lists are merged branch by branch, each from its index; a caller with more pays for a sort."""

ORDERS = {
    "last_seen": col(IssueRow.last_seen_ms),
    "first_seen": col(IssueRow.first_seen_ms),
    "events": col(IssueRow.event_count),
    "users": col(IssueRow.user_count),
}
"""Columns by which issues are listed, from the largest down; each has an index."""

TOP_VALUES = 20
PROPERTIES = ("platform", "release", "environment", "page", "browser", "device")


@dataclass(frozen=True, slots=True)
class IssueFilter:
    """Which issues: of these apps, with an event that has these values (an empty one is any), archived or not, last seen in.

    `only.type` is the issue's error type; `text` is looked for in the message, upper and lower case alike.
    """

    app_ids: Mapping[int, str]
    only: Dimension = ANY
    archived: tuple[bool, ...] = (False,)
    seen: TimeRange = EVER
    text: str = ""

    @property
    def is_counted(self) -> bool:
        """Whether a counter is kept of just these issues."""
        return self.seen.is_open and not self.text and self.only == Dimension(self.only.platform)


@dataclass(slots=True)
class Issue:
    """One issue; `app_key` completes its public id. `assignee` is a user's public id, `status_changed_by` an email.

    `merged_into` is the fingerprint of the issue it is merged into, `merged` are the issues that are merged into it.
    """

    id: int
    app_id: int
    app_key: str
    fingerprint: str
    grouping_version: str
    message: str
    error_type: str
    event_count: int
    user_count: int
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
    merged_into: str | None = None
    merged: Sequence[Member] = ()
    platforms: dict[str, int] = field(default_factory=dict)

    @property
    def parts(self) -> list[Member]:
        """The issue and those merged into it, by their own fingerprints."""
        return [Member(self.id, self.fingerprint, self.error_type), *self.merged]


def count(session: Session, which: IssueFilter, active: TimeRange = EVER) -> int:
    """How many issues the filter finds that had an event in the range `active`."""
    if not which.app_ids:
        return 0
    if active.is_open and which.is_counted:
        counts = open_and_archived_issues(session, which.app_ids, which.only.platform)
        return sum(counts[kept] for kept in which.archived)
    query = sa.select(sa.func.count()).select_from(IssueRow).where(*_branch(which, archived=None))
    if active.is_open:
        return session.connection().execute(query).scalar_one()
    return session.connection().execute(query.where(HAD_AN_EVENT), bounds(active)).scalar_one()


def _branch(which: IssueFilter, archived: bool | None, app_id: int | None = None) -> list[ColumnElement[bool]]:
    """Conditions on IssueRow: of one app (or all of them), archived or not (None: as the filter says), not merged."""
    app = col(IssueRow.app_id)
    conditions = [app.in_(which.app_ids) if app_id is None else app == app_id, col(IssueRow.merged_into_id).is_(None)]
    kept = which.archived if archived is None else (archived,)
    if len(kept) == 1:
        conditions.append(col(IssueRow.archived) == kept[0])
    if which.seen.start_ms is not None:
        conditions.append(col(IssueRow.last_seen_ms) >= which.seen.start_ms)
    if which.seen.end_ms is not None:
        conditions.append(col(IssueRow.last_seen_ms) <= which.seen.end_ms)
    if which.only.type:
        conditions.append(col(IssueRow.error_type) == which.only.type)
    if which.text:
        conditions.append(func.lower(IssueRow.message).contains(which.text.lower(), autoescape=True))
    conditions += (
        exists().where(
            col(IssueFacetRow.app_id) == app,
            col(IssueFacetRow.issue_id) == col(IssueRow.id),
            col(IssueFacetRow.property) == name,
            col(IssueFacetRow.value) == value,
        )
        for name in ("platform", "release", "environment")
        if (value := getattr(which.only, name))
    )
    return conditions


def page(
    session: Session, which: IssueFilter, after: tuple[int, int] | None, limit: int, order: str = "last_seen"
) -> list[Issue]:
    """Issues from the largest value of the order down, ties newest first, behind the position `after` = (value, id)."""
    if not which.app_ids:
        return []
    value = ORDERS[order]
    behind = [] if after is None else [tuple_(value, col(IssueRow.id)) < tuple_(literal(after[0]), literal(after[1]))]
    largest = (value.desc(), col(IssueRow.id).desc())
    query = select(IssueRow).order_by(*largest).limit(limit)
    if len(which.app_ids) * len(which.archived) > MAX_BRANCHES:
        rows = session.exec(query.where(*_branch(which, archived=None), *behind)).all()
        return _issues(session, rows, which.app_ids)
    branches = [
        sa.select(value.label("value"), col(IssueRow.id), col(IssueRow.app_id))
        .where(*_branch(which, kept, app_id), *behind)
        .order_by(*largest)
        .limit(limit)
        .subquery()
        for app_id in which.app_ids
        for kept in which.archived
    ]
    merged = union_all(*(sa.select(branch) for branch in branches)).subquery()
    chosen = sa.select(merged.c.app_id, merged.c.id).order_by(merged.c.value.desc(), merged.c.id.desc()).limit(limit)
    keys = {(app_id, issue_id) for app_id, issue_id in session.connection().execute(chosen)}
    found = session.exec(select(IssueRow).where(*_of(keys, col(IssueRow.app_id), col(IssueRow.id))).order_by(*largest))
    return _issues(session, [row for row in found if (row.app_id, row.id) in keys], which.app_ids)


def _of(keys: Collection[tuple[int, int]], app: Any, issue: Any) -> list[ColumnElement[bool]]:  # noqa: ANN401 -- columns
    """Conditions on an app and an issue that find the keys, and at most a few others: SQLite has no index for pairs."""
    return [app.in_({app_id for app_id, _ in keys}), issue.in_({issue_id for _, issue_id in keys})]


def position(issue: Issue, order: str) -> tuple[int, int]:
    """Where the issue stands in a list of that order, for `page(after=...)`."""
    values = {
        "last_seen": issue.last_seen_ms,
        "first_seen": issue.first_seen_ms,
        "events": issue.event_count,
        "users": issue.user_count,
    }
    return values[order], issue.id


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
    """The issue's events in the range, newest first, ties newest arrival first, behind the position `after`.

    Those of the issues merged into it are brought together from a place in the index for each.
    """
    newest = (col(EventRow.time_ms).desc(), col(EventRow.id).desc())
    inside = [col(EventRow.app_id) == issue.app_id, *_event_conditions(when, platform, after)]
    if not issue.merged:
        query = select(EventRow.time_ms, EventRow.id, EventRow.payload)
        own = query.where(*inside, EventRow.issue_id == issue.id).order_by(*newest).limit(limit)
        return [StoredEvent(*row) for row in session.exec(own)]
    keys = select(EventRow.time_ms, EventRow.id, EventRow.issue_id)
    branches = [
        keys.where(*inside, EventRow.issue_id == part.id).order_by(*newest).limit(limit).subquery()
        for part in issue.parts
    ]
    found = union_all(*(sa.select(branch) for branch in branches)).subquery()
    chosen = sa.select(found).order_by(found.c.time_ms.desc(), found.c.id.desc()).limit(limit).subquery()
    place = sa.and_(*(col(getattr(EventRow, name)) == chosen.c[name] for name in ("issue_id", "time_ms", "id")))
    rows = session.connection().execute(
        sa.select(col(EventRow.time_ms), col(EventRow.id), col(EventRow.payload))
        .join(chosen, place)
        .where(col(EventRow.app_id) == issue.app_id)
        .order_by(*newest)
    )
    return [StoredEvent(*row) for row in rows]


def _event_conditions(when: TimeRange, platform: str, after: tuple[int, int] | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if when.start_ms is not None:
        conditions.append(col(EventRow.time_ms) >= when.start_ms)
    if when.end_ms is not None:
        conditions.append(col(EventRow.time_ms) <= when.end_ms)
    if platform:
        conditions.append(col(EventRow.platform) == platform)
    if after is not None:
        position = tuple_(col(EventRow.time_ms), col(EventRow.id))
        conditions.append(position < tuple_(literal(after[0]), literal(after[1])))
    return conditions


def issue_buckets(session: Session, issue: Issue, hours_each: int, first: int, last: int) -> list[Bucket]:
    """The issue's events by bucket of `hours_each` hours, from number `first` to `last` since the epoch."""
    found = {number: Bucket(number * hours_each * HOUR_MS) for number in range(first, last + 1)}
    hour, error_types = col(IssueHourRow.hour), {part.id: part.error_type for part in issue.parts}
    rows = session.exec(
        select(IssueHourRow).where(
            IssueHourRow.app_id == issue.app_id,
            col(IssueHourRow.issue_id).in_(error_types),
            hour.between(first * hours_each, (last + 1) * hours_each - 1),
        )
    )
    for row in rows:
        bucket = found[row.hour // hours_each]
        bucket.events += row.event_count
        if error_types[row.issue_id] == HTTP:
            bucket.failed_requests += row.event_count
        else:
            bucket.errors += row.event_count
    scopes = [issue_hour_scope(part.id, "") for part in issue.parts]
    for number, users in users_by_bucket(session, issue.app_id, scopes, hours_each, first, last):
        found[number].affected_users = users
    return list(found.values())


def trends(session: Session, found: Sequence[Issue], hours_each: int, first: int, last: int) -> list[list[int]]:
    """Of each issue its events by bucket of `hours_each` hours, from number `first` to `last` since the epoch."""
    shown = {(issue.app_id, part.id): place for place, issue in enumerate(found) for part in issue.parts}
    counts = [[0] * (last - first + 1) for _ in found]
    hour = col(IssueHourRow.hour)
    rows = session.exec(
        select(IssueHourRow).where(
            *_of(shown, col(IssueHourRow.app_id), col(IssueHourRow.issue_id)),
            hour.between(first * hours_each, (last + 1) * hours_each - 1),
        )
    )
    for row in rows:
        place = shown.get((row.app_id, row.issue_id))
        if place is not None:
            counts[place][row.hour // hours_each - first] += row.event_count
    return counts


def breakdowns(session: Session, issue: Issue) -> dict[str, list[tuple[str, int]]]:
    """For each property its most frequent values among the issue's events, and how many have them."""
    rank = (
        func.row_number()
        .over(
            partition_by=col(IssueFacetRow.property),
            order_by=(col(IssueFacetRow.event_count).desc(), col(IssueFacetRow.value)),
        )
        .label("rank")
    )
    ranked = (
        sa.select(col(IssueFacetRow.property), col(IssueFacetRow.value), col(IssueFacetRow.event_count), rank)
        .where(col(IssueFacetRow.app_id) == issue.app_id, col(IssueFacetRow.issue_id) == issue.id)
        .subquery()
    )
    rows = session.connection().execute(sa.select(ranked).where(ranked.c.rank <= TOP_VALUES).order_by(ranked.c.rank))
    found: dict[str, list[tuple[str, int]]] = {name: [] for name in PROPERTIES}
    for name, value, events, _ in rows:
        found[name].append((value, events))
    return found


def _issues(session: Session, rows: Sequence[IssueRow], app_ids: Mapping[int, str]) -> list[Issue]:
    platforms = _platforms(session, rows)
    people = _people(session, rows)
    merged, targets = merges.members_of(session, rows), merges.targets_by_id(session, rows)
    return [
        Issue(
            id=row.id,
            app_id=row.app_id,
            app_key=app_ids[row.app_id],
            fingerprint=row.fingerprint,
            grouping_version=row.grouping_version,
            message=row.message,
            error_type=row.error_type,
            event_count=row.event_count,
            user_count=row.user_count,
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
            merged_into=None if row.merged_into_id is None else targets[row.merged_into_id],
            merged=merged.get((row.app_id, row.id), ()),
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
        select(IssueFacetRow)
        .where(*_of(keys, col(IssueFacetRow.app_id), col(IssueFacetRow.issue_id)), IssueFacetRow.property == "platform")
        .order_by(col(IssueFacetRow.event_count).desc())
    )
    for row in session.exec(query):
        found[row.app_id, row.issue_id][row.value] = row.event_count
    return found
