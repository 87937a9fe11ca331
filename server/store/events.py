"""Writing events: one transaction for many requests, with every counter that derives from them.

The number of SQL statements does not depend on the number of events. Rows are written in sorted order, so that two
writers take locks in the same order and cannot deadlock.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import text
from sqlmodel import Session

from server.store import counters, dimensions, lifecycle, performance
from server.store.dimensions import Dimension
from server.store.engine import Columns, StaleTransaction, bind, copy_rows, source
from server.store.sequence import Sequence as IdSequence

OTHER: Final = 0
ERROR: Final = 1
FAILED_REQUEST: Final = 2
"""Kinds of events as far as totals tell them apart."""


@dataclass(slots=True, frozen=True)
class IssueSeed:
    """What an event says about the issue it belongs to; the first one stored founds the issue."""

    fingerprint: str
    grouping_version: str
    message: str
    error_type: str


@dataclass(slots=True)
class NewEvent:
    """One judged event, ready to store. `event_key` is 20 characters of a hash of the event id."""

    app_id: int
    event_key: str
    time_ms: int
    received_ms: int
    kind: int
    dimension: Dimension
    release: str | None
    page: str
    browser: str
    user_key: int | None
    issue: IssueSeed | None
    payload: bytes
    measurement: performance.Measurement | None = None


@dataclass(slots=True)
class Submission:
    """One request: its events, and how many others it had by (outcome, reason), for the ledger."""

    app_id: int
    minute: int
    events: Sequence[NewEvent]
    others: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(slots=True)
class _IssueChange:
    seed: IssueSeed
    count: int = 0
    first_seen_ms: int = 0
    last_seen_ms: int = 0
    first_release: str | None = None
    last_release: str | None = None
    releases: set[str] = field(default_factory=set)
    facets: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, event: NewEvent, dimension: Dimension) -> None:
        self.first_seen_ms = min(self.first_seen_ms, event.time_ms) if self.count else event.time_ms
        self.last_seen_ms = max(self.last_seen_ms, event.time_ms) if self.count else event.time_ms
        if not self.count:
            self.first_release = event.release
        if event.release is not None:
            self.last_release = event.release
            self.releases.add(event.release)
        self.count += 1
        for name, value in (
            (PLATFORM, dimension.platform),
            ("release", dimension.release),
            ("environment", dimension.environment),
            ("page", event.page),
            ("browser", event.browser),
        ):
            if value:
                self.facets[name, value] += 1

    def numbers(self) -> tuple[int, int, int, str | None, str | None]:
        return self.count, self.first_seen_ms, self.last_seen_ms, self.first_release, self.last_release


IssueKey = tuple[int, str]
PLATFORM: Final = "platform"


def commit(session: Session, submissions: Sequence[Submission], ids: IdSequence, shard: int) -> list[list[bool]]:
    """Store the submissions and say, for each of their events, whether it was new.

    Raises StaleTransaction when another process stored one of the events meanwhile.
    """
    flags, fresh = _fresh(session, submissions)
    issue_ids: dict[IssueKey, int] = {}
    tally = counters.Tally(shard)
    if fresh:
        known = dimensions.resolve(session, {(event.app_id, event.dimension) for event in fresh})
        changes = _issue_changes(fresh, known)
        issue_ids, regressions = _upsert_issues(session, changes, ids, tally)
        _insert_events(session, fresh, known, issue_ids, ids)
        _upsert_facets(session, changes, issue_ids, tally)
        for regression in regressions:
            lifecycle.regress(session, regression, tally, lifecycle.Change(None, fresh[-1].received_ms, ids, shard))
        for event in fresh:
            number, dimension = known[event.app_id, event.dimension]
            issue_id = issue_ids[event.app_id, event.issue.fingerprint] if event.issue else None
            is_error, is_failed = event.kind == ERROR, event.kind == FAILED_REQUEST
            tally.add_event(
                counters.Counted(
                    event.app_id,
                    dimension.platform,
                    number,
                    event.time_ms,
                    is_error,
                    is_failed,
                    event.user_key,
                    issue_id,
                )
            )
    for submission, stored in zip(submissions, flags, strict=True):
        tally.add_submission(submission.app_id, submission.minute, stored, submission.others)
    tally.write(session)
    performance.record(
        session, ((e.app_id, e.time_ms, e.measurement) for e in fresh if e.measurement is not None), shard
    )
    return flags


_KEY_COLUMNS: Columns = (("app_id", "int"), ("event_key", "text"))


def _fresh(session: Session, submissions: Sequence[Submission]) -> tuple[list[list[bool]], list[NewEvent]]:
    """For each submission which of its events are new, and the new ones in order of arrival."""
    keys = [(e.app_id, e.event_key) for s in submissions for e in s.events]
    seen = _stored_keys(session, keys) if keys else set()
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


def _stored_keys(session: Session, keys: list[tuple[int, str]]) -> set[tuple[int, str]]:
    query = (
        "SELECT e.app_id, e.event_key FROM "  # noqa: S608 -- source() names only what this program names
        f"{source(session, 'k', _KEY_COLUMNS)} "
        "CROSS JOIN events AS e WHERE e.app_id = k.app_id AND e.event_key = k.event_key"
    )
    rows = session.connection().execute(text(query), bind(session, "k", _KEY_COLUMNS, keys))
    return {(app_id, event_key) for app_id, event_key in rows}


def _issue_changes(fresh: list[NewEvent], known: dimensions.Known) -> dict[IssueKey, _IssueChange]:
    changes: dict[IssueKey, _IssueChange] = {}
    for event in fresh:
        if event.issue is None:
            continue
        key = (event.app_id, event.issue.fingerprint)
        change = changes.get(key)
        if change is None:
            change = changes[key] = _IssueChange(event.issue)
        change.add(event, known[event.app_id, event.dimension][1])
    return dict(sorted(changes.items()))


_ISSUE_COLUMNS: Columns = (
    ("app_id", "int"),
    ("fingerprint", "text"),
    ("id", "int"),
    ("grouping_version", "text"),
    ("message", "text"),
    ("error_type", "text"),
    ("event_count", "int"),
    ("first_seen_ms", "int"),
    ("last_seen_ms", "int"),
    ("first_seen_release", "text"),
    ("last_seen_release", "text"),
)

_UPSERT_ISSUES = """
INSERT INTO issues (app_id, fingerprint, id, grouping_version, message, error_type, event_count, first_seen_ms,
                    last_seen_ms, first_seen_release, last_seen_release, status, archived, user_count)
SELECT r.app_id, r.fingerprint, r.id, r.grouping_version, r.message, r.error_type, r.event_count, r.first_seen_ms,
       r.last_seen_ms, r.first_seen_release, r.last_seen_release, 'open', false, 0
FROM {rows} WHERE true ORDER BY r.app_id, r.fingerprint
ON CONFLICT (app_id, fingerprint) DO UPDATE SET
    event_count = issues.event_count + excluded.event_count,
    first_seen_ms = CASE WHEN excluded.first_seen_ms < issues.first_seen_ms
                    THEN excluded.first_seen_ms ELSE issues.first_seen_ms END,
    last_seen_ms = CASE WHEN excluded.last_seen_ms > issues.last_seen_ms
                   THEN excluded.last_seen_ms ELSE issues.last_seen_ms END,
    last_seen_release = COALESCE(excluded.last_seen_release, issues.last_seen_release)
RETURNING app_id, fingerprint, id, status, archived, fixed_in_release, verified_in_release
"""


def _upsert_issues(
    session: Session, changes: dict[IssueKey, _IssueChange], ids: IdSequence, tally: counters.Tally
) -> tuple[dict[IssueKey, int], list[lifecycle.Regression]]:
    """Create or advance the issues; their ids, and those that came back.

    An id that is the one proposed here says that the issue is new.
    """
    if not changes:
        return {}, []
    proposed = dict(zip(changes, ids.take(len(changes)), strict=True))
    rows = [
        (*key, proposed[key], c.seed.grouping_version, c.seed.message, c.seed.error_type, *c.numbers())
        for key, c in changes.items()
    ]
    query = text(_UPSERT_ISSUES.format(rows=source(session, "r", _ISSUE_COLUMNS)))
    issue_ids = {}
    regressions = []
    for app_id, fingerprint, issue_id, status, archived, fixed, verified in session.connection().execute(
        query, bind(session, "r", _ISSUE_COLUMNS, rows)
    ):
        key = (app_id, fingerprint)
        issue_ids[key] = issue_id
        tally.note_issue(app_id, issue_id, is_new=issue_id == proposed[key], archived=bool(archived))
        release = lifecycle.regressing_release(status, fixed, verified, sorted(changes[key].releases))
        if release is not None:
            regressions.append(lifecycle.Regression(app_id, issue_id, release, bool(archived)))
    return issue_ids, regressions


_EVENT_COLUMNS: Columns = (
    ("app_id", "int"),
    ("event_key", "text"),
    ("id", "int"),
    ("issue_id", "int"),
    ("time_ms", "int"),
    ("received_ms", "int"),
    ("kind", "small"),
    ("platform", "text"),
    ("dimension_id", "int4"),
    ("user_key", "int"),
    ("payload", "blob"),
)
_EVENT_NAMES = ", ".join(name for name, _ in _EVENT_COLUMNS)
_INSERT_EVENTS = (
    f"INSERT INTO events ({_EVENT_NAMES}) VALUES ({', '.join('?' * len(_EVENT_COLUMNS))}) ON CONFLICT DO NOTHING"  # noqa: S608
)


def _insert_events(
    session: Session,
    fresh: list[NewEvent],
    known: dimensions.Known,
    issue_ids: dict[IssueKey, int],
    ids: IdSequence,
) -> None:
    rows = [
        _event_row(
            event,
            event_id,
            known[event.app_id, event.dimension],
            issue_ids[event.app_id, event.issue.fingerprint] if event.issue else None,
        )
        for event, event_id in zip(fresh, ids.take(len(fresh)), strict=True)
    ]
    if session.get_bind().dialect.name == "sqlite":
        # JSON cannot carry the payload; one prepared statement run for all rows is as fast as SQLite goes.
        result = session.connection().exec_driver_sql(_INSERT_EVENTS, rows)
        if result.rowcount != len(rows):
            raise StaleTransaction
    else:
        copy_rows(session, "events", _EVENT_COLUMNS, rows)


def _event_row(
    event: NewEvent, event_id: int, dimension: tuple[int, Dimension], issue_id: int | None
) -> tuple[Any, ...]:
    return (
        event.app_id,
        event.event_key,
        event_id,
        issue_id,
        event.time_ms,
        event.received_ms,
        event.kind,
        dimension[1].platform,
        dimension[0],
        event.user_key,
        event.payload,
    )


_FACET_COLUMNS: Columns = (
    ("app_id", "int"),
    ("issue_id", "int"),
    ("property", "text"),
    ("value", "text"),
    ("event_count", "int"),
)
_UPSERT_FACETS = """
INSERT INTO issue_facets (app_id, issue_id, property, value, event_count)
SELECT r.app_id, r.issue_id, r.property, r.value, r.event_count FROM {rows} WHERE true ORDER BY 1, 2, 3, 4
ON CONFLICT (app_id, issue_id, property, value)
DO UPDATE SET event_count = issue_facets.event_count + excluded.event_count
RETURNING app_id, issue_id, property, value, event_count
"""


def _upsert_facets(
    session: Session, changes: dict[IssueKey, _IssueChange], issue_ids: dict[IssueKey, int], tally: counters.Tally
) -> None:
    added = {
        (key[0], issue_ids[key], *facet): count
        for key, change in changes.items()
        for facet, count in change.facets.items()
    }
    if not added:
        return
    rows = [(*key, count) for key, count in sorted(added.items())]
    query = text(_UPSERT_FACETS.format(rows=source(session, "r", _FACET_COLUMNS)))
    for *key, count in session.connection().execute(query, bind(session, "r", _FACET_COLUMNS, rows)):
        app_id, issue_id, name, value = key
        if name == PLATFORM and count == added[app_id, issue_id, name, value]:
            tally.note_issue_platform(app_id, issue_id, value)
