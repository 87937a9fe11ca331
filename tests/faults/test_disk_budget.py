"""The running program near and over its disk budget, and killed while it removes old events: both doors warn, and nothing young is lost."""

import asyncio
import base64
import os
import time
from collections.abc import Callable

import grpc
import pytest
import sqlalchemy as sa
from grpc_health.v1 import health_pb2, health_pb2_grpc

from server.store.engine import Engine
from server.store.retention import KEPT_AT_EACH_END
from tests.client import Account, Rest
from tests.collector import Collector, run
from tests.faults.load import Crowd, Load
from tests.sample import error_event, performance_event
from tests.store_access import stored_event_ids

BUDGET_BYTES = 24 * 1_048_576
PATIENCE_S = 120
SAMPLES_OF_AN_ISSUE = 2 * KEPT_AT_EACH_END


def warnings(rest: Rest) -> list[str]:
    answer = rest.http.get("/ready")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    told: list[str] = answer.json().get("warnings", [])
    return told


@pytest.mark.slow
def test_near_the_budget_both_doors_warn_and_over_it_the_oldest_go(
    engine: str, start_collector: Callable[..., Collector], connect: Callable[[str], Rest]
) -> None:
    environment = {"HEALTHGUARD_DISK_BUDGET_BYTES": str(BUDGET_BYTES)}
    collector = start_collector(engine, env=environment)
    rest = connect(collector.rest)
    account, app_key = rest.new_app_key()
    assert warnings(rest) == []
    first = dense_event()
    assert rest.ingest(app_key, [first]).status_code == 202
    sent, until = 1, time.monotonic() + PATIENCE_S
    told: list[str] = []
    while not told and time.monotonic() < until:
        sent += send(rest, app_key, 10)
        told = warnings(rest)
    assert "% of the disk budget is used" in told[0]
    with grpc.insecure_channel(collector.grpc) as channel:
        _, call = health_pb2_grpc.HealthStub(channel).Check.with_call(health_pb2.HealthCheckRequest())
        assert dict(call.initial_metadata())["x-healthguard-warning"].endswith(
            "the oldest events and sessions are removed"
        )
    report = run(
        "doctor",
        *("--rest", "127.0.0.1:0", "--grpc", "127.0.0.1:0"),
        *("--data-dir", str(collector.data_dir), "--database-url", collector.database_url),
        env=environment,
    )
    assert report.returncode == 0, report.stdout
    assert "WARN  budget" in report.stdout

    until = time.monotonic() + PATIENCE_S
    while first["eventId"] in stored_event_ids(collector.database_url, app_key) and time.monotonic() < until:
        sent += send(rest, app_key, 10)
    stored = stored_event_ids(collector.database_url, app_key)
    assert 0 < len(stored) < sent
    assert first["eventId"] not in stored
    assert rest.totals(account)["events"] == sent


def dense_event() -> dict:
    """An event that no compression makes smaller."""
    return performance_event(page=base64.b64encode(os.urandom(1_500)).decode(), anonymousId="anon")


def send(rest: Rest, app_key: str, batches: int) -> int:
    for _ in range(batches):
        assert rest.ingest(app_key, [dense_event() for _ in range(50)]).status_code == 202
    return batches * 50


@pytest.mark.slow
async def test_killed_while_old_events_go_it_loses_no_young_one(
    engine: str, start_collector: Callable[..., Collector], connect: Callable[[str], Rest]
) -> None:
    collector = start_collector(engine)
    rest = connect(collector.rest)
    account, app_key = rest.new_app_key()
    old = [performance_event() for _ in range(2_000)] + [error_event(fingerprint="js:old") for _ in range(20)]
    for at in range(0, len(old), 50):
        assert rest.ingest(app_key, old[at : at + 50]).status_code == 202
    collector.kill()
    backdate(collector.database_url)
    crowd = Crowd(app_key)
    for _ in range(3):
        free_lease(collector.database_url)
        collector.restart()
        async with Load(crowd, collector.rest):
            await crowd.acknowledge_more(100)
            collector.kill()
    free_lease(collector.database_url)
    collector.restart()
    await left_of(collector.database_url, app_key, {event["eventId"] for event in old}, SAMPLES_OF_AN_ISSUE)
    stored = stored_event_ids(collector.database_url, app_key)
    assert crowd.acknowledged <= stored.keys()
    check_totals(connect(collector.rest), account, crowd, len(old), set(stored))


def backdate(database_url: str) -> None:
    """Let everything have been received forty days ago."""
    execute(database_url, f"UPDATE events SET received_ms = received_ms - {40 * 86_400_000}")


def free_lease(database_url: str) -> None:
    """Do not wait until the lease of a killed process ends."""
    execute(database_url, "DELETE FROM leases")


def execute(database_url: str, statement: str) -> None:
    store = Engine(database_url)
    with store.sync_engine().begin() as connection:
        connection.execute(sa.text(statement))
    store.close()


async def left_of(database_url: str, app_key: str, event_ids: set[str], count: int) -> None:
    """Wait until so many of these events are left; fewer is a failure at once."""
    async with asyncio.timeout(PATIENCE_S):
        while (left := len(event_ids & stored_event_ids(database_url, app_key).keys())) > count:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    assert left == count


def check_totals(rest: Rest, account: Account, crowd: Crowd, old: int, stored: set[str]) -> None:
    totals, ledger = rest.totals(account), rest.ledger(account)
    young = stored & crowd.sent
    assert totals["events"] == old + len(young) == ledger["stored"]
    assert ledger["received"] == ledger["stored"] + ledger["duplicate"] + ledger["rejected"] + ledger["limited"]
