"""The speed that was promised, from section 7 of the design, and whether a run keeps it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.bench.result import Row

READS = ("overview", "overview, 3 days", "issue list", "issue detail")


@dataclass(frozen=True)
class Budget:
    """A bound on one figure of a row."""

    figure: str
    bound: float
    text: str
    at_least: bool = False

    def is_met(self, row: Row) -> bool:
        """Whether the row keeps it. A row without the figure does not."""
        value = getattr(row, self.figure)
        return value is not None and (value >= self.bound if self.at_least else value < self.bound)


def _rate(bound: int, unit: str = "") -> Budget:
    return Budget("rate", bound, f">= {bound:,}/s{unit}", at_least=True)


_BY_NAME = {
    "REST 1": (_rate(2_000), Budget("p99_ms", 40, "p99 < 40")),
    "REST 10": (_rate(8_000),),
    "REST 50": (_rate(12_000),),
    "gRPC 50": (_rate(15_000),),
}
_READ = (Budget("p95_ms", 25, "p95 < 25"),)


def of(row: Row) -> tuple[Budget, ...]:
    """The budgets of a row; none for rows that only inform."""
    name, _, load = row.name.partition(" @ ")
    return _READ if name in READS and "ingest" not in load else _BY_NAME.get(name, ())


@dataclass(frozen=True)
class Limit:
    """One figure that is drawn from many rows, beside its budget."""

    engine: str
    name: str
    value: str
    budget: str
    met: bool


def limits(rows: Sequence[Row]) -> Iterator[Limit]:
    """What the rows of one engine say together."""
    if ingest := [row for row in rows if row.event_bytes is not None and row.name in _BY_NAME]:
        yield from _ingest_limits(ingest)
    yield from _growth(rows)
    if peaks := [row.peak_mb for row in rows if row.peak_mb is not None]:
        yield Limit(
            rows[0].engine,
            "peak memory in this run",
            f"{max(peaks):.0f} MB",
            "< 300 MB after an hour",
            max(peaks) < 300,
        )


def _ingest_limits(rows: Sequence[Row]) -> Iterator[Limit]:
    engine = rows[0].engine
    share = max(row.share or 0 for row in rows)
    yield Limit(engine, "best share of the raw insert", f"{share:.0%}", ">= 40 %", share >= 0.4)
    # Files grow in steps: the row that stored most says best what an event takes.
    size = max(rows, key=lambda row: row.extra["stored"]).event_bytes or 0
    yield Limit(engine, "disk per event", f"{size:.0f} bytes", "< 700 bytes", size < 700)


def _growth(rows: Sequence[Row]) -> Iterator[Limit]:
    """How much slower each page is over the most events than over the fewest."""
    for name in READS:
        sizes = [row for row in rows if row.name.startswith(f"{name} @ ") and "ingest" not in row.name]
        if len(sizes) > 1 and sizes[0].p95_ms and sizes[-1].p95_ms:
            growth = sizes[-1].p95_ms / sizes[0].p95_ms
            over = f"{sizes[-1].name.partition(' @ ')[2]} over {sizes[0].name.partition(' @ ')[2]} events"
            yield Limit(rows[0].engine, f"{name}: p95 at {over}", f"{growth:.2f} x", "<= 1.50 x", growth <= 1.5)
    quiet, stormed = (
        next((row for row in rows if row.name == name), None) for name in ("19 apps, quiet", "19 apps beside a storm")
    )
    if quiet and stormed and quiet.p99_ms and stormed.p99_ms:
        growth = stormed.p99_ms / quiet.p99_ms
        yield Limit(rows[0].engine, "p99 of 19 apps: storm over quiet", f"{growth:.2f} x", "<= 2.00 x", growth <= 2)
