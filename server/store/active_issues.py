"""Which issues had an event in a range, told from their hours, and from events in the partial hours at its ends.

Most issues tell by their first and last event; only those that began before the range and went on after it are looked up.
"""

import sqlalchemy as sa
from sqlalchemy import ColumnElement, and_, bindparam, exists, or_
from sqlalchemy.orm import aliased
from sqlmodel import col

from server.store.tables import EventRow, IssueHourRow, IssueRow
from server.store.totals import Column, TimeRange, hours_and_edges

_START, _END = bindparam("active_start", type_=sa.BigInteger), bindparam("active_end", type_=sa.BigInteger)
_EDGES = ("head", "tail")
_EVER_MS = 1 << 60


def bounds(when: TimeRange) -> dict[str, int]:
    """What the parameters of HAD_AN_EVENT are for a range; what it has not is an interval without anything in it."""
    start = 0 if when.start_ms is None else when.start_ms
    end = _EVER_MS if when.end_ms is None else when.end_ms
    hours, edges = hours_and_edges(when)
    intervals = {"hours": hours or (0, -1)} | dict.fromkeys(_EDGES, (0, -1)) | dict(zip(_EDGES, edges, strict=False))
    told = {"active_start": start, "active_end": end}
    for name, (first, last) in intervals.items():
        told |= {f"{name}_first": first, f"{name}_last": last}
    return told


def _inside(column: Column, name: str) -> ColumnElement[bool]:
    first, last = (bindparam(f"{name}_{end}", type_=sa.BigInteger) for end in ("first", "last"))
    inside: ColumnElement[bool] = column.between(first, last)
    return inside


def _seen_inside(app: Column, issue: Column) -> ColumnElement[bool]:
    """The issue has an event of its own fingerprint in the range."""
    hours = exists().where(
        col(IssueHourRow.app_id) == app, col(IssueHourRow.issue_id) == issue, _inside(col(IssueHourRow.hour), "hours")
    )
    edges = (
        exists().where(
            col(EventRow.app_id) == app, col(EventRow.issue_id) == issue, _inside(col(EventRow.time_ms), edge)
        )
        for edge in _EDGES
    )
    return or_(hours, *edges)


_part = aliased(IssueRow)
_A_PART_INSIDE = and_(
    col(IssueRow.event_count) > col(IssueRow.own_event_count),
    exists().where(
        col(_part.app_id) == col(IssueRow.app_id),
        col(_part.merged_into_id) == col(IssueRow.id),
        _seen_inside(col(_part.app_id), col(_part.id)),
    ),
)

HAD_AN_EVENT: ColumnElement[bool] = and_(
    col(IssueRow.last_seen_ms) >= _START,
    col(IssueRow.first_seen_ms) <= _END,
    or_(
        col(IssueRow.first_seen_ms) >= _START,
        col(IssueRow.last_seen_ms) <= _END,
        _seen_inside(col(IssueRow.app_id), col(IssueRow.id)),
        _A_PART_INSIDE,
    ),
)
"""A condition on IssueRow that is not merged itself; it counts the events of those merged into it."""
