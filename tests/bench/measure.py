"""Puts one load on a site and turns it into a row: rate, latency, CPU, memory, disk, and whether the books agree."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from server.store.counters import LIMITED
from tests.bench import usage
from tests.bench.database import Books
from tests.bench.result import Load, Row
from tests.bench.site import BenchFault, Site

MIB = 1_048_576
MB = 1_000_000
POLL_S = 0.25
QUIET_CORES = 0.1
"""What the collector and its database use while they have nothing to do but answer the bench's own questions."""

MAX_DRAIN_S = 60


@dataclass(frozen=True)
class _State:
    size_bytes: int
    books: Books


def ingest(site: Site, name: str, load: Callable[[], Load]) -> Row:
    """Run `load`, which sends events and waits for the answers, and compare with what the database then holds."""
    usage.reset_peak(site.pid)
    before = _state(site)
    clock = _Clock(site)
    found = load()
    _drain(site)
    clock.stop()
    after = _state(site)
    stored = after.books.stored - before.books.stored
    row = _row(site, name, "events", found, clock, stored)
    # Stored, not just answered; resends are answered and not stored, late ones stored and not answered.
    row.rate = min(stored, found.accepted) / found.seconds
    row.event_bytes = (after.size_bytes - before.size_bytes) / max(1, stored)
    row.books = _events_fault(before.books, after.books, found)
    return row


def append(site: Site, name: str, batch_bytes: int, load: Callable[[], Load]) -> Row:
    """Run `load`, which appends batches of recorded sessions, and compare with what the database then holds."""
    usage.reset_peak(site.pid)
    before, size_before = site.database.batches(), site.database.size_bytes()
    clock = _Clock(site)
    found = load()
    _drain(site)
    clock.stop()
    stored = site.database.batches() - before
    row = _row(site, name, "MB", found, clock, stored)
    row.rate = min(stored, found.accepted) * batch_bytes / MB / found.seconds
    row.event_bytes = (site.database.size_bytes() - size_before) / max(1, stored)
    if not found.accepted <= stored <= found.accepted + found.in_flight:
        row.books = f"{found.accepted} batches acknowledged, {stored} stored"
    return row


def reads(site: Site, name: str, load: Callable[[], Load]) -> Row:
    """Run `load`, which asks and waits for the answers."""
    clock = _Clock(site)
    found = load()
    clock.stop()
    row = _row(site, name, "requests", found, clock, found.requests)
    row.rate = found.requests / found.seconds
    return row


def shed(site: Site, name: str, events: int, load: Callable[[], Load]) -> Row:
    """Run `load`, nearly all of whose requests of so many events each are refused; see that they are counted so."""
    before = site.database.books()
    clock = _Clock(site)
    found = load()
    _drain(site)
    clock.stop()
    after = site.database.books()
    refused = after.ledger.get(LIMITED, 0) - before.ledger.get(LIMITED, 0)
    row = _row(site, name, "events", found, clock, found.limited * events)
    row.rate = found.limited * events / found.seconds
    row.faults -= found.limited
    if not found.limited * events <= refused <= (found.limited + found.in_flight) * events:
        row.books = f"{found.limited * events} events refused, {refused} booked as limited"
    return row


def _row(site: Site, name: str, unit: str, found: Load, clock: "_Clock", units: int) -> Row:
    """What every load tells alike, once the site has come to rest; its CPU is shared among `units` events or requests."""
    return Row(
        site.database.name,
        name,
        unit,
        # Zero only where nothing was answered.
        p50_ms=found.p50_ms or None,
        p95_ms=found.p95_ms or None,
        p99_ms=found.p99_ms or None,
        cpu_s_per_10k=10_000 * clock.site_s / max(1, units),
        generator_cores=found.cpu_s / found.seconds,
        generator_busy=found.cpu_s / found.seconds / found.processes,
        other_cores=clock.other_cores(found),
        peak_mb=usage.peak_bytes(site.pid) / MIB,
        faults=found.faults,
        extra={"units": units, "acknowledged": found.accepted, "requests": found.requests, "seconds": found.seconds},
    )


def _state(site: Site) -> _State:
    return _State(site.database.size_bytes(), site.database.books())


class _Clock:
    """The CPU that the site and the whole machine use from now until `stop`."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.site_s = -_cpu_s(self._site)
        self._machine_s = -usage.machine_cpu_s()
        self._seconds = -time.monotonic()

    def stop(self) -> None:
        self.site_s += _cpu_s(self._site)
        self._machine_s += usage.machine_cpu_s()
        self._seconds += time.monotonic()

    def other_cores(self, load: Load) -> float:
        """Cores that neither the site nor its load generator used."""
        return max(0.0, self._machine_s - self.site_s - load.cpu_s) / self._seconds


def _cpu_s(site: Site) -> float:
    return usage.cpu_s(site.pid) + site.database.cpu_s()


def _drain(site: Site) -> None:
    """Wait until the site has come to rest: a load generator that ends leaves requests under way."""
    began = time.monotonic()
    used_s, booked = _cpu_s(site), site.database.ledger()
    while time.monotonic() - began < MAX_DRAIN_S:
        time.sleep(POLL_S)
        used_before_s, booked_before = used_s, booked
        used_s, booked = _cpu_s(site), site.database.ledger()
        if booked == booked_before and used_s - used_before_s < QUIET_CORES * POLL_S:
            return
    raise BenchFault(f"the collector did not come to rest within {MAX_DRAIN_S} s")


def _events_fault(before: Books, after: Books, load: Load) -> str:
    """What does not add up. Answers under way when wrk stops may be stored unseen; nothing seen may be missing."""
    booked = {outcome: events - before.ledger.get(outcome, 0) for outcome, events in after.ledger.items()}
    stored = after.stored - before.stored
    taken = booked.get("stored", 0) + booked.get("duplicate", 0)
    faults = []
    if stored != booked.get("stored", 0):
        faults.append(f"{stored} stored, {booked.get('stored', 0)} booked as stored")
    if taken < load.accepted:
        faults.append(f"{load.accepted} acknowledged, {taken} taken")
    if not load.in_flight and taken > load.accepted:
        faults.append(f"{taken} taken, only {load.accepted} acknowledged")
    if booked.get("received", 0) != taken + booked.get("rejected", 0) + booked.get("limited", 0):
        faults.append(f"the ledger equation fails: {booked}")
    return "; ".join(faults)
