"""The table a person reads and the JSON a program compares."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.bench import budgets, plot
from tests.bench.budgets import Limit
from tests.bench.machine import Facts
from tests.bench.result import Row
from tests.collector import ROOT

BUSY_GENERATOR = 0.9
"""Share of the cores it can use from which on a load generator, not the collector, may be what was measured."""

QUIET_CORES = 0.2
"""What a machine may do beside the bench, such as writing pages back, without spoiling it."""

RESULTS = ROOT / "bench-results"
_HEADS = (
    "",
    "a second",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "CPU s/10k",
    "peak MB",
    "B/event",
    "of raw",
    "generator",
    "others",
    "budget",
    "met",
)


@dataclass
class Report:
    """Everything one run found."""

    mode: str
    machine: Facts
    databases: dict[str, str] = field(default_factory=dict)
    raw_rows_per_s: dict[str, float] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)

    def limits(self) -> list[Limit]:
        """Figures drawn from many rows, engine by engine."""
        return [limit for engine in self.databases for limit in budgets.limits(self._of(engine))]

    def text(self) -> str:
        """The whole report as text."""
        return "\n".join(self._lines())

    def take(self, rows: Iterable[Row]) -> None:
        """Add rows one by one: what was measured before a fault is kept."""
        for row in rows:
            self.rows.append(row)

    def write(self) -> list[Path]:
        """Keep it as JSON and as a plot; where they lie."""
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}-{self.mode}.json"
        path.write_text(json.dumps(asdict(self) | {"limits": [asdict(limit) for limit in self.limits()]}, indent=1))
        drawing = path.with_suffix(".svg")
        return [path, drawing] if plot.draw(self.rows, drawing) else [path]

    @classmethod
    def read(cls, path: Path) -> "Report":
        """One that was written as JSON."""
        told = json.loads(path.read_text())
        del told["limits"]
        return cls(**told | {"rows": [Row(**row) for row in told["rows"]]})

    def _of(self, engine: str) -> list[Row]:
        return [row for row in self.rows if row.engine == engine]

    def _lines(self) -> Iterator[str]:
        yield "CPU: seconds of collector and database for 10,000 events, requests or batches; cores of the load generator and of other work."
        yield from (f"{name:12} {value}" for name, value in self.machine.items())
        for engine, description in self.databases.items():
            rows = self._of(engine)
            yield f"\n{description}"
            if engine in self.raw_rows_per_s:
                yield f"raw bulk insert of the same rows: {self.raw_rows_per_s[engine]:,.0f} rows/s"
            yield from _table([_HEADS, *(_cells(row) for row in rows)])
            yield from _complaints(rows)
        if limits := self.limits():
            yield ""
            heads = ("drawn from the rows", "", "measured", "budget", "met")
            yield from _table([heads, *((x.name, x.engine, x.value, x.budget, _yes_no([x.met])) for x in limits)])


def _cells(row: Row) -> tuple[str, ...]:
    promised = budgets.of(row)
    return (
        row.name,
        f"{row.rate:,.0f} {row.unit}",
        _number(row.p50_ms, 1),
        _number(row.p95_ms, 1),
        _number(row.p99_ms, 1),
        _number(row.cpu_s_per_10k, 2),
        _number(row.peak_mb, 0),
        _number(row.event_bytes, 0),
        "" if row.share is None else f"{row.share:.0%}",
        _number(row.generator_cores, 2),
        _number(row.other_cores, 2),
        ", ".join(budget.text for budget in promised),
        _yes_no([budget.is_met(row) for budget in promised]),
    )


def _complaints(rows: Sequence[Row]) -> Iterator[str]:
    """What makes figures worthless: answers that were no success, books that do not agree, a machine that was not ours."""
    others = max((row.other_cores or 0 for row in rows), default=0)
    if others > QUIET_CORES:
        yield f"! other work used up to {others:.1f} cores meanwhile: rates and latencies are worse than this machine's"
    for row in rows:
        if row.generator_busy > BUSY_GENERATOR:
            yield f"! {row.name}: the load generator used {row.generator_busy:.0%} of the cores it can: it may be the bottleneck"
        if row.faults:
            yield f"! {row.name}: {row.faults} requests failed"
        if row.books:
            yield f"! {row.name}: {row.books}"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _yes_no(verdicts: Sequence[bool]) -> str:
    return "" if not verdicts else "yes" if all(verdicts) else "NO"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as their widest cell: words to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if _is_words(column, row) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _is_words(column: int, row: Sequence[str]) -> bool:
    return column == 0 or column >= len(row) - 2
