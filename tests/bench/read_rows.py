"""The budget rows of reading: a dashboard's pages over a growing number of stored events, idle and during ingest."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from tests.bench import measure, page_rows, seed, wrk
from tests.bench.budgets import AT, BESIDE_INGEST
from tests.bench.ingest_rows import GRPC_50
from tests.bench.result import Load, Row
from tests.bench.site import Site
from tests.bench.workload import BUDGET, Workload, lua_body, request_bytes
from tests.bench.wrk import Pace

DAY_MS = 86_400_000
SPREAD = replace(BUDGET, span_ms=7 * DAY_MS)
"""Stored events lie within a week, so that ranges of time have something to leave out."""

FILL_EVENTS = 1_000
FILL_TEMPLATES = 10
INGEST_BATCHES = 800
"""As many on few stored events as on many: 40,000 events, so that what is stored stays below the next size."""

DETAIL_ISSUES = 15
DURING_EVENTS = 10
DURING = Pace(32, per_s=200)
"""The ingest beside the reads: 2,000 events a second."""


def run(site: Site, sizes: list[int], seconds: float, *, busy: bool, note: Callable[[str], None]) -> Iterator[Row]:
    """Fill an app up to each size in turn and measure its pages there."""
    app_key = site.new_app()
    workload = Workload(SPREAD, seed=7)
    requests = [request_bytes(workload.batch(app_key, FILL_EVENTS)) for _ in range(FILL_TEMPLATES)]
    stored = 0
    for size in sizes:
        note(f"{site.database.name}: filling up to {size:,} events")
        seed.fill(site.database.url, app_key, requests, size - stored, SPREAD.span_ms)
        stored = size
        for name, paths in _pages(site, app_key).items():
            note(f"{site.database.name}: {name} at {size:,}")
            yield measure.reads(site, f"{name}{AT}{size:,}", partial(_read, site, paths, seconds))
        yield from page_rows.run(site, app_key, size, note)
        if busy:
            yield from _during_ingest(site, app_key, size, seconds, note)
            if size in {sizes[0], sizes[-1]}:
                note(f"{site.database.name}: ingest at {size:,}")
                yield _ingest(site, app_key, size)
            stored = site.database.books().stored


def _pages(site: Site, app_key: str) -> dict[str, list[str]]:
    """The paths of each kind of page."""
    now_ms = time.time_ns() // 1_000_000
    # Issues with many events, so that their pages hold as many on few stored events as on many.
    issues = site.rest.issues(site.account, appKey=app_key, orderBy="events", pageSize=DETAIL_ISSUES)
    scope = f"appKey={app_key}"
    return {
        "overview": [f"/api/overview?{scope}"],
        # Neither end on a full hour, so that what lies beside whole hours is counted as well.
        "overview, 3 days": [
            f"/api/overview?{scope}&start={now_ms - 4 * DAY_MS - i * 999_999}&end={now_ms - DAY_MS}" for i in range(20)
        ],
        "issue list": [f"/api/issues?{scope}"],
        "issue detail": [f"/api/issues/{issue['id']}" for issue in issues],
    }


def _ingest(site: Site, app_key: str, size: int) -> Row:
    row = GRPC_50.run(site, app_key, count=INGEST_BATCHES)
    row.name += f"{AT}{size:,}"
    return row


def _during_ingest(site: Site, app_key: str, size: int, seconds: float, note: Callable[[str], None]) -> Iterator[Row]:
    workload = Workload(seed=8)
    bodies = [lua_body(workload.batch(app_key, DURING_EVENTS)) for _ in range(200)]
    for name, paths in _pages(site, app_key).items():
        note(f"{site.database.name}: {name} at {size:,} during ingest")
        beside = wrk.ingest(site.collector.rest, bodies, DURING, seconds + 1)
        time.sleep(0.5)  # the ingest has begun
        row = measure.reads(site, f"{name}{AT}{size:,}{BESIDE_INGEST}", partial(_read, site, paths, seconds))
        load = beside.finish()
        row.cpu_s_per_10k = None  # most of it belongs to the ingest
        row.faults += load.faults
        row.extra["ingested_per_s"] = load.accepted / load.seconds
        yield row


def _read(site: Site, paths: list[str], seconds: float) -> Load:
    return wrk.read(site.collector.rest, paths, site.account.token, seconds).finish()
