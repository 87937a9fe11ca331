"""The plot: latency against offered load, and the time of a query against the events that are stored."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.bench.budgets import AT, READ_P95_MS, READS, SINGLE_P99_MS
from tests.bench.result import Row

_DASHES = {"sqlite": "-", "postgresql": "--"}
_BUDGET = {"color": "0.6", "linestyle": ":", "linewidth": 1}

Point = tuple[float, float]


def draw(rows: Sequence[Row], path: Path) -> bool:
    """Write the plot as SVG; False where the rows have nothing to draw."""
    offered = [row for row in rows if "offered_per_s" in row.extra]
    reads = [
        row
        for row in rows
        if row.name.partition(AT)[0] in READS and row.name.partition(AT)[2].replace(",", "").isdigit()
    ]
    if not offered or not reads:
        return False
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_offered(left, offered)
    _draw_reads(right, reads)
    with mpl.rc_context({"svg.hashsalt": "bench"}):  # ids that do not change with every run
        figure.savefig(path, metadata={"Date": None})
    return True


def _draw_offered(axes: Axes, rows: Iterable[Row]) -> None:
    points: dict[tuple[str, str], list[Point]] = {}
    for row in rows:
        for figure in ("p50", "p99"):
            points.setdefault((row.engine, figure), []).append(
                (row.extra["offered_per_s"], getattr(row, f"{figure}_ms"))
            )
    for (engine, figure), line in points.items():
        color = "C0" if figure == "p50" else "C3"
        axes.plot(*zip(*line, strict=True), _DASHES[engine], marker=".", color=color, label=f"{engine} {figure}")
    axes.axhline(SINGLE_P99_MS, **_BUDGET)
    axes.set(
        title="Single events over REST",
        xlabel="offered requests a second",
        ylabel="ms until acknowledged",
        yscale="log",
    )
    axes.legend(fontsize="small")


def _draw_reads(axes: Axes, rows: Iterable[Row]) -> None:
    points: dict[tuple[str, str], list[Point]] = {}
    for row in rows:
        name, _, size = row.name.partition(AT)
        points.setdefault((row.engine, name), []).append((int(size.replace(",", "")), row.p95_ms or 0))
    for (engine, name), line in points.items():
        color = f"C{READS.index(name)}"
        axes.plot(*zip(*line, strict=True), _DASHES[engine], marker=".", color=color, label=f"{engine} {name}")
    axes.axhline(READ_P95_MS, **_BUDGET)
    axes.set(title="A dashboard's pages", xlabel="stored events", ylabel="p95 ms", xscale="log", ylim=(0, None))
    axes.legend(fontsize="small")
