"""Reading what grouping is judged by: issues and the latest of their events."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import select as sa_select, union_all
from sqlmodel import Session, col, select

from server.store import packs
from server.store.bulk import bulk_of
from server.store.packs import Stored
from server.store.tables import EventRow, IssueRow


class GroupedIssue(NamedTuple):
    """An issue by its own fingerprint; `head_id` is the issue it is shown in, its own id unless it is merged."""

    id: int
    head_id: int


def newest_issues(
    session: Session, app_id: int, versions: Collection[str], before_id: int | None, limit: int
) -> list[GroupedIssue]:
    """Issues that these versions of the grouping made, newest first, older than `before_id`."""
    query = select(IssueRow.id, IssueRow.merged_into_id).where(
        IssueRow.app_id == app_id, col(IssueRow.grouping_version).in_(versions)
    )
    if before_id is not None:
        query = query.where(col(IssueRow.id) < before_id)
    rows = session.exec(query.order_by(col(IssueRow.id).desc()).limit(limit))
    return [GroupedIssue(own, own if head is None else head) for own, head in rows]


def latest_messages(session: Session, app_id: int, issue_ids: Sequence[int], limit: int) -> dict[int, list[bytes]]:
    """Serialised, the latest events of each issue by its own fingerprint, newest first; issues without any are left out."""
    if not issue_ids:
        return {}
    names = ("issue_id", "time_ms", "id", "pack_offset", "payload")
    columns = sa_select(*(col(getattr(EventRow, name)) for name in names))
    branches = [
        columns.where(col(EventRow.app_id) == app_id, col(EventRow.issue_id) == issue_id)
        .order_by(col(EventRow.time_ms).desc(), col(EventRow.id).desc())
        .limit(limit)
        .subquery()
        for issue_id in issue_ids
    ]
    union = union_all(*(sa_select(branch) for branch in branches)).subquery()
    newest_first = sa_select(union).order_by(union.c.time_ms.desc(), union.c.id.desc())
    rows = session.connection().execute(newest_first).all()
    stored = [Stored(app_id, event_id, offset, payload) for _, _, event_id, offset, payload in rows]
    found: dict[int, list[bytes]] = {}
    for row, message in zip(rows, packs.messages(bulk_of(session), stored), strict=True):
        if message is not None:
            found.setdefault(row[0], []).append(message)
    return found
