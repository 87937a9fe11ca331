"""The speed that was promised, from section 7 of the design, and whether a run keeps it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.bench import ingest_rows, mixed_rows, mobile_rows
from tests.bench.result import Row

AT = " @ "
"""Before the number of events that were stored."""

BESIDE_INGEST = " + ingest"
"""Behind the number of stored events where events were taken meanwhile."""

INGEST = ingest_rows.GRPC_50.name
SINGLE_P99_MS = 40
READ_P95_MS = 25
READS = ("overview", "overview, 3 days", "issue list", "issue detail")
PAGES = ("overview page", "issue list page")
PAGE_P95_MS = 1_000


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
    return Budget("rate", bound, f">= {bound:,}{unit}/s", at_least=True)


_BY_NAME = {
    "REST 1": (_rate(2_000), Budget("p99_ms", SINGLE_P99_MS, f"p99 < {SINGLE_P99_MS} ms")),
    "REST 10": (_rate(8_000),),
    "REST 50": (_rate(12_000),),
    "gRPC 50": (_rate(15_000),),
    mobile_rows.NAME: (_rate(20, " MB"),),
    **dict.fromkeys(PAGES, (Budget("p95_ms", PAGE_P95_MS, "p95 < 1 s"),)),
}
_READ = (Budget("p95_ms", READ_P95_MS, f"p95 < {READ_P95_MS} ms"),)


def of(row: Row) -> tuple[Budget, ...]:
    """The budgets of a row; none for rows that only inform."""
    name, _, load = row.name.partition(AT)
    return _READ if name in READS and "ingest" not in load else _BY_NAME.get(name, ())


@dataclass(frozen=True)
class Limit:
    """One figure that is drawn from many rows, beside its budget."""

    engine: str
    name: str
    value: str
    budget: str
    met: bool


@dataclass(frozen=True)
class Ratio:
    """A bound on a figure of one row over the same of another."""

    figure: str
    title: str
    bound: float
    at_least: bool = False

    def of(self, row: Row | None, base: Row | None) -> Iterator[Limit]:
        """The limit, where both rows have the figure."""
        above, below = getattr(row, self.figure, None), getattr(base, self.figure, None)
        if row and base and above and below:
            ratio = above / below
            met = ratio >= self.bound if self.at_least else ratio <= self.bound
            sign = ">=" if self.at_least else "<="
            yield Limit(row.engine, self._name(row, base), f"{ratio:.2f} x", f"{sign} {self.bound:.2f} x", met)

    def _name(self, row: Row, base: Row) -> str:
        name, _, size = row.name.partition(AT)
        if size:
            of, beside = base.name.partition(AT)[2], BESIDE_INGEST if size.endswith(BESIDE_INGEST) else ""
            return f"{self.title} of {name}{beside}: {size.removesuffix(beside)} over {of.removesuffix(beside)} events"
        return f"{self.title} of {row.name} over {base.name}"


_SHED = Ratio("cpu_s_per_10k", "CPU", 0.1)
_STORM = Ratio("p99_ms", "p99", 2)
_SLOWER = Ratio("p95_ms", "p95", 1.5)
_COSTLIER = Ratio("cpu_s_per_10k", "CPU", 1.5)
_FLAT = Ratio("rate", "rate", 0.85, at_least=True)


def limits(rows: Sequence[Row]) -> Iterator[Limit]:
    """What the rows of one engine say together."""
    by_name = {row.name: row for row in rows}
    yield from _ingest_limits([row for row in rows if row.name in _BY_NAME and row.unit == "events"])
    for base in rows:
        yield from _SHED.of(by_name.get(f"{base.name}{ingest_rows.SHED}"), base)
    yield from _STORM.of(by_name.get(mixed_rows.STORMED), by_name.get(mixed_rows.CALM))
    for name in READS:
        yield from _growth([row for row in rows if _is_sized(row.name, name)], _SLOWER, _COSTLIER)
        yield from _growth([row for row in rows if _is_sized(row.name, name, BESIDE_INGEST)], _SLOWER)
    yield from _growth([row for row in rows if _is_sized(row.name, INGEST)], _FLAT)
    if peaks := [row.peak_mb for row in rows if row.peak_mb and not row.name.endswith(ingest_rows.WORKERS)]:
        peak = max(peaks)
        yield Limit(rows[0].engine, "peak memory in this run", f"{peak:.0f} MB", "< 300 MB after an hour", peak < 300)


def _is_sized(row_name: str, name: str, load: str = "") -> bool:
    """Whether a row is the one of that name over some number of stored events, under that load."""
    before, _, after = row_name.partition(AT)
    return before == name and after.endswith(load) and after.removesuffix(load).replace(",", "").isdigit()


def _growth(sizes: Sequence[Row], *ratios: Ratio) -> Iterator[Limit]:
    """Figures over more stored events, as multiples of those over the fewest."""
    for row in sizes[1:]:
        for ratio in ratios:
            yield from ratio.of(row, sizes[0])


def _ingest_limits(rows: Sequence[Row]) -> Iterator[Limit]:
    if shares := [row.share for row in rows if row.share is not None]:
        share = max(shares)
        yield Limit(rows[0].engine, "best share of the raw insert", f"{share:.0%}", ">= 40 %", share >= 0.4)
    if rows:
        # Files grow in steps: the row that stored most says best what an event takes.
        size = max(rows, key=lambda row: row.extra["units"]).event_bytes or 0
        yield Limit(rows[0].engine, "disk per event", f"{size:.0f} bytes", "< 700 bytes", size < 700)
