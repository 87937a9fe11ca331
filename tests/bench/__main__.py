"""`python -m tests.bench`: measures the real program on both engines and prints one table. A bench is no test: it never fails on speed."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench import ingest_rows, machine, mixed_rows, raw, read_rows, wrk
from tests.bench.report import Report
from tests.bench.site import ENGINES, BenchFault, Engine, Site, open_site

ROW_SETS = ("ingest", "mixed", "reads")
MEMORY_FILE_SYSTEMS = {"tmpfs", "ramfs"}


@dataclass(frozen=True)
class Mode:
    """How much is measured."""

    name: str
    ingest: Sequence[ingest_rows.RestRow | ingest_rows.GrpcRow]
    ingest_s: float
    sizes: tuple[int, ...]
    reads_s: float
    thorough: bool = True
    """With the mixed load, and reads during ingest."""


DEFAULT = Mode("default", ingest_rows.ALL, 6, (10_000, 100_000), 2)
QUICK = Mode("quick", ingest_rows.QUICK, 3, (10_000,), 1, thorough=False)
LARGE = Mode("large", ingest_rows.ALL, 15, (10_000, 100_000, 1_000_000), 4)


def main() -> int:
    """Run what the command line asks for; the exit code."""
    options = _parse()
    mode = QUICK if options.quick else LARGE if options.large else DEFAULT
    sizes = tuple(sorted(options.sizes)) if options.sizes else mode.sizes
    try:
        wrk.program()
        with tempfile.TemporaryDirectory(prefix="hgbench", dir=options.dir) as directory:
            _measure(options, mode, sizes, Path(directory))
    except BenchFault as fault:
        sys.stderr.write(f"bench: {fault}\n")
        return 1
    return 0


def _measure(options: argparse.Namespace, mode: Mode, sizes: tuple[int, ...], directory: Path) -> None:
    report = Report(mode.name, machine.facts(directory))
    if report.machine["file system"] in MEMORY_FILE_SYSTEMS:
        _note(f"{directory} lies in memory: nothing here costs what a disk costs; choose another with --dir")
    try:
        for name in options.engine or ENGINES:
            with ExitStack() as stack:
                _run_engine(Engine(name, directory, stack), options, mode, sizes, report)
    finally:  # what was measured before a fault or Ctrl-C is worth reading
        sys.stdout.write(f"{report.text()}\n\n{report.write()}\n")


def _run_engine(
    engine: Engine, options: argparse.Namespace, mode: Mode, sizes: tuple[int, ...], report: Report
) -> None:
    chosen = options.rows or ROW_SETS
    with open_site(engine, options.workers) as site:
        report.databases[engine.name] = site.database.describe()
        if "ingest" in chosen:
            _run_ingest(engine, site, mode, options.seconds or mode.ingest_s, report)
        if "mixed" in chosen and mode.thorough:
            report.rows += mixed_rows.run(site, options.seconds or mode.ingest_s, _note)
    if "reads" in chosen:
        with open_site(engine, options.workers) as site:
            report.databases[engine.name] = site.database.describe()
            for row in read_rows.run(site, list(sizes), mode.reads_s, busy=mode.thorough, note=_note):
                report.rows.append(row)


def _run_ingest(engine: Engine, site: Site, mode: Mode, seconds: float, report: Report) -> None:
    app_key = site.new_app()
    _note(f"{engine.name}: warming up")
    ingest_rows.REST_10.run(site, app_key, 1)
    rows = []
    for planned in mode.ingest:
        _note(f"{engine.name}: {planned.name}")
        rows.append(planned.run(site, app_key, seconds))
        report.rows.append(rows[-1])
    _note(f"{engine.name}: raw bulk insert")
    limit = raw.rows_per_s(engine, site.database)
    report.raw_rows_per_s[engine.name] = limit
    for row in rows:
        row.share = row.rate / limit


def _note(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    how_much = parser.add_mutually_exclusive_group()
    how_much.add_argument("--quick", action="store_true", help="the few rows of daily use, about 40 s")
    how_much.add_argument("--large", action="store_true", help="longer rows, and reads at 1,000,000 events")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="only this one; may be given twice")
    parser.add_argument("--rows", action="append", choices=ROW_SETS, help="only this set of rows; may be given again")
    parser.add_argument("--sizes", type=_sizes, metavar="N,N", help="stored events at which reads are measured")
    parser.add_argument("--seconds", type=float, help="length of each row of ingest")
    parser.add_argument("--workers", type=int, default=1, help="processes of the collector, on PostgreSQL only")
    parser.add_argument("--dir", help="where the data is kept meanwhile; must be on a real disk")
    return parser.parse_args()


def _sizes(text: str) -> list[int]:
    return [int(part.replace("_", "")) for part in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
