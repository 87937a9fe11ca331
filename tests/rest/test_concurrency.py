"""Counters stay exact when many clients write at once, and a batch costs the same number of statements at any size."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.client import Rest
from tests.collector import Collector
from tests.sample import error_event, http_event

WRITERS = 10


@pytest.fixture
async def http(collector: Collector) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=collector.rest, timeout=30, trust_env=False, verify=False) as client:
        yield client


async def send(http: httpx.AsyncClient, app_key: str, events: list[dict]) -> None:
    answer = await http.post("/api/events/batch", json={"appKey": app_key, "events": events})
    assert answer.json() == {"accepted": len(events)}


async def test_concurrent_batches_on_one_issue_count_exactly(http: httpx.AsyncClient, rest: Rest) -> None:
    account, app_key = rest.new_app_key()
    batches = [[error_event(anonymousId=f"anon_{writer}") for _ in range(20)] for writer in range(WRITERS)]
    await asyncio.gather(*(send(http, app_key, batch) for batch in batches))
    (issue,) = rest.issues(account)
    assert issue["eventCount"] == WRITERS * 20
    assert issue["platformDistribution"] == {"web": WRITERS * 20}
    totals = {
        "events": WRITERS * 20,
        "errors": WRITERS * 20,
        "failedRequests": 0,
        "affectedUsers": WRITERS,
        "issues": 1,
    }
    assert rest.totals(account) == totals


async def test_batches_that_name_issues_in_different_orders_do_not_block_each_other(
    http: httpx.AsyncClient, rest: Rest
) -> None:
    account, app_key = rest.new_app_key()
    names = [f"js:{n}" for n in range(8)]
    batches = [names[turn:] + names[:turn] for turn in range(8)] * 4
    await asyncio.gather(*(send(http, app_key, [error_event(fingerprint=name) for name in batch]) for batch in batches))
    assert {issue["fingerprint"]: issue["eventCount"] for issue in rest.issues(account)} == dict.fromkeys(
        names, len(batches)
    )


async def test_the_same_batch_from_many_connections_is_counted_once(http: httpx.AsyncClient, rest: Rest) -> None:
    account, app_key = rest.new_app_key()
    batch = [error_event(), http_event()]
    await asyncio.gather(*(send(http, app_key, batch) for _ in range(WRITERS)))
    totals = rest.totals(account)
    assert (totals["events"], totals["errors"], totals["failedRequests"], totals["issues"]) == (2, 1, 1, 2)
    ledger = rest.ledger(account)
    assert (ledger["received"], ledger["stored"], ledger["duplicate"]) == (2 * WRITERS, 2, 2 * WRITERS - 2)
