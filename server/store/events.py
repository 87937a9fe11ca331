"""Writing events: one transaction for many requests, with every counter that derives from them.

The number of SQL statements does not depend on the number of events. Rows are written in sorted order, so that two
writers take locks in the same order and cannot deadlock.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from server.store import arrivals, counters, dimensions, lifecycle, performance
from server.store.bulk import Bulk, Query
from server.store.dimensions import Dimension
from server.store.sequence import Sequence as IdSequence


class IssueSeed(NamedTuple):
    """What an event says about the issue it belongs to; the first one stored founds the issue."""

    fingerprint: str
    grouping_version: str
    message: str
    error_type: str


class NewEvent(NamedTuple):
    """One judged event, ready to store. `event_key` is 20 characters of a hash of the event id."""

    app_id: int
    event_key: str
    time_ms: int
    received_ms: int
    kind: int
    release: str | None
    page: str
    browser: str
    device: str
    user_key: int | None
    payload: bytes
    dimension: Dimension
    issue: IssueSeed | None
    measurement: performance.Measurement | None = None


@dataclass(slots=True)
class Submission:
    """One request: its events, and how many others it had by (outcome, reason), for the ledger."""

    app_id: int
    minute: int
    events: Sequence[NewEvent]
    others: Counter[tuple[str, str]] = field(default_factory=Counter)


_NO_ISSUE: Final = (None,) * len(IssueSeed._fields)


def commit(bulk: Bulk, submissions: Sequence[Submission], ids: IdSequence, shard: int) -> list[list[bool]]:
    """Store the submissions and say, for each of their events, whether it was new.

    Raises StaleTransaction when another process stored one of the events meanwhile.
    """
    flags, fresh = _fresh(bulk, submissions)
    tally = counters.Tally(shard)
    if fresh:
        closed = arrivals.store(bulk, _rows(bulk, fresh, ids), shard)
        if closed:
            _reopen(bulk, closed, tally, lifecycle.Change(None, fresh[-1].received_ms, ids, shard))
    for submission, stored in zip(submissions, flags, strict=True):
        tally.add_submission(submission.app_id, submission.minute, stored, submission.others)
    tally.write(bulk)
    performance.record(bulk, ((e.app_id, e.time_ms, e.measurement) for e in fresh if e.measurement is not None), shard)
    return flags


_STORED_KEYS = Query(
    (("app_id", "int"), ("event_key", "text")),
    "SELECT e.app_id, e.event_key FROM {rows} CROSS JOIN events AS e "
    "WHERE e.app_id = r.app_id AND e.event_key = r.event_key",
)


def _fresh(bulk: Bulk, submissions: Sequence[Submission]) -> tuple[list[list[bool]], list[NewEvent]]:
    """For each submission which of its events are new, and the new ones in order of arrival."""
    keys = [(e.app_id, e.event_key) for s in submissions for e in s.events]
    seen = set(bulk.ask(_STORED_KEYS, keys))
    flags: list[list[bool]] = []
    fresh: list[NewEvent] = []
    for submission in submissions:
        stored = []
        for event in submission.events:
            key = (event.app_id, event.event_key)
            stored.append(key not in seen)
            if stored[-1]:
                seen.add(key)
                fresh.append(event)
        flags.append(stored)
    return flags, fresh


def _rows(bulk: Bulk, fresh: Sequence[NewEvent], ids: IdSequence) -> list[tuple[Any, ...]]:
    """As arrivals.GIVEN has it."""
    known = dimensions.resolve(bulk, {(event.app_id, event.dimension) for event in fresh})
    rows = []
    for event, event_id in zip(fresh, ids.take(len(fresh)), strict=True):
        number, dimension = known[event.app_id, event.dimension]
        rows.append(
            (
                event_id,
                event.app_id,
                event.event_key,
                event.time_ms,
                event.received_ms,
                event.time_ms // counters.HOUR_MS,
                event.kind,
                number,
                dimension.platform,
                dimension.environment,
                dimension.release,
                event.release,
                event.page,
                event.browser,
                event.device,
                event.user_key,
                *(event.issue or _NO_ISSUE),
                event.payload,
            )
        )
    return rows


def _reopen(bulk: Bulk, closed: Sequence[arrivals.Closed], tally: counters.Tally, by: lifecycle.Change) -> None:
    """Reopen those of the issues that came back in the release that was to be rid of them, or in a newer one."""
    releases = arrivals.releases_of(bulk, [(issue.app_id, issue.issue_id) for issue in closed])
    regressions = []
    for issue in closed:
        seen = releases.get((issue.app_id, issue.issue_id), ())
        release = lifecycle.regressing_release(issue.status, issue.fixed_in_release, issue.verified_in_release, seen)
        if release is not None:
            regressions.append(lifecycle.Regression(issue.app_id, issue.issue_id, release, bool(issue.archived)))
    if regressions:
        lifecycle.regress(bulk, regressions, tally, by)
