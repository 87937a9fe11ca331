"""Several real workers on PostgreSQL behind one pair of ports."""

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.client import Rest
from tests.collector import Collector
from tests.faults.workers import workers_of
from tests.sample import error_event

pytestmark = pytest.mark.real_start

StartCollector = Callable[..., Collector]


@pytest.fixture
def pair(start_collector: StartCollector) -> Collector:
    return start_collector("postgresql", "--workers", "2")


def ingest_over_new_connections(collector: Collector, app_key: str, batches: int) -> int:
    """Sends batches of five, each over a connection of its own so that any worker may get it; those acknowledged."""
    accepted = 0
    for _ in range(batches):
        with Rest(collector.rest) as client:
            accepted += client.ingest(app_key, [error_event() for _ in range(5)]).json()["accepted"]
    return accepted


def test_workers_share_ports_sessions_and_counters(pair: Collector) -> None:
    assert len(workers_of(pair)) == 2
    with Rest(pair.rest) as rest:
        account, app_key = rest.new_app_key()
        assert ingest_over_new_connections(pair, app_key, 12) == 60
        assert rest.totals(account)["events"] == 60
        assert rest.issues(account)[0]["eventCount"] == 60
        assert rest.ledger(account)["stored"] == 60
    metrics = httpx.get(f"{pair.rest}/metrics", trust_env=False).text
    counted = re.search(r'^healthguard_ingested_events_total\{.*outcome="stored".*\} (\S+)$', metrics, re.MULTILINE)
    assert counted is not None
    assert float(counted[1]) == 60
    assert pair.stop() == 0


def test_a_killed_worker_is_replaced_and_loses_nothing(pair: Collector) -> None:
    with Rest(pair.rest) as rest:
        account, app_key = rest.new_app_key()
    before = workers_of(pair)
    assert ingest_over_new_connections(pair, app_key, 4) == 20
    os.kill(before[1], signal.SIGKILL)
    deadline = time.monotonic() + 30
    while len(set(workers_of(pair)) - set(before)) == 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(workers_of(pair)) == 2
    assert ingest_over_new_connections(pair, app_key, 4) == 20
    with Rest(pair.rest) as rest:
        assert rest.totals(account)["events"] == 40
    assert pair.stop() == 0


def test_workers_do_not_outlive_a_killed_parent(pair: Collector) -> None:
    left = workers_of(pair)
    pair.kill()
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in left) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [pid for pid in left if Path(f"/proc/{pid}").exists()] == []
