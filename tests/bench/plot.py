"""The plot: latency against offered load, and the time of a query against the events that are stored."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from tests.bench.budgets import AT, BESIDE_INGEST, READ_P95_MS, READS, SINGLE_P99_MS
from tests.bench.ingest_rows import OFFERED
from tests.bench.result import Row

_DASHES = {"sqlite": "-", "postgresql": "--"}
_BUDGET = {"color": "0.6", "linestyle": ":", "linewidth": 1}

_PLAIN = StrMethodFormatter("{x:,.0f}")

Lines = dict[tuple[str, str], list[tuple[float, float | None]]]
"""Points by engine and what they show; None where nothing was answered."""


def draw(rows: Sequence[Row], path: Path) -> bool:
    """Write the plot as SVG; False where the rows have nothing to draw."""
    offered = [row for row in rows if OFFERED in row.extra]
    reads = [row for row in rows if row.name.partition(AT)[0] in READS]
    beside = [row for row in reads if row.name.endswith(BESIDE_INGEST)]
    idle = [row for row in reads if row not in beside]
    if not offered or not idle:
        return False
    figure = Figure(figsize=(16 if beside else 11, 4.2), layout="constrained")
    left, *others = figure.subplots(1, 3 if beside else 2)
    _draw_offered(left, offered)
    _draw_reads(others[0], idle, "A dashboard's pages")
    if beside:
        _draw_reads(others[1], beside, "The same during ingest")
    with mpl.rc_context({"svg.hashsalt": "bench"}):  # ids that do not change with every run
        figure.savefig(path, metadata={"Date": None})
    return True


def _draw_offered(axes: Axes, rows: Iterable[Row]) -> None:
    lines: Lines = {}
    for row in rows:
        for figure, value in (("p50", row.p50_ms), ("p99", row.p99_ms)):
            lines.setdefault((row.engine, figure), []).append((row.extra[OFFERED], value))
    _draw(axes, lines, ("p50", "p99"), SINGLE_P99_MS)
    axes.set(title="Single events over REST", xlabel="offered requests a second", ylabel="ms until acknowledged")
    axes.set_yscale("log")
    for ticks in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        ticks(_PLAIN)


def _draw_reads(axes: Axes, rows: Iterable[Row], title: str) -> None:
    lines: Lines = {}
    for row in rows:
        name, _, size = row.name.removesuffix(BESIDE_INGEST).partition(AT)
        lines.setdefault((row.engine, name), []).append((int(size.replace(",", "")), row.p95_ms))
    _draw(axes, lines, READS, READ_P95_MS)
    axes.set(title=title, xlabel="stored events", ylabel="p95 ms", xscale="log", ylim=(0, None))
    axes.xaxis.set_major_formatter(_PLAIN)


def _draw(axes: Axes, lines: Lines, names: Sequence[str], budget_ms: float) -> None:
    """A color for each name, a kind of line for each engine, and the budget."""
    for (engine, name), points in lines.items():
        color = f"C{names.index(name)}"
        axes.plot(*zip(*points, strict=True), _DASHES[engine], marker=".", color=color, label=f"{engine} {name}")
    axes.axhline(budget_ms, **_BUDGET, label="budget")
    axes.legend(fontsize="small")
