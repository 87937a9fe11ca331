"""Counters kept at write time, so that no total is ever read from events.

Distinct users are counted by rows of `distinct_users`, one per user and what they are counted for:

| counted for                       | `scope`               | `part`     | `user_key`       |
|-----------------------------------|-----------------------|------------|------------------|
| the app                           | the user              | OF_APP     | 0                |
| a platform                        | the user              | OF_APP     | platform_scope() |
| an issue                          | its id                | OF_ISSUE   | the user         |
| an issue and those merged into it | its id                | OF_GROUP   | the user         |
| an issue in an hour               | its id                | the hour   | the user         |
| a dimension in an hour            | the hour with a minus | its number | the user         |

A row that is new in one of the first four adds one to its counter. They are written with the events, see arrivals.py. Rows of the
first two kinds are only ever looked for by user, so those of one user lie together: a commit of single events writes a sixth
fewer pages on SQLite.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from server.store.bulk import Bulk, Insert
from server.store.columns import Columns
from server.store.tables import EVERY_PLATFORM

HOUR_MS: Final = 3_600_000
RECEIVED: Final = "received"
STORED: Final = "stored"
DUPLICATE: Final = "duplicate"
REJECTED: Final = "rejected"
LIMITED: Final = "limited"
"""Outcomes of the ledger; received = stored + duplicate + rejected + limited."""

OF_ISSUE: Final = 0
OF_GROUP: Final = -1
"""There are no such rows where nothing is merged into the issue."""
OF_APP: Final = -2


@lru_cache(maxsize=1_024)
def platform_scope(platform: str) -> int:
    """63 bits that stand for a platform."""
    return int.from_bytes(blake2b(platform.encode(), digest_size=8).digest(), "big") >> 1


_TOTAL_NAMES = ("events", "errors", "failed_requests", "affected_users", "issues", "archived_issues")
_ISSUES, _ARCHIVED = map(_TOTAL_NAMES.index, ("issues", "archived_issues"))


def _adding(table: str, key: Columns, counts: tuple[str, ...]) -> Insert:
    """Adds to a table of counters, creating rows that are not there."""
    additions = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in counts)
    columns: Columns = (*key, *((name, "int") for name in counts))
    return Insert(table, columns, tuple(name for name, _ in key), f"DO UPDATE SET {additions}")


_ADD_TOTALS = _adding("totals", (("app_id", "int"), ("platform", "text"), ("shard", "int")), _TOTAL_NAMES)
_ADD_LEDGER = _adding(
    "ledger",
    (("app_id", "int"), ("minute", "int"), ("outcome", "text"), ("reason", "text"), ("shard", "int")),
    ("events",),
)


class Tally:
    """Collects what one transaction books and moves, and writes it in two statements. `shard` is the writer."""

    def __init__(self, shard: int) -> None:
        self._shard = shard
        self._totals: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0] * len(_TOTAL_NAMES))
        self._ledger: Counter[tuple[int, int, str, str]] = Counter()

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

    def write(self, bulk: Bulk) -> None:
        """Add it to the tables."""
        bulk.insert(_ADD_TOTALS, [(*key, self._shard, *counts) for key, counts in sorted(self._totals.items())])
        bulk.insert(_ADD_LEDGER, [(*key, self._shard, events) for key, events in sorted(self._ledger.items())])
