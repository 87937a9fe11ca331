"""Counters kept at write time, so that no total is ever read from events.

Distinct users are counted by rows of `distinct_users`, one per user and scope:
`` (the app), `p:<platform>`, `i:<issue>`, `g:<issue>` (with those merged into it), and for spans of time `d:<hour, 9 digits>:<dimension>` and `j:<issue>:<hour>`.
A row that is new in one of the first four adds one to its counter.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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


def issue_scope(issue_id: int) -> str:
    """Scope of the users of one issue."""
    return f"i:{issue_id}"


def group_scope(issue_id: int) -> str:
    """Scope of the users of one issue and of those merged into it; there is none where nothing is merged."""
    return f"g:{issue_id}"


def issue_hour_scope(issue_id: int, hour: int | str) -> str:
    """Scope of the users of one issue in one hour since the epoch; hours have six digits until the year 2084."""
    return f"j:{issue_id}:{hour}"


def hour_scope(hour: int, dimension_id: int | str = "") -> str:
    """Scope of the users of one dimension in one hour since the epoch; hours sort as text."""
    return f"d:{hour:09d}:{dimension_id}"


_TOTAL_NAMES = ("events", "errors", "failed_requests", "affected_users", "issues", "archived_issues")
_EVENTS, _ERRORS, _FAILED, _USERS, _ISSUES, _ARCHIVED = range(len(_TOTAL_NAMES))
_HOUR_NAMES = _TOTAL_NAMES[:3]
_HOUR_KEY: Columns = (("app_id", "int"), ("hour", "int"), ("dimension_id", "int"), ("shard", "int"))
_ISSUE_HOUR_KEY: Columns = (("app_id", "int"), ("issue_id", "int"), ("hour", "int"))
_LEDGER_KEY: Columns = (("app_id", "int"), ("minute", "int"), ("outcome", "text"), ("reason", "text"), ("shard", "int"))


@dataclass(slots=True)
class Counted:
    """What counters need to know of one event."""

    app_id: int
    platform: str
    dimension_id: int
    time_ms: int
    is_error: bool
    is_failed: bool
    user_key: int | None
    issue_id: int | None
    head_id: int | None = None
    """The issue it is shown in, if that one has others merged into it."""


class Tally:
    """Collects what one transaction changes and writes it in a constant number of statements. `shard` is the writer."""

    def __init__(self, shard: int) -> None:
        self._shard = shard
        self._totals: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0] * len(_TOTAL_NAMES))
        self._hours: defaultdict[tuple[int, int, int], list[int]] = defaultdict(lambda: [0] * len(_HOUR_NAMES))
        self._issue_hours: Counter[tuple[int, int, int]] = Counter()
        self._users: set[tuple[int, str, int]] = set()
        self._ledger: Counter[tuple[int, int, str, str]] = Counter()
        self._archived: set[tuple[int, int]] = set()
        self._heads: set[tuple[int, int]] = set()

    def add_event(self, event: Counted) -> None:
        """Count one new event, and note its user if it is an error or a failed request."""
        app_id, hour = event.app_id, event.time_ms // HOUR_MS
        hourly = self._hours[app_id, hour, event.dimension_id]
        for counts in (self._totals[app_id, EVERY_PLATFORM], self._totals[app_id, event.platform], hourly):
            counts[_EVENTS] += 1
            counts[_ERRORS] += event.is_error
            counts[_FAILED] += event.is_failed
        if event.issue_id is not None:
            self._issue_hours[app_id, event.issue_id, hour] += 1
        if event.user_key is not None and (event.is_error or event.is_failed):
            self._add_user(event, hour, event.user_key)

    def _add_user(self, event: Counted, hour: int, user_key: int) -> None:
        scopes = [APP_SCOPE, platform_scope(event.platform), hour_scope(hour, event.dimension_id)]
        if event.issue_id is not None:
            scopes += (issue_scope(event.issue_id), issue_hour_scope(event.issue_id, hour))
        if event.head_id is not None:
            self._heads.add((event.app_id, event.head_id))
            scopes.append(group_scope(event.head_id))
        self._users.update((event.app_id, scope, user_key) for scope in scopes)

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

    def count_issue(self, app_id: int, platforms: Iterable[str], *, archived: bool, by: int) -> None:
        """Count one issue seen on these platforms (1), or no longer (-1)."""
        for platform in (EVERY_PLATFORM, *platforms):
            self._totals[app_id, platform][_ARCHIVED if archived else _ISSUES] += by

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
        _add(session, "dimension_hours", _HOUR_KEY, _HOUR_NAMES, hours)
        issue_hours = [(*key, count) for key, count in sorted(self._issue_hours.items())]
        _add(session, "issue_hours", _ISSUE_HOUR_KEY, ("event_count",), issue_hours)
        ledger = [(*key, self._shard, events) for key, events in sorted(self._ledger.items())]
        _add(session, "ledger", _LEDGER_KEY, ("events",), ledger)

    def _write_users(self, session: Session) -> None:
        if not self._users:
            return
        columns: Columns = (("app_id", "int"), ("scope", "text"), ("user_key", "int"))
        query = (
            "INSERT INTO distinct_users (app_id, scope, user_key) "  # noqa: S608
            f"SELECT r.app_id, r.scope, r.user_key FROM {source(session, 'r', columns)} WHERE true ORDER BY 1, 2, 3 "
            "ON CONFLICT DO NOTHING RETURNING app_id, scope"
        )
        issues: Counter[tuple[int, int]] = Counter()
        for app_id, scope in session.connection().execute(
            text(query), bind(session, "r", columns, sorted(self._users))
        ):
            if scope == APP_SCOPE:
                self._totals[app_id, EVERY_PLATFORM][_USERS] += 1
            elif scope.startswith("p:"):
                self._totals[app_id, scope[2:]][_USERS] += 1
            elif scope.startswith("g:") or (scope.startswith("i:") and (app_id, int(scope[2:])) not in self._heads):
                issues[app_id, int(scope[2:])] += 1
        if issues:
            _add_issue_users(session, [(*key, users) for key, users in sorted(issues.items())])


def _add_issue_users(session: Session, rows: list[tuple[int, int, int]]) -> None:
    columns: Columns = (("app_id", "int"), ("issue_id", "int"), ("users", "int"))
    query = (
        "UPDATE issues SET user_count = issues.user_count + r.users "  # noqa: S608
        f"FROM {source(session, 'r', columns)} WHERE issues.app_id = r.app_id AND issues.id = r.issue_id"
    )
    session.connection().execute(text(query), bind(session, "r", columns, rows))


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
