"""Writing events: one transaction for many requests, with every counter that derives from them.

The number of SQL statements does not depend on the number of events. Rows are written in sorted order, so that two
writers take locks in the same order and cannot deadlock.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from server.store import counters, dimensions, lifecycle, merges, performance
from server.store.bulk import Bulk, Insert, Query, StaleTransaction
from server.store.columns import Columns
from server.store.dimensions import Dimension
from server.store.merges import IssueKey
from server.store.sequence import Sequence as IdSequence

OTHER: Final = 0
ERROR: Final = 1
FAILED_REQUEST: Final = 2
"""Kinds of events as far as totals tell them apart."""


class IssueSeed(NamedTuple):
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
    device: str
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
    facets: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, event: NewEvent, dimension: Dimension) -> None:
        self.first_seen_ms = min(self.first_seen_ms, event.time_ms) if self.count else event.time_ms
        self.last_seen_ms = max(self.last_seen_ms, event.time_ms) if self.count else event.time_ms
        if not self.count:
            self.first_release = event.release
        if event.release is not None:
            self.last_release = event.release
            self.releases.add(event.release)
        self.count += 1
        facets = self.facets
        for facet in (
            (PLATFORM, dimension.platform),
            ("release", dimension.release),
            ("environment", dimension.environment),
            ("page", event.page),
            ("browser", event.browser),
            ("device", event.device),
        ):
            if facet[1]:
                facets[facet] = facets.get(facet, 0) + 1

    def numbers(self) -> tuple[int, int, int, str | None, str | None]:
        return self.count, self.first_seen_ms, self.last_seen_ms, self.first_release, self.last_release


PLATFORM: Final = "platform"


def commit(bulk: Bulk, submissions: Sequence[Submission], ids: IdSequence, shard: int) -> list[list[bool]]:
    """Store the submissions and say, for each of their events, whether it was new.

    Raises StaleTransaction when another process stored one of the events meanwhile.
    """
    flags, fresh = _fresh(bulk, submissions)
    tally = counters.Tally(shard)
    if fresh:
        known = dimensions.resolve(bulk, {(event.app_id, event.dimension) for event in fresh})
        changes = _IssueChanges(bulk, fresh, known)
        issues = _find_issues(bulk, changes, ids, tally)
        for cell in _cells(fresh, known, issues):
            tally.add(cell)
        _upsert_issues(bulk, changes, issues.ids, tally.write_users(bulk))
        bulk.load("events", _EVENT_COLUMNS, _event_rows(fresh, known, issues.ids, ids))
        _upsert_facets(bulk, changes, issues.ids, tally)
        if issues.regressions:
            by = lifecycle.Change(None, fresh[-1].received_ms, ids, shard)
            lifecycle.regress(bulk, issues.regressions, tally, by)
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


_NOTHING: Final = (0, 2**63 - 1, -(2**63), None, None)
"""Numbers that change no issue, for one that grows only through those merged into it."""


class _IssueChanges:
    """What new events change: `own` by their own fingerprints, `shown` also of the issues these are merged into."""

    def __init__(self, bulk: Bulk, fresh: list[NewEvent], known: dimensions.Known) -> None:
        self._known = known
        parts = [
            ((event.app_id, event.issue.fingerprint), event, event.issue) for event in fresh if event.issue is not None
        ]
        self.own = self._collect(parts)
        self.targets = merges.targets_of(bulk, list(self.own))
        self.shown = self.own
        if self.targets:
            heads = {target.key for target in self.targets.values()}
            at_heads = ((self._head(key), event, seed) for key, event, seed in parts)
            joined = self._collect(part for part in at_heads if part[0] in heads)
            self.shown = dict(sorted((self.own | joined).items()))

    def target_id(self, key: IssueKey) -> int | None:
        """Id of the issue that this one is merged into."""
        target = self.targets.get(key)
        return None if target is None else target.id

    def row(self, key: IssueKey, issue_id: int, new_users: int) -> tuple[Any, ...]:
        """Values for `_ISSUE_COLUMNS`."""
        shown, own = self.shown[key], self.own.get(key)
        seed = shown.seed
        kept = _NOTHING if own is None else own.numbers()
        return (
            *key,
            issue_id,
            seed.grouping_version,
            seed.message,
            seed.error_type,
            new_users,
            *shown.numbers(),
            *kept,
        )

    def _head(self, key: IssueKey) -> IssueKey:
        target = self.targets.get(key)
        return key if target is None else target.key

    def _collect(self, parts: Iterable[tuple[IssueKey, NewEvent, IssueSeed]]) -> dict[IssueKey, _IssueChange]:
        changes: dict[IssueKey, _IssueChange] = {}
        for key, event, seed in parts:
            change = changes.get(key)
            if change is None:
                change = changes[key] = _IssueChange(seed)
            change.add(event, self._known[event.app_id, event.dimension][1])
        return dict(sorted(changes.items()))


@dataclass(slots=True)
class _StoredIssues:
    """Ids of issues as they are stored, for those that are merged or have others merged into them the id shown, and what came back."""

    ids: dict[IssueKey, int] = field(default_factory=dict)
    heads: dict[IssueKey, int] = field(default_factory=dict)
    regressions: list[lifecycle.Regression] = field(default_factory=list)


def _cells(fresh: Iterable[NewEvent], known: dimensions.Known, issues: _StoredIssues) -> Iterable[counters.Cell]:
    """The events by all that counters tell apart."""
    cells: dict[tuple[int, Dimension, int, int, str | None], counters.Cell] = {}
    for event in fresh:
        fingerprint = None if event.issue is None else event.issue.fingerprint
        place = (event.app_id, event.dimension, event.time_ms // counters.HOUR_MS, event.kind, fingerprint)
        cell = cells.get(place)
        if cell is None:
            cell = cells[place] = _cell(*place, known, issues)
        cell.events += 1
        if event.user_key is not None:
            cell.users.add(event.user_key)
    return cells.values()


def _cell(
    app_id: int,
    said: Dimension,
    hour: int,
    kind: int,
    fingerprint: str | None,
    known: dimensions.Known,
    issues: _StoredIssues,
) -> counters.Cell:
    number, dimension = known[app_id, said]
    issue_id = None if fingerprint is None else issues.ids[app_id, fingerprint]
    head_id = None if fingerprint is None else issues.heads.get((app_id, fingerprint))
    is_error, is_failed = kind == ERROR, kind == FAILED_REQUEST
    return counters.Cell(app_id, dimension.platform, number, hour, is_error, is_failed, issue_id, head_id)


_FIND_ISSUES = Query(
    (("app_id", "int"), ("fingerprint", "text")),
    "SELECT i.app_id, i.fingerprint, i.id, i.merged_into_id, i.event_count > i.own_event_count, i.status, i.archived, "
    "i.fixed_in_release, i.verified_in_release FROM {rows} CROSS JOIN issues AS i "
    "WHERE i.app_id = r.app_id AND i.fingerprint = r.fingerprint",
    locks=True,
)


def _find_issues(bulk: Bulk, changes: _IssueChanges, ids: IdSequence, tally: counters.Tally) -> _StoredIssues:
    """Look the issues up, and number those that are new.

    More events than its own say that others are merged into an issue. Raises StaleTransaction when one was merged or
    unmerged since its target was looked up.
    """
    issues = _StoredIssues()
    keys = list(changes.shown)
    for app_id, fingerprint, issue_id, merged_into, has_merged, status, archived, fixed, verified in bulk.ask(
        _FIND_ISSUES, keys
    ):
        key = (app_id, fingerprint)
        issues.ids[key] = issue_id
        if merged_into != changes.target_id(key):
            raise StaleTransaction
        if merged_into is not None:
            issues.heads[key] = merged_into
            continue
        if has_merged:
            issues.heads[key] = issue_id
        tally.note_issue(app_id, issue_id, is_new=False, archived=bool(archived))
        release = lifecycle.regressing_release(status, fixed, verified, changes.shown[key].releases)
        if release is not None:
            issues.regressions.append(lifecycle.Regression(app_id, issue_id, release, bool(archived)))
    new = [key for key in keys if key not in issues.ids]
    for key, issue_id in zip(new, ids.take(len(new)), strict=True):
        issues.ids[key] = issue_id
        tally.note_issue(key[0], issue_id, is_new=True, archived=False)
    return issues


_UPSERT_ISSUES = Insert(
    "issues",
    (
        ("app_id", "int"),
        ("fingerprint", "text"),
        ("id", "int"),
        ("grouping_version", "text"),
        ("message", "text"),
        ("error_type", "text"),
        ("user_count", "int"),
        ("event_count", "int"),
        ("first_seen_ms", "int"),
        ("last_seen_ms", "int"),
        ("first_seen_release", "text"),
        ("last_seen_release", "text"),
        ("own_event_count", "int"),
        ("own_first_seen_ms", "int"),
        ("own_last_seen_ms", "int"),
        ("own_first_seen_release", "text"),
        ("own_last_seen_release", "text"),
        ("status", "text"),
        ("archived", "bool"),
    ),
    ("app_id", "fingerprint"),
    """DO UPDATE SET
    user_count = issues.user_count + excluded.user_count,
    event_count = issues.event_count + excluded.event_count,
    first_seen_ms = CASE WHEN excluded.first_seen_ms < issues.first_seen_ms
                    THEN excluded.first_seen_ms ELSE issues.first_seen_ms END,
    last_seen_ms = CASE WHEN excluded.last_seen_ms > issues.last_seen_ms
                   THEN excluded.last_seen_ms ELSE issues.last_seen_ms END,
    last_seen_release = COALESCE(excluded.last_seen_release, issues.last_seen_release),
    own_event_count = issues.own_event_count + excluded.own_event_count,
    own_first_seen_ms = CASE WHEN excluded.own_first_seen_ms < issues.own_first_seen_ms
                        THEN excluded.own_first_seen_ms ELSE issues.own_first_seen_ms END,
    own_last_seen_ms = CASE WHEN excluded.own_last_seen_ms > issues.own_last_seen_ms
                       THEN excluded.own_last_seen_ms ELSE issues.own_last_seen_ms END,
    own_last_seen_release = COALESCE(excluded.own_last_seen_release, issues.own_last_seen_release)
WHERE issues.id = excluded.id""",
)


def _upsert_issues(
    bulk: Bulk, changes: _IssueChanges, issue_ids: dict[IssueKey, int], new_users: Counter[tuple[int, int]]
) -> None:
    """Create or advance the issues. Raises StaleTransaction when another writer created one of them meanwhile."""
    rows = []
    for key in changes.shown:
        issue_id = issue_ids[key]
        rows.append((*changes.row(key, issue_id, new_users[key[0], issue_id]), lifecycle.OPEN, False))
    if bulk.insert(_UPSERT_ISSUES, rows) != len(rows):
        raise StaleTransaction


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


def _event_rows(
    fresh: list[NewEvent], known: dimensions.Known, issue_ids: dict[IssueKey, int], ids: IdSequence
) -> list[tuple[Any, ...]]:
    rows = []
    for event, event_id in zip(fresh, ids.take(len(fresh)), strict=True):
        number, dimension = known[event.app_id, event.dimension]
        rows.append(
            (
                event.app_id,
                event.event_key,
                event_id,
                None if event.issue is None else issue_ids[event.app_id, event.issue.fingerprint],
                event.time_ms,
                event.received_ms,
                event.kind,
                dimension.platform,
                number,
                event.user_key,
                event.payload,
            )
        )
    return rows


_FACET_COLUMNS: Columns = (
    ("app_id", "int"),
    ("issue_id", "int"),
    ("property", "text"),
    ("value", "text"),
    ("event_count", "int"),
    ("own_event_count", "int"),
)
_ADD_TO_FACET = (
    "DO UPDATE SET event_count = issue_facets.event_count + excluded.event_count, "
    "own_event_count = issue_facets.own_event_count + excluded.own_event_count"
)
_FACET_KEY = ("app_id", "issue_id", "property", "value")
_UPSERT_FACETS = Insert("issue_facets", _FACET_COLUMNS, _FACET_KEY, _ADD_TO_FACET)
_UPSERT_PLATFORMS = Query(
    _FACET_COLUMNS,
    "INSERT INTO issue_facets (app_id, issue_id, property, value, event_count, own_event_count) "  # noqa: S608 -- our own names
    "SELECT r.app_id, r.issue_id, r.property, r.value, r.event_count, r.own_event_count FROM {rows} WHERE true "
    f"ON CONFLICT ({', '.join(_FACET_KEY)}) {_ADD_TO_FACET} RETURNING app_id, issue_id, value, event_count",
)


def _upsert_facets(bulk: Bulk, changes: _IssueChanges, issue_ids: dict[IssueKey, int], tally: counters.Tally) -> None:
    platforms, others = [], []
    added: dict[tuple[int, int, str], int] = {}
    for key, change in sorted(changes.shown.items(), key=lambda item: (item[0][0], issue_ids[item[0]])):
        issue, own = (key[0], issue_ids[key]), changes.own.get(key)
        for (name, value), count in sorted(change.facets.items()):
            row = (
                *issue,
                name,
                value,
                count,
                count if own is change else 0 if own is None else own.facets.get((name, value), 0),
            )
            if name == PLATFORM:
                added[*issue, value] = count
                platforms.append(row)
            else:
                others.append(row)
    merged = {(key[0], issue_ids[key]) for key in changes.targets}
    for app_id, issue_id, value, count in bulk.ask(_UPSERT_PLATFORMS, platforms):
        if count == added[app_id, issue_id, value] and (app_id, issue_id) not in merged:
            tally.note_issue_platform(app_id, issue_id, value)
    if others:
        bulk.insert(_UPSERT_FACETS, others)
