"""Counters that end: books and hourly rows that are older than anybody asks for."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlmodel import Session

from server.store.counters import HOUR_MS, hour_scope
from server.store.retention import DAY_MS, KEPT_FACTOR

HOURS_KEPT_DAYS: Final = 400
"""Hourly totals: a year, and the month before it to compare with."""

LEDGER_KEPT_DAYS: Final = 90
"""Minutes of the ledger: at one row of each outcome a minute about 8 MB an app."""

BATCH_ROWS: Final = 1_000
_MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Ends:
    """First minute of the ledger, first hour of the totals and first hour of users that stay; all since the epoch."""

    minute: int
    hour: int
    user_hour: int


def ends(now_ms: int, age_ms: int) -> Ends:
    """What stays where events may reach this age: users by hour live as long as an issue keeps events."""
    hour = (now_ms - HOURS_KEPT_DAYS * DAY_MS) // HOUR_MS
    user_hour = max(0, hour, (now_ms - KEPT_FACTOR * age_ms) // HOUR_MS)
    return Ends((now_ms - LEDGER_KEPT_DAYS * DAY_MS) // _MINUTE_MS, hour, user_hour)


def drop_some(session: Session, app_id: int, keep: Ends, rows: int = BATCH_ROWS) -> bool:
    """Remove some rows of the app that ended; whether there may be more.

    The ledger loses whole minutes and the totals whole hours, so that what is left still adds up.
    """
    given: dict[str, Any] = {"app_id": app_id, "minute": keep.minute, "hour": keep.hour, "rows": rows}
    given |= {"first": hour_scope(0), "end": hour_scope(keep.user_hour)}
    return any(session.connection().execute(text(query), given).rowcount > 0 for query in _DROPS)


_DROPS = (
    """
    DELETE FROM ledger WHERE app_id = :app_id AND minute < :minute
    AND minute <= (SELECT min(minute) + 60 FROM ledger WHERE app_id = :app_id)
    """,
    """
    DELETE FROM hour_totals WHERE app_id = :app_id AND hour < :hour
    AND hour <= (SELECT min(hour) + 24 FROM hour_totals WHERE app_id = :app_id)
    """,
    """
    DELETE FROM distinct_users WHERE app_id = :app_id AND (scope, user_key) IN (
        SELECT scope, user_key FROM distinct_users
        WHERE app_id = :app_id AND scope >= :first AND scope < :end ORDER BY scope, user_key LIMIT :rows
    )
    """,
)
