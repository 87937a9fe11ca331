"""Issues merged into others: a repair of grouping by hand that can be undone.

A merged issue keeps its row, its events and its own numbers; it leaves the lists and totals, and what is shown of its
target covers it too. New events count for both: their own fingerprint and the target. There are no chains: whatever
is merged points at an issue that is not.

Rows are locked in the order in which the writer locks them, all in one statement, so that the two cannot deadlock.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import BigInteger, delete, insert, literal, text
from sqlmodel import Session, col, func, select, update

from server.errors import IssueIsMerged, IssueNotFound, IssueNotMerged, MergeNeedsAnotherIssue, TooManyMergedIssues
from server.store import counters, lifecycle
from server.store.bulk import StaleTransaction, bulk_of
from server.store.lifecycle import Change
from server.store.tables import DistinctUserRow, IssueFacetRow, IssueRow

MAX_MERGED: Final = 100
"""Issues in one besides itself: what a reader of its events has to bring together."""

IssueKey = tuple[int, str]
"""App id and fingerprint."""


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
        tally.write(bulk_of(session))
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
    tally.write(bulk_of(session))
    lifecycle.note(session, row, by, "unmerged", target.fingerprint)
    lifecycle.note(session, target, by, "unmerged", row.fingerprint)


class _Group:
    """The issues of these fingerprints, what they are merged into and what is merged into those, all locked."""

    def __init__(self, session: Session, app_id: int, fingerprints: Collection[str]) -> None:
        self._session = session
        self._app_id = app_id
        heads = self._heads(fingerprints)
        ids = heads | self._member_ids(heads)
        query = select(IssueRow).where(IssueRow.app_id == app_id, col(IssueRow.id).in_(ids))
        in_order = col(IssueRow.fingerprint).concat("")  # bare, SQLite would walk all issues of the app in this order
        rows = session.exec(query.order_by(in_order).with_for_update()).all()
        self._by_id = {row.id: row for row in rows}
        self._by_name = {row.fingerprint: row for row in rows}
        if self._heads(fingerprints) != heads or heads | self._member_ids(heads) != ids:
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
            row.user_count = _show_users(self._session, row, members)
            self._session.flush()
            _show_facets(self._session, row, has_members=bool(members))


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


def _show_users(session: Session, row: IssueRow, members: Sequence[IssueRow]) -> int:
    """Note anew the users of the issue and its members together, and count them."""
    scope, part, user = col(DistinctUserRow.scope), col(DistinctUserRow.part), col(DistinctUserRow.user_key)
    of_app = col(DistinctUserRow.app_id) == row.app_id
    session.exec(delete(DistinctUserRow).where(of_app, scope == row.id, part == counters.OF_GROUP))
    if members:
        together = sa.select(
            literal(row.app_id, BigInteger), literal(row.id, BigInteger), literal(counters.OF_GROUP), user
        )
        of_parts = (scope.in_([one.id for one in (row, *members)]), part == counters.OF_ISSUE)
        columns = ("app_id", "scope", "part", "user_key")
        session.exec(insert(DistinctUserRow).from_select(columns, together.where(of_app, *of_parts).distinct()))
    shown = part == (counters.OF_GROUP if members else counters.OF_ISSUE)
    return session.exec(select(func.count()).select_from(DistinctUserRow).where(of_app, scope == row.id, shown)).one()


_ADD_FACETS = """
INSERT INTO issue_facets (app_id, issue_id, property, value, event_count, own_event_count)
SELECT f.app_id, CAST(:head AS BIGINT), f.property, f.value, SUM(f.own_event_count), 0 FROM issue_facets AS f
WHERE f.app_id = :app_id AND f.issue_id IN (SELECT id FROM issues WHERE app_id = :app_id AND merged_into_id = :head)
GROUP BY f.app_id, f.property, f.value
ON CONFLICT (app_id, issue_id, property, value)
DO UPDATE SET event_count = issue_facets.event_count + excluded.event_count
"""


def _show_facets(session: Session, row: IssueRow, *, has_members: bool) -> None:
    of_issue = (col(IssueFacetRow.app_id) == row.app_id, col(IssueFacetRow.issue_id) == row.id)
    session.exec(delete(IssueFacetRow).where(*of_issue, col(IssueFacetRow.own_event_count) == 0))
    own = update(IssueFacetRow).where(*of_issue).values(event_count=col(IssueFacetRow.own_event_count))
    session.exec(own.execution_options(synchronize_session=False))
    if has_members:
        session.connection().execute(text(_ADD_FACETS), {"head": row.id, "app_id": row.app_id})


class Member(NamedTuple):
    """One of the issues that are shown as one, by its own fingerprint."""

    id: int
    fingerprint: str
    error_type: str


def members_of(session: Session, heads: Collection[tuple[int, int]]) -> dict[tuple[int, int], list[Member]]:
    """By app and issue: the issues merged into each, oldest first."""
    found: dict[tuple[int, int], list[Member]] = {}
    if not heads:
        return found
    names = ("app_id", "merged_into_id", "id", "fingerprint", "error_type")
    query = sa.select(*(col(getattr(IssueRow, name)) for name in names)).where(
        col(IssueRow.app_id).in_({app_id for app_id, _ in heads}),
        col(IssueRow.merged_into_id).in_([issue_id for _, issue_id in heads]),
    )
    for app_id, target_id, *member in sorted(session.connection().execute(query), key=lambda row: row[2]):
        found.setdefault((app_id, target_id), []).append(Member(*member))
    return found


def targets_by_id(session: Session, targets: Collection[tuple[int, int]]) -> dict[int, str]:
    """Fingerprints of issues that others are merged into, by id; `targets` are their apps and ids."""
    if not targets:
        return {}
    query = select(IssueRow.id, IssueRow.fingerprint).where(
        col(IssueRow.app_id).in_({app_id for app_id, _ in targets}), col(IssueRow.id).in_({own for _, own in targets})
    )
    return dict(session.exec(query).all())
