"""Load as it comes: small and large batches of every type from many apps, resends, and one app that storms."""

import random
from collections.abc import Callable, Iterator

from tests.bench import measure, words, wrk
from tests.bench.result import Load, Row
from tests.bench.site import Site
from tests.bench.workload import MIXED, Workload, lua_body
from tests.bench.wrk import Pace, Wrk

APPS = 20
TEMPLATES = 600
RESENDS = 0.03
FULL = Pace(32)
APP_EVENTS_PER_S = 50
EVENTS_PER_BATCH = 4.65
"""On average, see Workload.mixed_size."""

QUIET = Pace(128, per_s=(APPS - 1) * APP_EVENTS_PER_S / EVENTS_PER_BATCH)
STORM_SHARES = 50
STORM_EVENTS = 10
STORM = Pace(128, per_s=STORM_SHARES * APP_EVENTS_PER_S / STORM_EVENTS)
STORM_ISSUE = "js:storm"
CALM = "19 apps, quiet"
STORMED = "19 apps beside a storm"


def run(site: Site, seconds: float, note: Callable[[str], None]) -> Iterator[Row]:
    """As much as goes in; then a quiet pace, alone and beside a storm."""
    apps = [site.new_app() for _ in range(APPS)]
    note(f"{site.database.name}: mixed load")
    bodies = _bodies(apps)
    yield measure.ingest(site, "mixed", lambda: _start(site, bodies, FULL, seconds).finish())
    quiet_bodies = _bodies(apps[1:])
    note(f"{site.database.name}: {CALM}")
    yield measure.ingest(site, CALM, lambda: _start(site, quiet_bodies, QUIET, seconds).finish())
    note(f"{site.database.name}: {STORMED}")
    yield _beside_storm(site, apps[0], quiet_bodies, seconds)


def _start(site: Site, bodies: list[str], pace: Pace, seconds: float) -> Wrk:
    return wrk.ingest(site.collector.rest, bodies, pace, seconds, RESENDS)


def _beside_storm(site: Site, app_key: str, quiet_bodies: list[str], seconds: float) -> Row:
    """The 19 quiet apps' latency while the twentieth sends 50 times its share, nine tenths of it one issue."""
    workload = Workload(MIXED, seed=11)
    bodies = [lua_body(workload.batch(app_key, STORM_EVENTS, fingerprint=STORM_ISSUE)) for _ in range(200)]
    stormed: list[Load] = []

    def both() -> Load:
        storm = wrk.ingest(site.collector.rest, bodies, STORM, seconds)
        quiet = _start(site, quiet_bodies, QUIET, seconds).finish()
        stormed.append(storm.finish())
        return quiet.beside(stormed[0])

    row = measure.ingest(site, STORMED, both)
    row.extra["storm_events_per_s"] = stormed[0].accepted / stormed[0].seconds
    row.extra["storm_p99_ms"] = stormed[0].p99_ms
    return row


def _bodies(apps: list[str]) -> list[str]:
    """Batches of the apps, a few of which send most."""
    dice = random.Random(9)
    workload = Workload(MIXED, seed=9)
    return [
        lua_body(workload.batch(apps[words.zipf(dice, len(apps))], workload.mixed_size())) for _ in range(TEMPLATES)
    ]
