"""Load as it comes: small and large batches of every type from many apps, resends, and one app that storms."""

import random
from collections.abc import Callable, Iterator

from tests.bench import measure, words, wrk
from tests.bench.result import Row
from tests.bench.site import Site
from tests.bench.workload import MIXED, Workload, lua_body
from tests.bench.wrk import Pace, Wrk

APPS = 20
TEMPLATES = 600
RESENDS = 0.03
STORM_SHARES = 50
FULL = Pace(32)
# A batch holds 4 to 5 events on average: about 1,000 events a second from all apps together, 50 from each.
QUIET = Pace(16, pause_ms=70)
# 50 times the share of one app: 2,500 events a second in batches of 10.
STORM = Pace(16, pause_ms=64)
STORM_EVENTS = 10
STORM_ISSUE = "js:storm"


def run(site: Site, seconds: float, note: Callable[[str], None]) -> Iterator[Row]:
    """As much as goes in; then a quiet pace, alone and beside a storm."""
    apps = [site.new_app() for _ in range(APPS)]
    note(f"{site.database.name}: mixed load")
    yield measure.ingest(site, "mixed", lambda: _start(site, _bodies(apps), FULL, seconds).finish())
    quiet_bodies = _bodies(apps[1:])
    note(f"{site.database.name}: 19 apps, quiet")
    quiet = measure.ingest(site, "19 apps, quiet", lambda: _start(site, quiet_bodies, QUIET, seconds).finish())
    yield quiet
    note(f"{site.database.name}: 19 apps beside a storm")
    yield _beside_storm(site, apps[0], quiet_bodies, seconds)


def _start(site: Site, bodies: list[str], pace: Pace, seconds: float) -> Wrk:
    return wrk.ingest(site.collector.rest, bodies, pace, seconds, RESENDS)


def _beside_storm(site: Site, app_key: str, quiet_bodies: list[str], seconds: float) -> Row:
    """The 19 quiet apps' latency while the twentieth sends 50 times its share, nine tenths of it one issue."""
    workload = Workload(MIXED, seed=11)
    bodies = [lua_body(workload.batch(app_key, STORM_EVENTS, fingerprint=STORM_ISSUE)) for _ in range(200)]
    storm = wrk.ingest(site.collector.rest, bodies, STORM, seconds + 1)
    found = _start(site, quiet_bodies, QUIET, seconds).finish()
    stormed = storm.finish()
    return Row(
        site.database.name,
        "19 apps beside a storm",
        "events",
        found.accepted / found.seconds,
        found.p50_ms,
        found.p95_ms,
        found.p99_ms,
        faults=found.faults + stormed.faults,
        extra={"storm_events_per_s": stormed.accepted / stormed.seconds, "storm_p99_ms": stormed.p99_ms},
    )


def _bodies(apps: list[str]) -> list[str]:
    """Batches of the apps, a few of which send most."""
    dice = random.Random(9)
    workload = Workload(MIXED, seed=9)
    return [
        lua_body(workload.batch(apps[words.zipf(dice, len(apps))], workload.mixed_size())) for _ in range(TEMPLATES)
    ]
