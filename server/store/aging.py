"""Counters that end: books and hourly rows that are older than anybody asks for. Totals and issues never end."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlmodel import Session, SQLModel, col, select

from server.store.columns import Columns
from server.store.counters import HOUR_MS
from server.store.engine import bind, source
from server.store.retention import DAY_MS, KEPT_FACTOR
from server.store.tables import IssueRow

HOURS_KEPT_DAYS: Final = 400
"""Hourly counters: a year, and the month before it to compare with."""

LEDGER_KEPT_DAYS: Final = 90
"""Minutes of the ledger: at one row of each outcome a minute about 8 MB an app."""

BATCH_ROWS: Final = 1_000
BATCH_ISSUES: Final = 100
_MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Ends:
    """First minute of the ledger, first hour of counters and first hour of users that stay; all since the epoch."""

    minute: int
    hour: int
    user_hour: int


def ends(now_ms: int, age_ms: int) -> Ends:
    """What stays where events may reach this age: users by hour live as long as an issue keeps events."""
    hour = (now_ms - HOURS_KEPT_DAYS * DAY_MS) // HOUR_MS
    user_hour = max(0, hour, (now_ms - KEPT_FACTOR * age_ms) // HOUR_MS)
    return Ends((now_ms - LEDGER_KEPT_DAYS * DAY_MS) // _MINUTE_MS, hour, user_hour)


def drop_of_app(session: Session, app_id: int, keep: Ends, rows: int = BATCH_ROWS) -> bool:
    """Remove some rows of the app that ended; whether there may be more.

    The ledger loses whole minutes and counters lose whole hours, so that what is left still adds up.
    """
    given = {"app_id": app_id, "rows": rows, "minute": keep.minute, "hour": keep.hour}
    given |= {"user_scope": -keep.user_hour}
    queries = (_LEDGER, _USERS, _METRICS, *(_HOURS.format(table=table) for table in _hourly_tables()))
    return any(session.connection().execute(text(query), given).rowcount for query in queries)


def drop_of_issues(session: Session, app_id: int, after_id: int, keep: Ends, rows: int = BATCH_ROWS) -> int | None:
    """Remove some hourly rows of the next issues behind `after_id`; the id to go on behind, or None at the end."""
    query = select(IssueRow.id).where(IssueRow.app_id == app_id, col(IssueRow.id) > after_id)
    issue_ids = session.exec(query.order_by(col(IssueRow.id)).limit(BATCH_ISSUES)).all()
    if not issue_ids:
        return None
    given = bind(session, "r", _ISSUES, [(issue_id,) for issue_id in issue_ids])
    given |= {"app_id": app_id, "hour": keep.hour, "user_hour": keep.user_hour, "rows": rows}
    for drop in (_ISSUE_HOURS, _ISSUE_USERS):
        removed = session.connection().execute(text(drop.format(issues=source(session, "r", _ISSUES))), given).rowcount
        if removed >= rows:
            return after_id
    return issue_ids[-1]


def _hourly_tables() -> list[str]:
    """Every table whose key begins with an app and an hour; a new one joins by that."""
    tables = SQLModel.metadata.sorted_tables
    return [table.name for table in tables if [*table.primary_key.columns.keys()][:2] == ["app_id", "hour"]]


_LEDGER = """
DELETE FROM ledger WHERE app_id = :app_id AND minute < :minute
AND minute <= (SELECT min(minute) + 60 FROM ledger WHERE app_id = :app_id)
"""
_HOURS = """
DELETE FROM {table} WHERE app_id = :app_id AND hour < :hour
AND hour <= (SELECT min(hour) + 24 FROM {table} WHERE app_id = :app_id)
"""
_USERS = """
DELETE FROM distinct_users WHERE app_id = :app_id AND (scope, part, user_key) IN (
    SELECT scope, part, user_key FROM distinct_users
    WHERE app_id = :app_id AND scope > :user_scope AND scope < 0 AND part > 0 ORDER BY scope, part, user_key LIMIT :rows
)
"""
# Hours and days alike, each once all of it ended; the second condition is the one an index can use.
_METRICS = """
DELETE FROM metric_spans WHERE app_id = :app_id AND (kind, span_hours, first_hour, name, shard) IN (
    SELECT kind, span_hours, first_hour, name, shard FROM metric_spans
    WHERE app_id = :app_id AND kind IN (0, 1) AND span_hours IN (1, 24) AND first_hour < :hour AND first_hour + span_hours <= :hour LIMIT :rows
)
"""

_ISSUES: Columns = (("issue_id", "int"),)
_ISSUE_HOURS = """
DELETE FROM issue_hours WHERE app_id = :app_id AND (issue_id, hour) IN (
    SELECT h.issue_id, h.hour FROM {issues} JOIN issue_hours AS h
    ON h.app_id = :app_id AND h.issue_id = r.issue_id AND h.hour < :hour LIMIT :rows
)
"""
_ISSUE_USERS = """
DELETE FROM distinct_users WHERE app_id = :app_id AND (scope, part, user_key) IN (
    SELECT u.scope, u.part, u.user_key FROM {issues} JOIN distinct_users AS u
    ON u.app_id = :app_id AND u.scope = r.issue_id AND u.part > 0 AND u.part < :user_hour LIMIT :rows
)
"""
