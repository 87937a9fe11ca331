"""Issues merged into others: a repair of grouping by hand that can be undone.

A merged issue keeps its row, its events and its own numbers; it leaves the lists and totals, and what is shown of its
target covers it too. New events count for both: their own fingerprint and the target. There are no chains: whatever
is merged points at an issue that is not.

Rows are locked in the order in which the writer locks them, all in one statement, so that the two cannot deadlock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import delete, text
from sqlmodel import Session, col, or_, select, update

from server.errors import IssueIsMerged, IssueNotFound, IssueNotMerged, MergeNeedsAnotherIssue, TooManyMergedIssues
from server.store import counters, lifecycle
from server.store.engine import Columns, StaleTransaction, bind, source
from server.store.lifecycle import Change
from server.store.tables import IssuePlatformRow, IssueRow

MAX_MERGED: Final = 100
"""Issues in one besides itself: what a reader of its events has to bring together."""

IssueKey = tuple[int, str]
"""App id and fingerprint."""


class Target(NamedTuple):
    """The issue that another one is merged into."""

    id: int
    key: IssueKey


_KEYS: Columns = (("app_id", "int"), ("fingerprint", "text"))
_TARGETS = """
SELECT i.app_id, i.fingerprint, t.id, t.fingerprint FROM {rows}
CROSS JOIN issues AS i CROSS JOIN issues AS t
WHERE i.app_id = k.app_id AND i.fingerprint = k.fingerprint AND t.app_id = i.app_id AND t.id = i.merged_into_id
"""


def targets_of(session: Session, keys: Sequence[IssueKey]) -> dict[IssueKey, Target]:
    """Where those of the issues that are merged point."""
    if not keys:
        return {}
    query = text(_TARGETS.format(rows=source(session, "k", _KEYS)))
    rows = session.connection().execute(query, bind(session, "k", _KEYS, keys))
    return {(app_id, own): Target(target_id, (app_id, target)) for app_id, own, target_id, target in rows}


def merge(session: Session, app_id: int, fingerprint: str, others: Collection[str], by: Change) -> str:
    """Merge the other issues, with all that is merged into them, into the one named first; its fingerprint.

    Where the one named first is merged itself, its target takes them. Those that are there already stay there. Raises
    IssueNotFound, IssueIsMerged (one is merged into an issue that is not named), MergeNeedsAnotherIssue, TooManyMergedIssues.
    """
    group = _Group(session, app_id, {fingerprint, *others})
    target = group.target_of(group.named(fingerprint))
    named = [row for row in map(group.named, sorted(set(others))) if row is not target]
    if not named:
        raise MergeNeedsAnotherIssue
    if any(row.merged_into_id not in {None, target.id, *(other.id for other in named)} for row in named):
        raise IssueIsMerged
    joining = [row for row in named if row.merged_into_id is None]
    moving = [*joining, *(member for row in joining for member in group.members(row))]
    if len(group.members(target)) + len(moving) > MAX_MERGED:
        raise TooManyMergedIssues
    if moving:
        tally = counters.Tally(by.shard)
        group.count([target, *joining], tally, -1)
        for row in moving:
            row.merged_into_id = target.id
        group.settle([*joining, target])
        group.count([target], tally, 1)
        tally.write(session)
        for row in joining:
            lifecycle.note(session, row, by, "merged", target.fingerprint)
            lifecycle.note(session, target, by, "merged", row.fingerprint)
    return target.fingerprint


def unmerge(session: Session, app_id: int, fingerprint: str, by: Change) -> None:
    """Take an issue out of the one it is merged into. Raises IssueNotFound, IssueNotMerged."""
    group = _Group(session, app_id, {fingerprint})
    row = group.named(fingerprint)
    if row.merged_into_id is None:
        raise IssueNotMerged
    target = group.target_of(row)
    tally = counters.Tally(by.shard)
    group.count([target], tally, -1)
    row.merged_into_id = None
    group.settle([target])
    group.count([target, row], tally, 1)
    tally.write(session)
    lifecycle.note(session, row, by, "unmerged", target.fingerprint)
    lifecycle.note(session, target, by, "unmerged", row.fingerprint)


class _Group:
    """The issues of these fingerprints, what they are merged into and what is merged into those, all locked."""

    def __init__(self, session: Session, app_id: int, fingerprints: Collection[str]) -> None:
        self._session = session
        self._app_id = app_id
        heads = self._heads(fingerprints)
        wanted = or_(col(IssueRow.id).in_(heads), col(IssueRow.merged_into_id).in_(heads))
        query = select(IssueRow).where(IssueRow.app_id == app_id, wanted).order_by(col(IssueRow.fingerprint))
        rows = session.exec(query.with_for_update()).all()
        self._by_id = {row.id: row for row in rows}
        self._by_name = {row.fingerprint: row for row in rows}
        if self._heads(fingerprints) != heads or self._member_ids(heads) != self._by_id.keys() - heads:
            raise StaleTransaction

    def _heads(self, fingerprints: Collection[str]) -> set[int]:
        """Ids of the issues that are not merged and hold these."""
        query = select(IssueRow.id, IssueRow.merged_into_id).where(
            IssueRow.app_id == self._app_id, col(IssueRow.fingerprint).in_(fingerprints)
        )
        return {own if target is None else target for own, target in self._session.exec(query)}

    def _member_ids(self, heads: Collection[int]) -> set[int]:
        query = select(IssueRow.id).where(IssueRow.app_id == self._app_id, col(IssueRow.merged_into_id).in_(heads))
        return set(self._session.exec(query))

    def named(self, fingerprint: str) -> IssueRow:
        """Raises IssueNotFound."""
        row = self._by_name.get(fingerprint)
        if row is None:
            raise IssueNotFound
        return row

    def target_of(self, row: IssueRow) -> IssueRow:
        """What the issue is merged into, or the issue itself."""
        return row if row.merged_into_id is None else self._by_id[row.merged_into_id]

    def members(self, head: IssueRow) -> list[IssueRow]:
        return [row for row in self._by_id.values() if row.merged_into_id == head.id]

    def count(self, heads: Iterable[IssueRow], tally: counters.Tally, by: int) -> None:
        """Count the issues into the totals, or out of them, as they are shown now."""
        for row in heads:
            platforms = lifecycle.platforms_of(self._session, self._app_id, row.id)
            tally.count_issue(self._app_id, platforms, archived=row.archived, by=by)

    def settle(self, changed: Iterable[IssueRow]) -> None:
        """Work out anew what is shown of issues that gained or lost others."""
        for row in changed:
            members = self.members(row)
            _show(row, members)
            self._session.flush()
            _show_platforms(self._session, row, has_members=bool(members))


def _show(row: IssueRow, members: Sequence[IssueRow]) -> None:
    """Message and error type stay the issue's own. Which of several events came last in its own time decides the release."""
    parts = [row, *members]
    row.event_count = sum(part.own_event_count for part in parts)
    row.first_seen_ms = min(part.own_first_seen_ms for part in parts)
    row.last_seen_ms = max(part.own_last_seen_ms for part in parts)
    row.first_seen_release = min(parts, key=lambda part: part.id).own_first_seen_release
    released = [part for part in parts if part.own_last_seen_release is not None]
    latest = max(released, key=lambda part: (part.own_last_seen_ms, part.id), default=row)
    row.last_seen_release = latest.own_last_seen_release


_ADD_PLATFORMS = """
INSERT INTO issue_platforms (app_id, issue_id, platform, event_count, own_event_count)
SELECT p.app_id, CAST(:head AS BIGINT), p.platform, SUM(p.own_event_count), 0 FROM issue_platforms AS p
WHERE p.app_id = :app_id AND p.issue_id IN (SELECT id FROM issues WHERE app_id = :app_id AND merged_into_id = :head)
GROUP BY p.app_id, p.platform
ON CONFLICT (app_id, issue_id, platform) DO UPDATE SET event_count = issue_platforms.event_count + excluded.event_count
"""


def _show_platforms(session: Session, row: IssueRow, *, has_members: bool) -> None:
    of_issue = (col(IssuePlatformRow.app_id) == row.app_id, col(IssuePlatformRow.issue_id) == row.id)
    session.exec(delete(IssuePlatformRow).where(*of_issue, col(IssuePlatformRow.own_event_count) == 0))
    own = update(IssuePlatformRow).where(*of_issue).values(event_count=col(IssuePlatformRow.own_event_count))
    session.exec(own.execution_options(synchronize_session=False))
    if has_members:
        session.connection().execute(text(_ADD_PLATFORMS), {"head": row.id, "app_id": row.app_id})


def members_of(session: Session, rows: Collection[IssueRow]) -> Mapping[tuple[int, int], list[tuple[int, str]]]:
    """By app and issue: ids and fingerprints of the issues merged into each, oldest first."""
    found: dict[tuple[int, int], list[tuple[int, str]]] = {}
    app_ids = {row.app_id for row in rows}
    query = select(IssueRow.app_id, IssueRow.merged_into_id, IssueRow.id, IssueRow.fingerprint).where(
        col(IssueRow.app_id).in_(app_ids), col(IssueRow.merged_into_id).in_([row.id for row in rows])
    )
    for app_id, target_id, issue_id, fingerprint in session.exec(query.order_by(col(IssueRow.id))):
        if target_id is not None:
            found.setdefault((app_id, target_id), []).append((issue_id, fingerprint))
    return found


def targets_by_id(session: Session, rows: Collection[IssueRow]) -> dict[int, str]:
    """Fingerprints of what those of the issues that are merged are merged into, by id."""
    ids = {row.merged_into_id for row in rows if row.merged_into_id is not None}
    if not ids:
        return {}
    query = select(IssueRow.id, IssueRow.fingerprint).where(
        col(IssueRow.app_id).in_({row.app_id for row in rows}), col(IssueRow.id).in_(ids)
    )
    return dict(session.exec(query).all())
