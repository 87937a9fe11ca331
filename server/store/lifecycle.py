"""Where an issue stands: what people change, and what an event that comes back changes.

Rules, as recorded from HealthGuard 0.3:
- fixed: `fixed_pending_release`, no longer archived; verified: `resolved`, no longer archived; both keep the other's release.
- archived: only once verified, and once. reopened: `open`, the releases stay.
- an event from the fixed release (else the verified one) or a newer one reopens; an older release, or none, does not.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from server.errors import IssueAlreadyArchived, IssueIsMerged, IssueNotFound, IssueNotVerified
from server.release import compare_releases
from server.store import counters
from server.store.bulk import Bulk, Insert, Query, bulk_of
from server.store.sequence import Sequence as IdSequence
from server.store.tables import IssueCommentRow, IssueFacetRow, IssueRow, UserRow

OPEN = "open"
FIXED = "fixed_pending_release"
VERIFYING = "verifying"
RESOLVED = "resolved"
ARCHIVED = "archived"
CLOSED = frozenset({FIXED, VERIFYING, RESOLVED, ARCHIVED})
"""Statuses that an event may reopen."""


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes something, when, and the means to write it down."""

    user_id: int | None
    now_ms: int
    ids: IdSequence
    shard: int


@dataclass(frozen=True, slots=True)
class Regression:
    """A closed issue of which an event came back in `release`."""

    app_id: int
    issue_id: int
    release: str
    was_archived: bool


@dataclass(frozen=True, slots=True)
class Comment:
    """One entry of an issue's thread; `author` is an email address, empty for the server."""

    id: int
    author: str
    kind: str
    text: str
    created_ms: int


def archive(session: Session, app_ids: Mapping[int, str], fingerprint: str, by: Change) -> None:
    """Put away. Raises IssueNotFound, IssueAlreadyArchived, IssueNotVerified."""
    row = locked(session, app_ids, fingerprint)
    if row.archived:
        raise IssueAlreadyArchived
    if row.verified_in_release is None:
        raise IssueNotVerified
    _move(session, row, by, ARCHIVED, archived=True)
    note(session, row, by, "archived", "")


def reopen(session: Session, app_ids: Mapping[int, str], fingerprint: str, by: Change) -> None:
    """Open again. Raises IssueNotFound."""
    row = locked(session, app_ids, fingerprint)
    _move(session, row, by, OPEN, archived=False)
    note(session, row, by, "reopened", "")


def mark_fixed(session: Session, app_ids: Mapping[int, str], fingerprint: str, by: Change, release: str) -> None:
    """Note the release with the fix. Raises IssueNotFound."""
    row = locked(session, app_ids, fingerprint)
    row.fixed_in_release = release
    _move(session, row, by, FIXED, archived=False)
    note(session, row, by, "fixed", release)


def mark_verified(session: Session, app_ids: Mapping[int, str], fingerprint: str, by: Change, release: str) -> None:
    """Note the release in which the fix was confirmed. Raises IssueNotFound."""
    row = locked(session, app_ids, fingerprint)
    row.verified_in_release = release
    _move(session, row, by, RESOLVED, archived=False)
    note(session, row, by, "verified", release)


def assign(session: Session, row: IssueRow, by: Change, user_id: int | None, email: str) -> None:
    """Give the issue to a user, or to nobody."""
    row.assignee_id = user_id
    note(session, row, by, "assigned", email)


def mute(session: Session, row: IssueRow, by: Change, until_ms: int | None) -> None:
    """Mute until a time, or no longer."""
    row.muted_until_ms = until_ms
    note(session, row, by, "muted", "" if until_ms is None else str(until_ms))


def locked(session: Session, app_ids: Mapping[int, str], fingerprint: str) -> IssueRow:
    """The issue's row, kept from other writers until the end of the transaction. Raises IssueNotFound, IssueIsMerged."""
    query = select(IssueRow).where(col(IssueRow.app_id).in_(app_ids), IssueRow.fingerprint == fingerprint)
    row = session.exec(query.with_for_update()).first()
    if row is None:
        raise IssueNotFound
    if row.merged_into_id is not None:
        raise IssueIsMerged
    return row


def note(session: Session, row: IssueRow, by: Change, kind: str, text: str) -> Comment:
    """Write an entry into the issue's thread."""
    entry_id = _write(session, row.app_id, row.id, by, kind, text)
    author = "" if by.user_id is None else session.exec(select(UserRow.email).where(UserRow.id == by.user_id)).one()
    return Comment(entry_id, author, kind, text, by.now_ms)


def comments(session: Session, app_id: int, issue_id: int, before_id: int | None, limit: int) -> list[Comment]:
    """Entries of an issue's thread, newest first, older than `before_id`."""
    query = (
        select(IssueCommentRow, UserRow.email)
        .join(UserRow, col(UserRow.id) == col(IssueCommentRow.author_id), isouter=True)
        .where(IssueCommentRow.app_id == app_id, IssueCommentRow.issue_id == issue_id)
    )
    if before_id is not None:
        query = query.where(col(IssueCommentRow.id) < before_id)
    rows = session.exec(query.order_by(col(IssueCommentRow.id).desc()).limit(limit))
    return [Comment(row.id, email or "", row.kind, row.text, row.created_ms) for row, email in rows]


def _move(session: Session, row: IssueRow, by: Change, status: str, *, archived: bool) -> None:
    """Set the status by hand; the totals of archived issues follow."""
    if archived != row.archived:
        tally = counters.Tally(by.shard)
        tally.move_issue(row.app_id, platforms_of(session, row.app_id, row.id), archived=archived)
        tally.write(bulk_of(session))
    row.status = status
    row.archived = archived
    row.archived_ms = by.now_ms if archived else None
    row.regressed_ms = row.regressed_in_release = None
    row.status_changed_ms = by.now_ms
    row.status_changed_by = by.user_id
    session.add(row)


def platforms_of(session: Session, app_id: int, issue_id: int) -> list[str]:
    """The platforms an issue was seen on."""
    query = select(IssueFacetRow.value).where(
        IssueFacetRow.app_id == app_id, IssueFacetRow.issue_id == issue_id, IssueFacetRow.property == "platform"
    )
    return list(session.exec(query))


def regressing_release(
    status: str, fixed_in_release: str | None, verified_in_release: str | None, releases: Collection[str]
) -> str | None:
    """The release among `releases` that shows that a closed issue is back; None while it stays closed."""
    fixed = fixed_in_release if fixed_in_release is not None else verified_in_release
    if status not in CLOSED or fixed is None:
        return None
    return next((release for release in sorted(releases) if compare_releases(release, fixed) >= 0), None)


_PLATFORMS = Query(
    (("app_id", "int"), ("issue_id", "int")),
    "SELECT f.value FROM {rows} CROSS JOIN issue_facets AS f "
    "WHERE f.app_id = r.app_id AND f.issue_id = r.issue_id AND f.property = 'platform'",
)
_REOPEN = Query(
    (("app_id", "int"), ("id", "int"), ("now_ms", "int"), ("release", "text")),
    f"UPDATE issues SET status = '{OPEN}', archived = false, archived_ms = NULL, regressed_ms = r.now_ms, "  # noqa: S608
    "regressed_in_release = r.release, status_changed_ms = r.now_ms, status_changed_by = NULL FROM {rows} "
    "WHERE issues.app_id = r.app_id AND issues.id = r.id RETURNING issues.id",
)
_NOTE = Insert(
    "issue_comments",
    (("app_id", "int"), ("issue_id", "int"), ("id", "int"), ("kind", "text"), ("text", "text"), ("created_ms", "int")),
    ("app_id", "issue_id", "id"),
    "DO NOTHING",
)


def regress(bulk: Bulk, regressions: Sequence[Regression], tally: counters.Tally, by: Change) -> None:
    """Reopen issues because events came back."""
    for one in regressions:
        if one.was_archived:
            platforms = [value for (value,) in bulk.ask(_PLATFORMS, [(one.app_id, one.issue_id)])]
            tally.move_issue(one.app_id, platforms, archived=False)
    bulk.ask(_REOPEN, [(one.app_id, one.issue_id, by.now_ms, one.release) for one in regressions])
    entries = zip(regressions, by.ids.take(len(regressions)), strict=True)
    bulk.insert(
        _NOTE, [(one.app_id, one.issue_id, entry, "regressed", one.release, by.now_ms) for one, entry in entries]
    )


def _write(session: Session, app_id: int, issue_id: int, by: Change, kind: str, text: str) -> int:
    (entry_id,) = by.ids.take(1)
    session.add(
        IssueCommentRow(
            app_id=app_id,
            issue_id=issue_id,
            id=entry_id,
            author_id=by.user_id,
            kind=kind,
            text=text,
            created_ms=by.now_ms,
        )
    )
    return entry_id
