"""`python -m tests.bench.publish RESULT.json`: puts the figures of a run and its plot into the README, so that nobody types them."""

import argparse
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.bench import budgets
from tests.bench.budgets import Limit
from tests.bench.report import Report
from tests.bench.result import Row
from tests.collector import ROOT

README = ROOT / "README.md"
PLOT = ROOT / "docs" / "speed.svg"
BEGIN, END = "<!-- speed: written by tests/bench/publish.py -->", "<!-- end of speed -->"
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
    PLOT.parent.mkdir(exist_ok=True)
    shutil.copyfile(result.with_suffix(".svg"), PLOT)
    README.write_text(before + begin + "\n".join(section(Report.read(result))) + "\n" + end + after)
    return 0


def section(report: Report) -> Iterator[str]:
    """The lines between the marks: where it was measured, the table, the plot."""
    engines = list(report.databases)
    machine = report.machine
    command = {"quick": "make bench ARGS=--quick", "large": "make bench-large"}.get(report.mode, "make bench")
    yield f"Measured by `{command}` at {machine['commit']} on {machine['cores']} cores of {machine['CPU']} that the load generator shares,"
    yield f"{machine['RAM']}, {machine['file system']}, Python {machine['Python']}; {'; '.join(report.databases.values())}."
    yield ""
    yield from _line(["", *(_TITLES[engine] for engine in engines), "budget"])
    yield from _line(["---"] * (len(engines) + 2))
    for name, cells, budget in (*_rows(report.rows), *_limits(report.limits())):
        yield from _line([name, *(cells.get(engine, "") for engine in engines), budget])
    yield ""
    yield f"![Latency against offered load; query time against stored events]({PLOT.relative_to(ROOT)})"


def _rows(rows: Iterable[Row]) -> Iterator[tuple[str, dict[str, str], str]]:
    """Each row's name, what each engine reached, and the budget."""
    by_name: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_name.setdefault(row.name, {})[row.engine] = row
    for name, of_engine in by_name.items():
        promised = budgets.of(next(iter(of_engine.values())))
        yield name, {engine: _reached(row) for engine, row in of_engine.items()}, ", ".join(b.text for b in promised)


def _reached(row: Row) -> str:
    if row.unit == "requests":
        return "no answer" if row.p95_ms is None else f"p95 {row.p95_ms:.1f} ms"
    share = f", {row.share:.0%} of raw" if row.share is not None else ""
    return f"{row.rate:,.0f} {row.unit}/s, p99 {row.p99_ms or 0:.0f} ms{share}"


def _limits(limits: Iterable[Limit]) -> Iterator[tuple[str, dict[str, str], str]]:
    by_name: dict[str, dict[str, Limit]] = {}
    for limit in limits:
        by_name.setdefault(limit.name, {})[limit.engine] = limit
    for name, of_engine in by_name.items():
        yield name, {engine: limit.value for engine, limit in of_engine.items()}, next(iter(of_engine.values())).budget


def _line(cells: Iterable[str]) -> Iterator[str]:
    yield re.sub(r"<(?=\d)", "&lt;", f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    sys.exit(main())
