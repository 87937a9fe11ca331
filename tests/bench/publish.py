"""`python -m tests.bench.publish RESULT.json`: puts the figures of a run and its plot into the README, so that nobody types them."""

import argparse
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from tests.bench import budgets
from tests.bench.budgets import AT, Limit
from tests.bench.ingest_rows import OFFERED, SHED
from tests.bench.report import Report
from tests.bench.result import Row
from tests.collector import ROOT

README = ROOT / "README.md"
PLOT = ROOT / "docs" / "speed.svg"
BEGIN, END = "<!-- speed: written by tests/bench/publish.py -->", "<!-- end of speed -->"
Line = tuple[str, dict[str, str], str]
"""A name, what each engine reached, and the budget."""

Found = TypeVar("Found", Row, Limit)
_TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def main() -> int:
    """Publish the run that the command line names; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.publish", description=__doc__)
    parser.add_argument("result", type=Path, help="a JSON file that the bench wrote")
    result = parser.parse_args().result
    before, begin, rest = README.read_text().partition(f"{BEGIN}\n")
    _, end, after = rest.partition(END)
    if not (begin and end):
        sys.stderr.write(f"publish: {README.name} has no lines {BEGIN} and {END}\n")
        return 1
    drawing = result.with_suffix(".svg")
    if not drawing.exists():
        sys.stderr.write(
            f"publish: {result.name} has no plot beside it: only runs with offered load and reads have one\n"
        )
        return 1
    PLOT.parent.mkdir(exist_ok=True)
    shutil.copyfile(drawing, PLOT)
    README.write_text(before + begin + "\n".join(section(Report.read(result))) + "\n" + end + after)
    return 0


def section(report: Report) -> Iterator[str]:
    """The lines between the marks: where it was measured, the table, the plot."""
    engines = list(report.databases)
    machine = report.machine
    command = {"quick": "make bench ARGS=--quick", "large": "make bench-large"}.get(report.mode, "make bench")
    yield f"`{command}` on {machine['cores']} cores of {machine['CPU']}, which the load generator shares, {machine['RAM']} RAM, {machine['file system']},"
    yield f"Python {machine['Python']}, {'; '.join(report.databases.values())}. REST 10 is ten events a request, `of raw` the share of the engine's bulk insert of the same rows."
    yield ""
    yield _line(["", *(_TITLES[engine] for engine in engines), "budget"])
    yield _line(["---"] * (len(engines) + 2))
    for name, cells, budget in (*_rows(report.rows), *_pages(report.rows), *_limits(report.limits())):
        yield _line([name, *(cells.get(engine, "") for engine in engines), budget])
    yield ""
    yield f"![Latency against offered load; query time against stored events]({PLOT.relative_to(ROOT)})"


def _rows(rows: Iterable[Row]) -> Iterator[Line]:
    """A line for each kind of ingest at full speed or at its pace; what the plot shows, and what is only compared, is left out."""
    shown = [row for row in rows if row.unit != "requests" and OFFERED not in row.extra and not row.name.endswith(SHED)]
    for name, of_engine in _grouped(shown, lambda row: row.name).items():
        yield name, {engine: _reached(found[0]) for engine, found in of_engine.items()}, _budget(of_engine)


def _pages(rows: Iterable[Row]) -> Iterator[Line]:
    """A line for each page of a dashboard, idle and during ingest, over all numbers of stored events."""
    reads = [row for row in rows if row.unit == "requests"]
    for name, of_engine in _grouped(reads, _page).items():
        sizes = (row.name.partition(AT)[2].partition(" ")[0] for row in next(iter(of_engine.values())))
        times = {engine: " / ".join(_number(row.p95_ms) for row in found) for engine, found in of_engine.items()}
        yield (
            f"{name}: p95 at {' / '.join(sizes)} events",
            {engine: f"{text} ms" for engine, text in times.items()},
            _budget(of_engine),
        )


def _limits(limits: Iterable[Limit]) -> Iterator[Line]:
    for name, of_engine in _grouped(limits, lambda limit: limit.name).items():
        budget = next(iter(of_engine.values()))[0].budget
        yield name, {engine: found[0].value for engine, found in of_engine.items()}, budget


def _grouped(found: Iterable[Found], name_of: Callable[[Found], str]) -> dict[str, dict[str, list[Found]]]:
    """What was found by name, then by engine."""
    groups: dict[str, dict[str, list[Found]]] = {}
    for one in found:
        groups.setdefault(name_of(one), {}).setdefault(one.engine, []).append(one)
    return groups


def _page(row: Row) -> str:
    name, _, load = row.name.partition(AT)
    return f"{name}, during ingest" if "ingest" in load else name


def _budget(of_engine: dict[str, list[Row]]) -> str:
    return ", ".join(budget.text for budget in budgets.of(next(iter(of_engine.values()))[0]))


def _reached(row: Row) -> str:
    share = "" if row.share is None else f", {row.share:.0%} of raw"
    return f"{row.rate:,.0f} {row.unit}/s, p99 {_number(row.p99_ms)} ms{share}"


def _number(value: float | None) -> str:
    return "no answer" if value is None else f"{value:,.1f}" if value < 10 else f"{value:,.0f}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
