"""`make soak`: mixed load for a while, and how memory, open files and latency drift from its beginning to its end.

Usage: python -m tests.soak [MINUTES] [sqlite | URL of a PostgreSQL database that `migrate` has seen]
"""

import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.client import Rest
from tests.collector import Collector
from tests.faults.rig import Rig
from tests.sample import error_event

SAMPLES = 20


@dataclass(frozen=True)
class Sample:
    """What one part of the time looked like."""

    memory_bytes: int
    files: int
    p50_ms: float
    p99_ms: float
    events: int

    def __str__(self) -> str:
        memory = f"{self.memory_bytes / 1_048_576:7.1f} MiB  {self.files:4} files"
        return f"{memory}  p50 {self.p50_ms:6.1f} ms  p99 {self.p99_ms:7.1f} ms  {self.events:9,} events"


async def soak(minutes: float, database: str) -> None:
    """Print a line for each part of the time, and the drift between the second and the last."""
    with tempfile.TemporaryDirectory(prefix="healthguard-soak-") as home:
        url = f"sqlite:///{home}/healthguard.db" if database == "sqlite" else database
        with Collector(Path(home) / "data", "serve", "--database-url", url) as collector:
            collector.database_url = url
            rig = Rig.on("soak", collector, Rest)
            async with rig.under_load():
                samples = [await _part(rig, minutes * 60 / SAMPLES) for _ in range(SAMPLES)]
            await rig.check()
    # The first part fills caches and compiles statements.
    early, late = samples[1], samples[-1]
    _say(f"drift: memory {late.memory_bytes - early.memory_bytes:+,} bytes, files {late.files - early.files:+}")
    _say(f"       p50 {late.p50_ms - early.p50_ms:+.1f} ms, p99 {late.p99_ms - early.p99_ms:+.1f} ms")


async def _part(rig: Rig, seconds: float) -> Sample:
    times: list[float] = []
    until = time.monotonic() + seconds
    async with httpx.AsyncClient(base_url=rig.collector.rest, trust_env=False, verify=False, timeout=60) as http:
        while time.monotonic() < until:
            began = time.monotonic()
            event = error_event()
            rig.crowd.sent.add(event["eventId"])
            body = {"appKey": rig.crowd.app_key, "events": [event]}
            if (await http.post("/api/events/batch", json=body)).status_code == 202:
                rig.crowd.acknowledged.add(event["eventId"])
            times.append((time.monotonic() - began) * 1_000)
            await asyncio.sleep(0.02)
    cuts = statistics.quantiles(times, n=100)
    sample = Sample(
        rig.collector.memory_bytes(), rig.collector.open_files(), cuts[49], cuts[98], len(rig.crowd.acknowledged)
    )
    _say(str(sample))
    return sample


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(soak(float(sys.argv[1]) if len(sys.argv) > 1 else 60, sys.argv[2] if len(sys.argv) > 2 else "sqlite"))
