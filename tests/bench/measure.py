"""Puts one load on a site and turns it into a row: rate, latency, CPU, memory, disk, and whether the books agree."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench import usage
from tests.bench.result import Load, Row
from tests.bench.site import Site

MIB = 1_048_576
SETTLE_S = 0.3
"""Lets requests end that were under way when the load generator stopped."""


@dataclass(frozen=True)
class _State:
    size_bytes: int
    events: int
    ledger: dict[str, int]


def ingest(site: Site, name: str, load: Callable[[], Load]) -> Row:
    """Run `load`, which sends events and waits for the answers, and compare with what the database then holds."""
    usage.reset_peak(site.pid)
    before = _state(site)
    clock = _Clock(site)
    found = load()
    time.sleep(SETTLE_S)
    clock.stop()
    after = _state(site)
    stored = after.events - before.events
    return Row(
        site.database.name,
        name,
        "events",
        # Stored, not just answered; resends are answered and not stored, late ones stored and not answered.
        min(stored, found.accepted) / found.seconds,
        found.p50_ms,
        found.p95_ms,
        found.p99_ms,
        cpu_s_per_10k=10_000 * clock.site_s / max(1, stored),
        generator_cores=found.cpu_s / found.seconds,
        other_cores=clock.other_cores(found),
        peak_mb=usage.peak_bytes(site.pid) / MIB,
        event_bytes=(after.size_bytes - before.size_bytes) / max(1, stored),
        faults=found.faults,
        books=_books(before, after, found),
        extra={"stored": stored, "acknowledged": found.accepted, "requests": found.requests, "seconds": found.seconds},
    )


def reads(site: Site, name: str, load: Callable[[], Load]) -> Row:
    """Run `load`, which asks and waits for the answers."""
    clock = _Clock(site)
    found = load()
    clock.stop()
    return Row(
        site.database.name,
        name,
        "requests",
        found.requests / found.seconds,
        found.p50_ms,
        found.p95_ms,
        found.p99_ms,
        cpu_s_per_10k=10_000 * clock.site_s / max(1, found.requests),
        other_cores=clock.other_cores(found),
        faults=found.faults,
    )


def _state(site: Site) -> _State:
    database = site.database
    return _State(database.size_bytes(), database.events(), database.ledger())


class _Clock:
    """The CPU that the site and the whole machine use from now until `stop`."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.site_s = -self._site_cpu_s()
        self._machine_s = -usage.machine_cpu_s()
        self._seconds = -time.monotonic()

    def stop(self) -> None:
        self.site_s += self._site_cpu_s()
        self._machine_s += usage.machine_cpu_s()
        self._seconds += time.monotonic()

    def other_cores(self, load: Load) -> float:
        """Cores that neither the site nor its load generator used."""
        return max(0.0, self._machine_s - self.site_s - load.cpu_s) / self._seconds

    def _site_cpu_s(self) -> float:
        return usage.cpu_s(self._site.pid) + self._site.database.cpu_s()


def _books(before: _State, after: _State, load: Load) -> str:
    """What does not add up. Answers under way when wrk stops may be stored unseen; nothing seen may be missing."""
    booked = {outcome: events - before.ledger.get(outcome, 0) for outcome, events in after.ledger.items()}
    stored = after.events - before.events
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
