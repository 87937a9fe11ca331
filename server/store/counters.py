"""Counters kept at write time, so that no total is ever read from events.

Distinct users are counted by rows of `distinct_users`, one per user and scope:
`` (the app), `p:<platform>`, `i:<issue>`, `g:<issue>` (with those merged into it), and for spans of time `d:<hour, 9 digits>:<dimension>` and `i:<issue>:<hour>`.
A row that is new in one of the first four adds one to its counter.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from server.store.bulk import Bulk, Insert, Query
from server.store.columns import Columns
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
    return f"i:{issue_id}:{hour}"


def hour_scope(hour: int, dimension_id: int | str = "") -> str:
    """Scope of the users of one dimension in one hour since the epoch; hours sort as text."""
    return f"d:{hour:09d}:{dimension_id}"


_TOTAL_NAMES = ("events", "errors", "failed_requests", "affected_users", "issues", "archived_issues")
_EVENTS, _ERRORS, _FAILED, _USERS, _ISSUES, _ARCHIVED = range(len(_TOTAL_NAMES))
_HOUR_NAMES = _TOTAL_NAMES[:3]


def _adding(table: str, key: Columns, counts: tuple[str, ...]) -> Insert:
    """Adds to a table of counters, creating rows that are not there."""
    additions = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in counts)
    columns: Columns = (*key, *((name, "int") for name in counts))
    return Insert(table, columns, tuple(name for name, _ in key), f"DO UPDATE SET {additions}")


_ADD_TOTALS = _adding("totals", (("app_id", "int"), ("platform", "text"), ("shard", "int")), _TOTAL_NAMES)
_ADD_HOURS = _adding(
    "dimension_hours", (("app_id", "int"), ("hour", "int"), ("dimension_id", "int"), ("shard", "int")), _HOUR_NAMES
)
_ADD_ISSUE_HOURS = _adding("issue_hours", (("app_id", "int"), ("issue_id", "int"), ("hour", "int")), ("event_count",))
_ADD_LEDGER = _adding(
    "ledger",
    (("app_id", "int"), ("minute", "int"), ("outcome", "text"), ("reason", "text"), ("shard", "int")),
    ("events",),
)
_USER_COLUMNS: Columns = (("app_id", "int"), ("scope", "text"), ("user_key", "int"))
_NOTE_USERS = Insert("distinct_users", _USER_COLUMNS, ("app_id", "scope", "user_key"), "DO NOTHING")
_COUNT_USERS = Query(
    _USER_COLUMNS,
    "INSERT INTO distinct_users (app_id, scope, user_key) SELECT r.app_id, r.scope, r.user_key FROM {rows} WHERE true "
    "ON CONFLICT DO NOTHING RETURNING app_id, scope",
)


@dataclass(slots=True)
class Cell:
    """Events that all counters take alike; `head_id` is the issue they are shown in, if that one has others merged into it."""

    app_id: int
    platform: str
    dimension_id: int
    hour: int
    is_error: bool
    is_failed: bool
    issue_id: int | None
    head_id: int | None = None
    events: int = 0
    users: set[int] = field(default_factory=set)


_Scope = tuple[int, str]
"""App and scope."""


class Tally:
    """Collects what one transaction changes and writes it in a constant number of statements. `shard` is the writer."""

    def __init__(self, shard: int) -> None:
        self._shard = shard
        self._totals: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0] * len(_TOTAL_NAMES))
        self._hours: defaultdict[tuple[int, int, int], list[int]] = defaultdict(lambda: [0] * len(_HOUR_NAMES))
        self._issue_hours: Counter[tuple[int, int, int]] = Counter()
        self._counted_users: defaultdict[_Scope, set[int]] = defaultdict(set)
        self._noted_users: defaultdict[_Scope, set[int]] = defaultdict(set)
        self._ledger: Counter[tuple[int, int, str, str]] = Counter()
        self._archived: set[tuple[int, int]] = set()
        self._heads: set[tuple[int, int]] = set()

    def add(self, cell: Cell) -> None:
        """Count new events, and note their users if they are errors or failed requests."""
        app_id = cell.app_id
        hourly = self._hours[app_id, cell.hour, cell.dimension_id]
        for counts in (self._totals[app_id, EVERY_PLATFORM], self._totals[app_id, cell.platform], hourly):
            counts[_EVENTS] += cell.events
            counts[_ERRORS] += cell.events * cell.is_error
            counts[_FAILED] += cell.events * cell.is_failed
        if cell.issue_id is not None:
            self._issue_hours[app_id, cell.issue_id, cell.hour] += cell.events
        if cell.users and (cell.is_error or cell.is_failed):
            self._add_users(cell)

    def _add_users(self, cell: Cell) -> None:
        app_id, users = cell.app_id, cell.users
        self._counted_users[app_id, APP_SCOPE] |= users
        self._counted_users[app_id, platform_scope(cell.platform)] |= users
        self._noted_users[app_id, hour_scope(cell.hour, cell.dimension_id)] |= users
        if cell.issue_id is not None:
            self._counted_users[app_id, issue_scope(cell.issue_id)] |= users
            self._noted_users[app_id, issue_hour_scope(cell.issue_id, cell.hour)] |= users
        if cell.head_id is not None:
            self._heads.add((app_id, cell.head_id))
            self._counted_users[app_id, group_scope(cell.head_id)] |= users

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
        self._book(app_id, minute, STORED, "", new)
        self._book(app_id, minute, DUPLICATE, "", len(stored) - new)
        for (outcome, reason), events in others.items():
            self._book(app_id, minute, outcome, reason, events)

    def _book(self, app_id: int, minute: int, outcome: str, reason: str, events: int) -> None:
        if events:
            self._ledger[app_id, minute, outcome, reason] += events
            self._ledger[app_id, minute, RECEIVED, ""] += events

    def write_users(self, bulk: Bulk) -> Counter[tuple[int, int]]:
        """Note the users, count those that are new to the app and its platforms, and say how many are new to which issue."""
        issues: Counter[tuple[int, int]] = Counter()
        for app_id, scope in bulk.ask(_COUNT_USERS, _in_order(self._counted_users)):
            if scope == APP_SCOPE:
                self._totals[app_id, EVERY_PLATFORM][_USERS] += 1
            elif scope.startswith("p:"):
                self._totals[app_id, scope[2:]][_USERS] += 1
            elif scope.startswith("g:") or (app_id, int(scope[2:])) not in self._heads:
                issues[app_id, int(scope[2:])] += 1
        bulk.insert(_NOTE_USERS, _in_order(self._noted_users))
        return issues

    def write(self, bulk: Bulk) -> None:
        """Add everything else to the tables."""
        bulk.insert(_ADD_TOTALS, [(*key, self._shard, *counts) for key, counts in sorted(self._totals.items())])
        bulk.insert(_ADD_HOURS, [(*key, self._shard, *counts) for key, counts in sorted(self._hours.items())])
        bulk.insert(_ADD_ISSUE_HOURS, [(*key, count) for key, count in sorted(self._issue_hours.items())])
        bulk.insert(_ADD_LEDGER, [(*key, self._shard, events) for key, events in sorted(self._ledger.items())])


def _in_order(users: dict[_Scope, set[int]]) -> list[tuple[int, str, int]]:
    """Rows of distinct_users in the order of their keys."""
    return [(*scope, user) for scope in sorted(users) for user in sorted(users[scope])]
