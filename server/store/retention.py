"""Retention: which events are too old, which of those are kept all the same, and the removal of the others.

The rule. Events go by the time the server received them, the oldest first. An event older than its app's retention goes,
unless its issue keeps it: an issue keeps its first and its latest KEPT_AT_EACH_END events, in the order in which they are
listed, and all of them while no more than RARE_EVENTS were ever seen. An issue keeps nothing once it was last seen
KEPT_FACTOR times the retention ago. Over the disk budget the age of the oldest events takes the place of the retention:
it shrinks until the data fits, and what issues keep still lives KEPT_FACTOR times as long as the rest. An issue is one
fingerprint here, so that merging issues and taking them apart again removes nothing.

Counters count what was seen: removing events changes none of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, Self

import sqlalchemy as sa
from sqlalchemy import text
from sqlmodel import Session, col, func, select

from server.store import removal
from server.store.bulk import bulk_of
from server.store.tables import AppRow, EventRow

KEPT_AT_EACH_END: Final = 3
RARE_EVENTS: Final = 10
KEPT_FACTOR: Final = 4
DAY_MS: Final = 86_400_000

BATCH_EVENTS: Final = 500
"""Events that one transaction looks at and may remove: short enough for ingest, which waits for SQLite's one writer."""

EVERY_RETENTION: Final = 0


@dataclass(frozen=True, slots=True)
class Reach:
    """What a sweep is about: events received before `received_ms`; issues last seen before `seen_ms` keep none of them.

    Only of apps with a retention of `retention_days`, unless that is EVERY_RETENTION; `default_days` is the retention of
    apps that chose none.
    """

    received_ms: int
    seen_ms: int
    retention_days: int
    default_days: int

    @classmethod
    def of_age(cls, age_ms: int, now_ms: int, retention_days: int, default_days: int) -> Self:
        """What is too old if events may reach this age."""
        return cls(now_ms - age_ms, now_ms - KEPT_FACTOR * age_ms, retention_days, default_days)


@dataclass(frozen=True, slots=True)
class Swept:
    """Everything up to the id `position` was looked at, `doomed` (app id, event key) goes; `more` if there is more to see."""

    position: int
    doomed: Sequence[tuple[int, bytes]]
    more: bool


def retentions(session: Session, default_days: int) -> dict[int, list[int]]:
    """Days of retention -> ids of the apps that have it."""
    found: dict[int, list[int]] = {}
    for app_id, days in session.exec(select(AppRow.id, AppRow.retention_days).where(col(AppRow.deleted_ms).is_(None))):
        if app_id is not None:
            found.setdefault(days or default_days, []).append(app_id)
    return found


def examine(session: Session, reach: Reach, after_id: int, events: int = BATCH_EVENTS) -> Swept:
    """What has to go of the next `events` events of any app behind the id `after_id`, without removing it.

    Ids follow the order of arrival. The first event that is young enough ends the search.
    """
    given = {"received": reach.received_ms, "seen": reach.seen_ms, "days": reach.retention_days}
    given |= {"default": reach.default_days, "rare": RARE_EVENTS, "nth": KEPT_AT_EACH_END - 1}
    rows = session.connection().execute(text(_EXAMINE), given | {"after": after_id, "events": events})
    old = list(takewhile(lambda row: row.received_ms < reach.received_ms, rows.all()))
    doomed = [(row.app_id, row.event_key) for row in old if row.goes]
    return Swept(old[-1].id if old else after_id, doomed, more=len(old) == events)


def sweep(session: Session, reach: Reach, after_id: int, events: int = BATCH_EVENTS) -> Swept:
    """Examine, and remove what has to go."""
    swept = examine(session, reach, after_id, events)
    if swept.doomed:
        removal.remove(bulk_of(session), swept.doomed)
    return swept


def youngest(session: Session, after_id: int, events: int = BATCH_EVENTS) -> int | None:
    """When the youngest of the next `events` events behind `after_id` was received; None where there are none."""
    window = select(EventRow.received_ms).where(col(EventRow.id) > after_id).order_by(col(EventRow.id)).limit(events)
    found: int | None = session.connection().execute(sa.select(func.max(window.subquery().c.received_ms))).scalar_one()
    return found


# An event is among an issue's first K exactly if it has no K-th predecessor: one seek in ix_events_issue for each end.
# The plus takes the type from a column; with it SQLite would compare by another than the index has, and use half the index.
_EXAMINE = """
SELECT e.id, e.app_id, e.event_key, e.received_ms, CASE
    WHEN e.received_ms >= :received THEN 0
    WHEN :days > 0 AND COALESCE(a.retention_days, :default) <> :days THEN 0
    WHEN i.id IS NULL OR i.own_last_seen_ms < :seen THEN 1
    WHEN i.own_event_count <= :rare THEN 0
    WHEN (SELECT f.id FROM events AS f
          WHERE f.app_id = e.app_id AND f.issue_id = e.issue_id AND (f.time_ms, f.id) < (+e.time_ms, +e.id)
          ORDER BY f.time_ms DESC, f.id DESC LIMIT 1 OFFSET :nth) IS NULL THEN 0
    WHEN (SELECT f.id FROM events AS f
          WHERE f.app_id = e.app_id AND f.issue_id = e.issue_id AND (f.time_ms, f.id) > (+e.time_ms, +e.id)
          ORDER BY f.time_ms, f.id LIMIT 1 OFFSET :nth) IS NULL THEN 0
    ELSE 1 END AS goes
FROM (SELECT id, app_id, event_key, received_ms, issue_id, time_ms
      FROM events WHERE id > :after ORDER BY id LIMIT :events) AS e
LEFT JOIN apps AS a ON a.id = e.app_id
LEFT JOIN issues AS i ON i.app_id = e.app_id AND i.id = e.issue_id
ORDER BY e.id
"""
