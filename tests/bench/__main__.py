"""`python -m tests.bench`: measures the real program on both engines and prints one table. A bench is no test: it never fails on speed."""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import ingest_rows, machine, mixed_rows, mobile_rows, raw, read_rows, wrk
from tests.bench.report import Report
from tests.bench.result import Row
from tests.bench.site import ENGINES, BenchFault, Engine, Site, open_site

ROW_SETS = ("ingest", "mixed", "workers", "reads")
MEMORY_FILE_SYSTEMS = {"tmpfs", "ramfs"}
SEVERAL_WORKERS = 2


@dataclass(frozen=True)
class Mode:
    """How much is measured."""

    name: str
    ingest: Sequence[ingest_rows.RestRow | ingest_rows.GrpcRow]
    ingest_s: float
    sizes: tuple[int, ...]
    reads_s: float
    thorough: bool = True
    """With everything beside the budget rows: the mixed load, offered and refused load, workers, reads during ingest."""


DEFAULT = Mode("default", ingest_rows.ALL, 5, (10_000, 100_000, 1_000_000), 2)
QUICK = Mode("quick", ingest_rows.QUICK, 2, (10_000,), 1, thorough=False)
LARGE = Mode("large", ingest_rows.ALL, 15, (10_000, 100_000, 1_000_000, 10_000_000), 4)


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
        written = "\n".join(str(path) for path in report.write())
        sys.stdout.write(f"{report.text()}\n\n{written}\n")


def _run_engine(
    engine: Engine, options: argparse.Namespace, mode: Mode, sizes: tuple[int, ...], report: Report
) -> None:
    chosen = options.rows or (ROW_SETS if mode.thorough else ("ingest", "reads"))
    seconds = options.seconds or mode.ingest_s
    if {"ingest", "mixed"} & set(chosen):
        with _site(engine, report) as site:
            if "ingest" in chosen:
                _run_ingest(engine, site, mode, seconds, report)
            if "mixed" in chosen:
                report.take(mixed_rows.run(site, seconds, _note))
    if "workers" in chosen and engine.name == "postgresql":
        with _site(engine, report, SEVERAL_WORKERS) as site:
            report.take(_workers(site, seconds))
    if "reads" in chosen:
        with _site(engine, report) as site:
            report.take(read_rows.run(site, list(sizes), mode.reads_s, busy=mode.thorough, note=_note))


@contextmanager
def _site(engine: Engine, report: Report, workers: int = 1) -> Iterator[Site]:
    """A site that is warm."""
    with open_site(engine, workers) as site:
        report.databases[engine.name] = site.database.describe()
        _note(f"{engine.name}: warming up")
        ingest_rows.warm_up(site)
        yield site


def _run_ingest(engine: Engine, site: Site, mode: Mode, seconds: float, report: Report) -> None:
    app_key = site.new_app()
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
    _note(f"{engine.name}: {mobile_rows.NAME}")
    report.rows.append(mobile_rows.run(site, seconds))
    if mode.thorough:
        _note(f"{engine.name}: offered and refused load")
        report.take(ingest_rows.offered(site, app_key, rows[0].rate, seconds))
        report.take(planned.run_shed(site, seconds) for planned in ingest_rows.REFUSED)


def _workers(site: Site, seconds: float) -> Iterator[Row]:
    app_key = site.new_app()
    for planned in ingest_rows.SEVERAL_WORKERS:
        name = f"{planned.name}, {SEVERAL_WORKERS}{ingest_rows.WORKERS}"
        _note(f"{site.database.name}: {name}")
        row = planned.run(site, app_key, seconds)
        row.name = name
        yield row


def _note(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    how_much = parser.add_mutually_exclusive_group()
    how_much.add_argument("--quick", action="store_true", help="the few rows of daily use, under a minute")
    how_much.add_argument("--large", action="store_true", help="longer rows, and reads at 10,000,000 events too")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="only this one; may be given twice")
    parser.add_argument("--rows", action="append", choices=ROW_SETS, help="only this set of rows; may be given again")
    parser.add_argument("--sizes", type=_sizes, metavar="N,N", help="stored events at which reads are measured")
    parser.add_argument("--seconds", type=float, help="length of each row of ingest")
    parser.add_argument("--dir", help="where the data is kept meanwhile; must be on a real disk")
    return parser.parse_args()


def _sizes(text: str) -> list[int]:
    return [int(part.replace("_", "")) for part in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
