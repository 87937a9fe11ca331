"""Counters kept at write time, so that no total is ever read from events.

Distinct users are counted by rows of `distinct_users`, one per user and scope:
`` (the app), `p:<platform>`, and `h:<hour, 9 digits>:<platform>` for ranges of time. A row that is new adds one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlmodel import Session

from server.store.engine import Columns, bind, source
from server.store.tables import EVERY_PLATFORM

HOUR_MS: Final = 3_600_000
RECEIVED: Final = "received"
STORED: Final = "stored"
DUPLICATE: Final = "duplicate"
REJECTED: Final = "rejected"
LIMITED: Final = "limited"
"""Outcomes of the ledger; received = stored + duplicate + rejected + limited."""

APP_SCOPE: Final = ""


def platform_scope(platform: str) -> str:
    """Scope of the users of one platform."""
    return f"p:{platform}"


def hour_scope(hour: int, platform: str = "") -> str:
    """Scope of the users of one platform in one hour since the epoch; hours sort as text."""
    return f"h:{hour:09d}:{platform}"


_TOTAL_NAMES = ("events", "errors", "failed_requests", "affected_users", "issues", "archived_issues")
_EVENTS, _ERRORS, _FAILED, _USERS, _ISSUES, _ARCHIVED = range(len(_TOTAL_NAMES))
_HOUR_NAMES = _TOTAL_NAMES[:3]


class Tally:
    """Collects what one transaction changes and writes it in four statements. `shard` is the writer."""

    def __init__(self, shard: int) -> None:
        self._shard = shard
        self._totals: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0] * len(_TOTAL_NAMES))
        self._hours: defaultdict[tuple[int, int, str], list[int]] = defaultdict(lambda: [0] * len(_HOUR_NAMES))
        self._users: set[tuple[int, str, int]] = set()
        self._ledger: Counter[tuple[int, int, str, str]] = Counter()
        self._archived: set[tuple[int, int]] = set()

    def add_event(self, app_id: int, platform: str, time_ms: int, is_error: bool, is_failed: bool) -> None:
        """Count one new event."""
        hour = self._hours[app_id, time_ms // HOUR_MS, platform]
        for counts in (self._totals[app_id, EVERY_PLATFORM], self._totals[app_id, platform], hour):
            counts[_EVENTS] += 1
            counts[_ERRORS] += is_error
            counts[_FAILED] += is_failed

    def add_user(self, app_id: int, platform: str, time_ms: int, user_key: int) -> None:
        """Note a user who met an error or a failed request."""
        self._users.add((app_id, APP_SCOPE, user_key))
        self._users.add((app_id, platform_scope(platform), user_key))
        self._users.add((app_id, hour_scope(time_ms // HOUR_MS, platform), user_key))

    def note_issue(self, app_id: int, issue_id: int, *, is_new: bool, archived: bool) -> None:
        """Count a new issue; remember which issues are archived for `note_issue_platform`."""
        if archived:
            self._archived.add((app_id, issue_id))
        if is_new:
            self._totals[app_id, EVERY_PLATFORM][_ISSUES] += 1

    def note_issue_platform(self, app_id: int, issue_id: int, platform: str) -> None:
        """Count an issue on a platform it was not seen on before."""
        which = _ARCHIVED if (app_id, issue_id) in self._archived else _ISSUES
        self._totals[app_id, platform][which] += 1

    def move_issue(self, app_id: int, platforms: Iterable[str], *, archived: bool) -> None:
        """Move one issue seen on these platforms between the archived ones and the others."""
        for platform in (EVERY_PLATFORM, *platforms):
            counts = self._totals[app_id, platform]
            counts[_ARCHIVED] += 1 if archived else -1
            counts[_ISSUES] += -1 if archived else 1

    def add_submission(self, app_id: int, minute: int, stored: list[bool], others: Counter[tuple[str, str]]) -> None:
        """Enter one request into the ledger."""
        new = sum(stored)
        entries = Counter({(STORED, ""): new, (DUPLICATE, ""): len(stored) - new}) + others
        for (outcome, reason), events in entries.items():
            self._ledger[app_id, minute, outcome, reason] += events
            self._ledger[app_id, minute, RECEIVED, ""] += events

    def write(self, session: Session) -> None:
        """Add everything to the tables."""
        self._write_users(session)
        totals = [(*key, self._shard, *counts) for key, counts in sorted(self._totals.items())]
        _add(session, "totals", (("app_id", "int"), ("platform", "text"), ("shard", "int")), _TOTAL_NAMES, totals)
        hours = [(*key, self._shard, *counts) for key, counts in sorted(self._hours.items())]
        hour_key: Columns = (("app_id", "int"), ("hour", "int"), ("platform", "text"), ("shard", "int"))
        _add(session, "hour_totals", hour_key, _HOUR_NAMES, hours)
        ledger = [(*key, self._shard, events) for key, events in sorted(self._ledger.items())]
        ledger_key: Columns = (
            ("app_id", "int"),
            ("minute", "int"),
            ("outcome", "text"),
            ("reason", "text"),
            ("shard", "int"),
        )
        _add(session, "ledger", ledger_key, ("events",), ledger)

    def _write_users(self, session: Session) -> None:
        if not self._users:
            return
        columns: Columns = (("app_id", "int"), ("scope", "text"), ("user_key", "int"))
        query = (
            "INSERT INTO distinct_users (app_id, scope, user_key) "  # noqa: S608
            f"SELECT r.app_id, r.scope, r.user_key FROM {source(session, 'r', columns)} WHERE true ORDER BY 1, 2, 3 "
            "ON CONFLICT DO NOTHING RETURNING app_id, scope"
        )
        for app_id, scope in session.connection().execute(
            text(query), bind(session, "r", columns, sorted(self._users))
        ):
            if scope == APP_SCOPE:
                self._totals[app_id, EVERY_PLATFORM][_USERS] += 1
            elif scope.startswith("p:"):
                self._totals[app_id, scope[2:]][_USERS] += 1


def _add(session: Session, table: str, key: Columns, counts: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> None:
    """Add `rows` of (key..., counts...) to a table of counters, creating rows that are not there."""
    if not rows:
        return
    columns: Columns = (*key, *((name, "int") for name in counts))
    keys = ", ".join(name for name, _ in key)
    names = ", ".join(name for name, _ in columns)
    additions = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in counts)
    query = (
        f"INSERT INTO {table} ({names}) SELECT {names} FROM {source(session, 'r', columns)} WHERE true ORDER BY {keys} "  # noqa: S608
        f"ON CONFLICT ({keys}) DO UPDATE SET {additions}"
    )
    session.connection().execute(text(query), bind(session, "r", columns, rows))
