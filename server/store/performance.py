"""Measurements of clients, kept as sketches per app, name and hour, and per day so that long ranges stay cheap to read.

A name is a metric's, or of a kind of its own the method and path template of requests, whose measurement is their duration.
They are written in the transaction that stores the events. A writer reads, merges and writes only rows of its own shard.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from server.store import sketch
from server.store.bulk import Bulk, Query, StaleTransaction
from server.store.columns import Columns
from server.store.counters import HOUR_MS
from server.store.tables import MetricSpanRow

METRIC: Final = 0
REQUEST: Final = 1
"""Kinds of names; each has its own bound."""

SCALES: Final = {METRIC: sketch.FINE, REQUEST: sketch.COARSE}
"""How exact the quantiles of each kind are: apps have ten metrics, but hundreds of kinds of requests."""

HOUR: Final = 1
DAY: Final = 24
"""Lengths of the spans, in hours; those of a day begin at midnight UTC."""

MAX_NAMES: Final = 200
"""Names of a kind that a span keeps apart per writer, and an answer in all; an SDK that puts ids into names must not fill the disk."""

OTHER_NAMES: Final = "(other)"
"""Where the measurements of further names are counted."""

RATINGS: Final = ("good", "needs-improvement", "poor")
QUANTILES: Final = (0.5, 0.75, 0.95)

Span = tuple[int, int, int, int]
"""App, kind, length in hours, first hour since the epoch."""

Key = tuple[int, int, int, int, str]
"""A span and a name."""


class Measurement(NamedTuple):
    """What one event measured: a finite value (None: only that it happened), and the client's rating of it (any word).

    A request that succeeded is rated `good`, one that failed `poor`.
    """

    name: str
    value: float | None
    rating: str
    kind: int = METRIC


@dataclass(slots=True)
class Metric:
    """What is known of one name over a range; `rated` goes by RATINGS."""

    name: str
    kind: int = METRIC
    count: int = 0
    rated: list[int] = field(default_factory=lambda: [0] * len(RATINGS))
    bins: sketch.Bins = field(default_factory=dict)

    def add(self, count: int, rated: Iterable[int], bins: Mapping[int, int]) -> None:
        """Merge in what another sketch knows."""
        self.count += count
        self.rated = [mine + more for mine, more in zip(self.rated, rated, strict=True)]
        sketch.add(self.bins, bins)

    def quantiles(self) -> list[float]:
        """The values at QUANTILES; empty without any value."""
        return SCALES[self.kind].quantiles(self.bins, QUANTILES) if self.bins else []


def record(bulk: Bulk, measured: Iterable[tuple[int, int, Measurement]], shard: int) -> None:
    """Enter (app, time in ms, measurement) of new events: at most three statements, none where nothing was measured.

    To be called after the counters were written: their rows make writers of one shard on several machines wait for each
    other. Raises StaleTransaction should a row have changed after all between reading and writing it.
    """
    changes = _changes(measured)
    if not changes:
        return
    kept = _kept(bulk, changes, shard)
    changes = _bounded(bulk, changes, kept, shard)
    for key, change in changes.items():
        count, bins = kept.get(key, (0, ""))
        if count:
            merged = sketch.from_text(bins)
            sketch.add(merged, change.bins)
            change.bins = merged
    rows = [(*k, shard, sketch.to_text(c.bins), c.count, *c.rated) for k, c in sorted(changes.items())]
    for row in bulk.ask(_UPSERT, rows):
        written: Key = row[:5]
        seen, _ = kept.get(written, (0, ""))
        if row[5] != seen + changes[written].count:
            raise StaleTransaction


def _changes(measured: Iterable[tuple[int, int, Measurement]]) -> dict[Key, Metric]:
    """What is new by key, in order of arrival: each hour, then each day."""
    changes: dict[Key, Metric] = {}
    for app_id, time_ms, measurement in measured:
        rated = [int(measurement.rating == rating) for rating in RATINGS]
        kind, value = measurement.kind, measurement.value
        change = _at(changes, (app_id, kind, HOUR, time_ms // HOUR_MS, measurement.name))
        change.add(1, rated, {} if value is None else {SCALES[kind].bin_of(value): 1})
    for (app_id, kind, _, hour, name), change in list(changes.items()):
        _at(changes, (app_id, kind, DAY, hour // DAY * DAY, name)).add(change.count, change.rated, change.bins)
    return changes


def _at(changes: dict[Key, Metric], key: Key) -> Metric:
    change = changes.get(key)
    if change is None:
        change = changes[key] = Metric(key[4], key[1])
    return change


_KEY_COLUMNS: Columns = (
    ("app_id", "int"),
    ("kind", "small"),
    ("span_hours", "small"),
    ("first_hour", "int"),
    ("name", "text"),
)
_COLUMNS: Columns = (
    *_KEY_COLUMNS,
    ("shard", "small"),
    ("sketch", "text"),
    ("count", "int"),
    ("good", "int"),
    ("needs_improvement", "int"),
    ("poor", "int"),
)
_UPSERT = Query(
    _COLUMNS,
    """
INSERT INTO metric_spans (app_id, kind, span_hours, first_hour, name, shard, sketch, count, good, needs_improvement, poor)
SELECT r.app_id, r.kind, r.span_hours, r.first_hour, r.name, r.shard, r.sketch, r.count, r.good, r.needs_improvement, r.poor
FROM {rows} WHERE true
ON CONFLICT (app_id, kind, span_hours, first_hour, name, shard) DO UPDATE SET
    sketch = excluded.sketch,
    count = metric_spans.count + excluded.count,
    good = metric_spans.good + excluded.good,
    needs_improvement = metric_spans.needs_improvement + excluded.needs_improvement,
    poor = metric_spans.poor + excluded.poor
RETURNING app_id, kind, span_hours, first_hour, name, count
""",
)


_SHARD: Columns = (("shard", "small"),)
_KEPT = Query(
    (*_KEY_COLUMNS, *_SHARD),
    "SELECT m.app_id, m.kind, m.span_hours, m.first_hour, m.name, m.count, m.sketch "
    "FROM {rows} CROSS JOIN metric_spans AS m WHERE m.app_id = r.app_id AND m.kind = r.kind "
    "AND m.span_hours = r.span_hours AND m.first_hour = r.first_hour AND m.name = r.name AND m.shard = r.shard",
)
_NAME_COUNTS = Query(
    (*_KEY_COLUMNS[:4], *_SHARD),
    "SELECT m.app_id, m.kind, m.span_hours, m.first_hour, COUNT(*) FROM {rows} CROSS JOIN metric_spans AS m "  # noqa: S608 -- a name of ours
    "WHERE m.app_id = r.app_id AND m.kind = r.kind AND m.span_hours = r.span_hours AND m.first_hour = r.first_hour "
    f"AND m.name <> '{OTHER_NAMES}' AND m.shard = r.shard GROUP BY 1, 2, 3, 4",
)


def _kept(bulk: Bulk, changes: Mapping[Key, Metric], shard: int) -> dict[Key, tuple[int, str]]:
    """Count and sketch of the rows that the changes go to, and of those for other names beside them."""
    keys = changes.keys() | {(*key[:4], OTHER_NAMES) for key in changes}
    rows = bulk.ask(_KEPT, [(*key, shard) for key in sorted(keys)])
    return {row[:5]: row[5:] for row in rows}


def _bounded(bulk: Bulk, changes: dict[Key, Metric], kept: Mapping[Key, object], shard: int) -> dict[Key, Metric]:
    """The changes with those of names for which their span has no room under OTHER_NAMES."""
    new = [key for key in changes if key not in kept and key[4] != OTHER_NAMES]
    if not new:
        return changes
    names = _name_counts(bulk, {key[:4] for key in new}, shard)
    for key in new:
        span = key[:4]
        names[span] += 1
        if names[span] > MAX_NAMES:
            change = changes.pop(key)
            _at(changes, (*span, OTHER_NAMES)).add(change.count, change.rated, change.bins)
    return changes


def _name_counts(bulk: Bulk, spans: set[Span], shard: int) -> defaultdict[Span, int]:
    """How many names each span keeps apart."""
    found: defaultdict[Span, int] = defaultdict(int)
    for row in bulk.ask(_NAME_COUNTS, [(*span, shard) for span in sorted(spans)]):
        found[row[:4]] = row[4]
    return found


def read(session: Session, app_id: int, kind: int, first_hour: int, last_hour: int) -> list[Metric]:
    """What the app measured of a kind in an inclusive range of hours, by name: the MAX_NAMES most measured, and OTHER_NAMES."""
    found: dict[str, Metric] = {}
    for name, count, good, needs_improvement, poor, bins in session.connection().execute(
        reading(app_id, kind, first_hour, last_hour)
    ):
        metric = found.setdefault(name, Metric(name, kind))
        metric.add(count, (good, needs_improvement, poor), sketch.from_text(bins))
    return _most_measured(found, kind)


def reading(app_id: int, kind: int, first_hour: int, last_hour: int) -> sa.CompoundSelect[Any]:
    """The rows that cover the range: whole days, and the hours of the broken days at its ends.

    A union, because SQLite answers an OR of ranges by reading everything that the app has.
    """
    midnight, last_midnight = -(-first_hour // DAY) * DAY, (last_hour + 1) // DAY * DAY
    parts = [(HOUR, first_hour, last_hour)]
    if midnight < last_midnight:
        parts = [
            (HOUR, first_hour, midnight - 1),
            (DAY, midnight, last_midnight - 1),
            (HOUR, last_midnight, last_hour),
        ]
    return sa.union_all(*(_rows(app_id, kind, *part) for part in parts))


def _rows(app_id: int, kind: int, hours: int, first_hour: int, last_hour: int) -> sa.Select[*tuple[Any, ...]]:
    row = MetricSpanRow
    return sa.select(
        *(col(c) for c in (row.name, row.count, row.good, row.needs_improvement, row.poor, row.sketch))
    ).where(
        col(row.app_id) == app_id,
        col(row.kind) == kind,
        col(row.span_hours) == hours,
        col(row.first_hour).between(first_hour, last_hour),
    )


def _most_measured(found: dict[str, Metric], kind: int) -> list[Metric]:
    by_count = sorted((m for m in found.values() if m.name != OTHER_NAMES), key=lambda m: (-m.count, m.name))
    shown = {metric.name: metric for metric in by_count[:MAX_NAMES]}
    others = [*by_count[MAX_NAMES:], *(m for m in found.values() if m.name == OTHER_NAMES)]
    for metric in others:
        shown.setdefault(OTHER_NAMES, Metric(OTHER_NAMES, kind)).add(metric.count, metric.rated, metric.bins)
    return [shown[name] for name in sorted(shown)]
