"""Reading issues, their events and what these have in common."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, bindparam, exists, tuple_, union_all
from sqlmodel import Session, col, func, select

from server.store import merges, packs
from server.store.active_issues import HAD_AN_EVENT, bounds
from server.store.bulk import Query, bulk_of
from server.store.counters import HOUR_MS
from server.store.dimensions import Dimension
from server.store.merges import Member
from server.store.packs import Stored
from server.store.tables import DimensionRow, EventRow, IssueFacetRow, IssueHourRow, IssueRow, UserRow
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
_ESCAPE = "/"
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
    What comes before `app_key` are columns of the same name.
    """

    id: int
    app_id: int
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
    muted_until_ms: int | None
    app_key: str
    status_changed_by: str | None = None
    assignee: str | None = None
    merged_into: str | None = None
    merged: Sequence[Member] = ()
    platforms: dict[str, int] = field(default_factory=dict)

    @property
    def parts(self) -> list[Member]:
        """The issue and those merged into it, by their own fingerprints."""
        return [Member(self.id, self.fingerprint, self.error_type), *self.merged]


# Statements are put together once for each shape that a question can have: that takes ten times as long as running them.
_STORED = [each.name for each in fields(Issue)]
_STORED = _STORED[: _STORED.index("app_key")]
_BESIDE = ("status_changed_by", "assignee_id", "own_event_count", "merged_into_id")
_COLUMNS = [col(getattr(IssueRow, name)) for name in (*_STORED, *_BESIDE)]
"""What is read of an issue: rows of the mapped class, and names of columns, take several times as long."""


def _has(name: str) -> ColumnElement[bool]:
    """Some event of the issue has the value of that property."""
    return exists().where(
        col(IssueFacetRow.app_id) == col(IssueRow.app_id),
        col(IssueFacetRow.issue_id) == col(IssueRow.id),
        col(IssueFacetRow.property) == name,
        col(IssueFacetRow.value) == bindparam(name),
    )


_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "start_ms": col(IssueRow.last_seen_ms) >= bindparam("start_ms"),
    "end_ms": col(IssueRow.last_seen_ms) <= bindparam("end_ms"),
    "type": col(IssueRow.error_type) == bindparam("type"),
    "text": func.lower(IssueRow.message).contains(bindparam("text"), escape=_ESCAPE),
    "platform": _has("platform"),
    "release": _has("release"),
    "environment": _has("environment"),
}
"""What each value of `_asked` stands for."""

_Names = tuple[str, ...]
Statement = sa.Select[*tuple[Any, ...]]
_AFTER = tuple_(bindparam("after_value", type_=sa.BigInteger), bindparam("after_id", type_=sa.BigInteger))
_LIMIT = bindparam("limit", type_=sa.BigInteger)


def _asked(which: IssueFilter) -> dict[str, Any]:
    """The values of a filter that are given."""
    text = which.text.lower()
    for special in (_ESCAPE, "%", "_"):
        text = text.replace(special, _ESCAPE + special)
    given = {"start_ms": which.seen.start_ms, "end_ms": which.seen.end_ms, "text": text or None}
    given |= {name: value or None for name, value in which.only._asdict().items()}
    return {name: value for name, value in given.items() if value is not None}


def _conditions(asked: _Names, archived: tuple[bool, ...], app: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    """Conditions on IssueRow: of these apps, archived or not, not merged, and what is asked."""
    conditions = [app, col(IssueRow.merged_into_id).is_(None), *(_CONDITIONS[name] for name in asked)]
    return [*conditions, col(IssueRow.archived) == archived[0]] if len(archived) == 1 else conditions


_OF_APPS = col(IssueRow.app_id).in_(bindparam("app_ids", expanding=True))


def count(session: Session, which: IssueFilter, active: TimeRange = EVER) -> int:
    """How many issues the filter finds that had an event in the range `active`."""
    if not which.app_ids:
        return 0
    if active.is_open and which.is_counted:
        counts = open_and_archived_issues(session, which.app_ids, which.only.platform)
        return sum(counts[kept] for kept in which.archived)
    asked = _asked(which)
    query = _count_query(tuple(asked), which.archived, ever=active.is_open)
    given = asked | {"app_ids": list(which.app_ids)} | ({} if active.is_open else bounds(active))
    return int(session.connection().execute(query, given).scalar_one())


@lru_cache
def _count_query(asked: _Names, archived: tuple[bool, ...], *, ever: bool) -> Statement:
    query = sa.select(sa.func.count()).select_from(IssueRow).where(*_conditions(asked, archived, _OF_APPS))
    return query if ever else query.where(HAD_AN_EVENT)


def page(
    session: Session, which: IssueFilter, after: tuple[int, int] | None, limit: int, order: str = "last_seen"
) -> list[Issue]:
    """Issues from the largest value of the order down, ties newest first, behind the position `after` = (value, id)."""
    if not which.app_ids:
        return []
    asked = _asked(which)
    known = asked | {"limit": limit}
    if after is not None:
        known |= {"after_value": after[0], "after_id": after[1]}
    apps = list(which.app_ids)
    if len(apps) * len(which.archived) > MAX_BRANCHES:
        known["app_ids"], branches = apps, 0
    else:
        known |= {f"app_{i}": app_id for i, app_id in enumerate(apps)}
        branches = len(apps)
    query = _page_query(tuple(asked), which.archived, order, branches, after is not None)
    return _issues(session, session.connection().execute(query, known).all(), which.app_ids)


@lru_cache(maxsize=512)
def _page_query(asked: _Names, archived: tuple[bool, ...], order: str, apps: int, behind: bool) -> Statement:
    """The query for a page of the issues of so many apps, each from its index; without a number, all at once."""
    value = ORDERS[order]
    largest = (value.desc(), col(IssueRow.id).desc())
    place = [tuple_(value, col(IssueRow.id)) < _AFTER] if behind else []
    whole = sa.select(*_COLUMNS).order_by(*largest)
    apart = [(col(IssueRow.app_id) == bindparam(f"app_{i}"), (kept,)) for i in range(apps) for kept in archived]
    if len(apart) <= 1:
        app, kept = apart[0] if apart else (_OF_APPS, archived)
        return whole.where(*_conditions(asked, kept, app), *place).limit(_LIMIT)
    branches = [
        sa.select(value.label("value"), col(IssueRow.id), col(IssueRow.app_id))
        .where(*_conditions(asked, kept, app), *place)
        .order_by(*largest)
        .limit(_LIMIT)
        .subquery()
        for app, kept in apart
    ]
    merged = union_all(*(sa.select(branch) for branch in branches)).subquery()
    chosen = sa.select(merged).order_by(merged.c.value.desc(), merged.c.id.desc()).limit(_LIMIT).subquery()
    return whole.join(chosen, sa.and_(col(IssueRow.app_id) == chosen.c.app_id, col(IssueRow.id) == chosen.c.id))


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
    known = {"app_ids": list(app_ids), "fingerprint": fingerprint}
    row = session.connection().execute(_FIND, known).first()
    return None if row is None else _issues(session, [row], app_ids)[0]


_FIND = sa.select(*_COLUMNS).where(_OF_APPS, col(IssueRow.fingerprint) == bindparam("fingerprint"))


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event of an issue, serialised; (`time_ms`, `id`) is its place in the list."""

    time_ms: int
    id: int
    message: bytes


def events_of(
    session: Session, issue: Issue, when: TimeRange, platform: str, after: tuple[int, int] | None, limit: int
) -> list[StoredEvent]:
    """The issue's events in the range, newest first, ties newest arrival first, behind the position `after`.

    Those of the issues merged into it are brought together from a place in the index for each.
    """
    given = {"start_ms": when.start_ms, "end_ms": when.end_ms, "platform": platform or None}
    asked = {name: value for name, value in given.items() if value is not None}
    known = asked | {"app_id": issue.app_id, "limit": limit}
    known |= {f"issue_{place}": part.id for place, part in enumerate(issue.parts)}
    if after is not None:
        known |= {"after_value": after[0], "after_id": after[1]}
    query = _events_query(tuple(asked), len(issue.parts), after is not None)
    rows = session.connection().execute(query, known).all()
    stored = [Stored(issue.app_id, event_id, offset, payload) for _, event_id, offset, payload in rows]
    messages = packs.messages(bulk_of(session), stored)
    return [
        StoredEvent(row[0], row[1], message) for row, message in zip(rows, messages, strict=True) if message is not None
    ]


_EVENT_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "start_ms": col(EventRow.time_ms) >= bindparam("start_ms"),
    "end_ms": col(EventRow.time_ms) <= bindparam("end_ms"),
    "platform": exists().where(
        col(DimensionRow.app_id) == col(EventRow.app_id),
        col(DimensionRow.id) == col(EventRow.dimension_id),
        col(DimensionRow.platform) == bindparam("platform"),
    ),
}
_EVENT_COLUMNS = (col(EventRow.time_ms), col(EventRow.id), col(EventRow.pack_offset), col(EventRow.payload))
_EVENT_PLACE = ("issue_id", "time_ms", "id")


@lru_cache
def _events_query(asked: _Names, parts: int, behind: bool) -> Statement:
    """The query for a page of the events of an issue that is made of so many."""
    newest = (col(EventRow.time_ms).desc(), col(EventRow.id).desc())
    app = col(EventRow.app_id) == bindparam("app_id")
    inside = [app, *(_EVENT_CONDITIONS[name] for name in asked)]
    if behind:
        inside.append(tuple_(col(EventRow.time_ms), col(EventRow.id)) < _AFTER)
    if parts == 1:
        own = sa.select(*_EVENT_COLUMNS).where(*inside, col(EventRow.issue_id) == bindparam("issue_0"))
        return own.order_by(*newest).limit(_LIMIT)
    keys = sa.select(*(col(getattr(EventRow, name)) for name in _EVENT_PLACE)).where(*inside)
    branches = [
        keys.where(col(EventRow.issue_id) == bindparam(f"issue_{part}")).order_by(*newest).limit(_LIMIT).subquery()
        for part in range(parts)
    ]
    found = union_all(*(sa.select(branch) for branch in branches)).subquery()
    chosen = sa.select(found).order_by(found.c.time_ms.desc(), found.c.id.desc()).limit(_LIMIT).subquery()
    place = sa.and_(*(col(getattr(EventRow, name)) == chosen.c[name] for name in _EVENT_PLACE))
    return sa.select(*_EVENT_COLUMNS).join(chosen, place).where(app).order_by(*newest)


_HOURS = sa.select(col(IssueHourRow.issue_id), col(IssueHourRow.hour), col(IssueHourRow.event_count)).where(
    col(IssueHourRow.app_id) == bindparam("app_id"),
    col(IssueHourRow.issue_id).in_(bindparam("issue_ids", expanding=True)),
    col(IssueHourRow.hour).between(bindparam("first"), bindparam("last")),
)


def issue_buckets(session: Session, issue: Issue, hours_each: int, first: int, last: int) -> list[Bucket]:
    """The issue's events by bucket of `hours_each` hours, from number `first` to `last` since the epoch."""
    found = {number: Bucket(number * hours_each * HOUR_MS) for number in range(first, last + 1)}
    error_types = {part.id: part.error_type for part in issue.parts}
    hours = {"first": first * hours_each, "last": (last + 1) * hours_each - 1}
    rows = session.connection().execute(_HOURS, hours | {"app_id": issue.app_id, "issue_ids": list(error_types)})
    for issue_id, hour, events in rows:
        bucket = found[hour // hours_each]
        bucket.events += events
        if error_types[issue_id] == HTTP:
            bucket.failed_requests += events
        else:
            bucket.errors += events
    issue_ids = [part.id for part in issue.parts]
    for number, users in users_by_bucket(session, issue.app_id, issue_ids, hours_each, first, last):
        found[number].affected_users = users
    return list(found.values())


_TRENDS = Query(
    tuple((name, "int") for name in ("app_id", "issue_id", "place", "hours_each", "first_hour", "last_hour")),
    "SELECT r.place, h.hour / r.hours_each, SUM(h.event_count) FROM {rows} CROSS JOIN issue_hours AS h "
    "WHERE h.app_id = r.app_id AND h.issue_id = r.issue_id AND h.hour BETWEEN r.first_hour AND r.last_hour GROUP BY 1, 2",
)


def trends(session: Session, found: Sequence[Issue], hours_each: int, first: int, last: int) -> list[list[int]]:
    """Of each issue its events by bucket of `hours_each` hours, from number `first` to `last` since the epoch."""
    counts = [[0] * (last - first + 1) for _ in found]
    span = (hours_each, first * hours_each, (last + 1) * hours_each - 1)
    shown = [(issue.app_id, part.id, place, *span) for place, issue in enumerate(found) for part in issue.parts]
    for place, number, events in bulk_of(session).ask(_TRENDS, shown):
        counts[place][number - first] += int(events)
    return counts


def _breakdown_query() -> Statement:
    rank = (
        func.row_number()
        .over(
            partition_by=col(IssueFacetRow.property),
            order_by=(col(IssueFacetRow.event_count).desc(), col(IssueFacetRow.value)),
        )
        .label("rank")
    )
    of_issue = (
        col(IssueFacetRow.app_id) == bindparam("app_id"),
        col(IssueFacetRow.issue_id) == bindparam("issue_id"),
    )
    ranked = (
        sa.select(col(IssueFacetRow.property), col(IssueFacetRow.value), col(IssueFacetRow.event_count), rank)
        .where(*of_issue)
        .subquery()
    )
    return sa.select(ranked).where(ranked.c.rank <= TOP_VALUES).order_by(ranked.c.rank)


_BREAKDOWN = _breakdown_query()


def breakdowns(session: Session, issue: Issue) -> dict[str, list[tuple[str, int]]]:
    """For each property its most frequent values among the issue's events, and how many have them."""
    rows = session.connection().execute(_BREAKDOWN, {"app_id": issue.app_id, "issue_id": issue.id})
    found: dict[str, list[tuple[str, int]]] = {name: [] for name in PROPERTIES}
    for name, value, events, _ in rows:
        found[name].append((value, events))
    return found


def _issues(session: Session, rows: Sequence[sa.Row[*tuple[Any, ...]]], app_ids: Mapping[int, str]) -> list[Issue]:
    """Issues from rows of `_COLUMNS`."""
    found = [Issue(*(*row[: len(_STORED)], app_ids[row[1]])) for row in rows]
    beside = [row[len(_STORED) :] for row in rows]
    platforms = _platforms(session, [(issue.app_id, issue.id) for issue in found])
    people = _people(session, {user_id for changed_by, assignee, *_ in beside for user_id in (changed_by, assignee)})
    merged = merges.members_of(
        session, [(i.app_id, i.id) for i, (_, _, own, _) in zip(found, beside, strict=True) if i.event_count > own]
    )
    targets = merges.targets_by_id(
        session, [(i.app_id, target) for i, (*_, target) in zip(found, beside, strict=True) if target is not None]
    )
    for issue, (changed_by, assignee, _, target) in zip(found, beside, strict=True):
        issue.platforms = platforms[issue.app_id, issue.id]
        issue.status_changed_by = people[changed_by].email if changed_by in people else None
        issue.assignee = people[assignee].public_id if assignee in people else None
        issue.merged_into = None if target is None else targets[target]
        issue.merged = merged.get((issue.app_id, issue.id), ())
    return found


def _people(session: Session, ids: set[int | None]) -> dict[int | None, UserRow]:
    ids.discard(None)
    return {user.id: user for user in session.exec(select(UserRow).where(col(UserRow.id).in_(ids)))} if ids else {}


_PLATFORMS = Query(
    (("app_id", "int"), ("issue_id", "int")),
    "SELECT f.app_id, f.issue_id, f.value, f.event_count FROM {rows} CROSS JOIN issue_facets AS f "
    "WHERE f.app_id = r.app_id AND f.issue_id = r.issue_id AND f.property = 'platform'",
)


def _platforms(session: Session, keys: Sequence[tuple[int, int]]) -> defaultdict[tuple[int, int], dict[str, int]]:
    """By app and issue: events by platform, the most frequent first."""
    found: defaultdict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    rows = sorted(bulk_of(session).ask(_PLATFORMS, keys), key=itemgetter(3), reverse=True)
    for app_id, issue_id, platform, events in rows:
        found[app_id, issue_id][platform] = events
    return found
