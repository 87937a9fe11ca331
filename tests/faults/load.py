"""A crowd of SDKs over both doors: sends batches until told to stop, resends what was not acknowledged, and remembers what was."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import grpc
import httpx
from healthguard.v1 import event_service_pb2 as event_service_pb, event_service_pb2_grpc

from tests.client import Account, Rest
from tests.parity.grpc_driver import event_from_json
from tests.sample import error_event, http_event, now_ms, performance_event
from tests.store_access import stored_event_ids

Batch = list[dict[str, Any]]
Send = Callable[[], Awaitable[bool]]
"""Sends one batch; whether it was acknowledged."""

PROGRESS_SECONDS = 180  # a busy machine
CLOCKS_DIFFER_MS = 6 * 3_600_000
"""How far the server's clock may have been from ours while it took events."""

PAUSE_S = 0.002
PAUSE_AFTER_FAILURE_S = 0.05
"""A dead server must not turn a client into a busy loop."""


@dataclass
class Crowd:
    """What the SDKs of one app sent so far. `unsure` holds batches whose answer was lost or a refusal: SDKs send those again."""

    app_key: str
    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    statuses: Counter[int | str] = field(default_factory=Counter)
    unsure: list[Batch] = field(default_factory=list)

    def next_batch(self) -> Batch:
        if self.unsure and random.random() < 0.3:
            return self.unsure.pop()
        batch = [
            error_event(fingerprint=f"js:{random.randint(0, 5)}", anonymousId=f"anon_{random.randint(0, 50)}"),
            error_event(fingerprint=f"js:{random.randint(0, 5)}"),
            http_event(url=f"/orders/{random.randint(0, 1000)}"),
            performance_event(),
        ]
        random.shuffle(batch)
        self.sent.update(event["eventId"] for event in batch)
        return batch

    async def acknowledge_more(self, events: int) -> None:
        """Waits until so many events more have been acknowledged."""
        enough = len(self.acknowledged) + events
        async with asyncio.timeout(PROGRESS_SECONDS):
            while len(self.acknowledged) < enough:  # noqa: ASYNC110 -- a kill should come at any instant, not at an event
                await asyncio.sleep(0.005)

    async def send(self, http: httpx.AsyncClient) -> bool:
        """One batch over REST; whether it was acknowledged."""
        batch = self.next_batch()
        try:
            answer = await http.post("/api/events/batch", json={"appKey": self.app_key, "events": batch})
        except httpx.TransportError:
            return self._settle(batch, "gone", acknowledged=False)
        if answer.status_code == 202:
            assert answer.json() == {"accepted": len(batch)}
        return self._settle(batch, answer.status_code, acknowledged=answer.status_code == 202)

    async def call(self, stub: event_service_pb2_grpc.EventServiceStub) -> bool:
        """One batch over gRPC; whether it was acknowledged."""
        batch = self.next_batch()
        events = [event_from_json(event) for event in batch]
        request = event_service_pb.IngestEventsRequest(app_key=self.app_key, events=events)
        try:
            answer = await stub.IngestEvents(request, timeout=30)
        except grpc.aio.AioRpcError as error:
            return self._settle(batch, error.code().name, acknowledged=False)
        assert answer.accepted == len(batch)
        return self._settle(batch, "OK", acknowledged=True)

    def _settle(self, batch: Batch, status: int | str, *, acknowledged: bool) -> bool:
        self.statuses[status] += 1
        if acknowledged:
            self.acknowledged.update(event["eventId"] for event in batch)
        else:
            self.unsure.append(batch)
        return acknowledged


class Load:
    """Runs `clients` SDKs of a crowd against one base URL, and half as many against `grpc_at`, for as long as the block lasts."""

    def __init__(self, crowd: Crowd, base: str, clients: int = 8, grpc_at: str = "") -> None:
        self._crowd, self._base, self._clients, self._grpc_at = crowd, base, clients, grpc_at
        self._stopping = False

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        # verify=False: nothing here is TLS, and loading certificates costs as much as a hundred requests.
        http = httpx.AsyncClient(base_url=self._base, timeout=30, trust_env=False, verify=False)
        await self._stack.enter_async_context(http)
        sends: list[Send] = [lambda: self._crowd.send(http)] * self._clients
        if self._grpc_at:
            options = [("grpc.enable_http_proxy", 0)]
            channel = await self._stack.enter_async_context(grpc.aio.insecure_channel(self._grpc_at, options))
            stub = event_service_pb2_grpc.EventServiceStub(channel)
            sends += [lambda: self._crowd.call(stub)] * (self._clients // 2)
        self._tasks = [asyncio.create_task(self._run(send)) for send in sends]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        await asyncio.gather(*self._tasks)
        await self._stack.aclose()

    async def _run(self, send: Send) -> None:
        while not self._stopping:
            acknowledged = await send()
            await asyncio.sleep(PAUSE_S if acknowledged else PAUSE_AFTER_FAILURE_S)


def check_books(rest: Rest, account: Account, crowd: Crowd, database_url: str) -> None:
    """Every acknowledged event is there once, and every counter agrees with the events."""
    stored = stored_event_ids(database_url, crowd.app_key)
    assert [event_id for event_id, times in stored.items() if times > 1] == []
    assert crowd.acknowledged - stored.keys() == set()
    assert stored.keys() - crowd.sent == set()
    around = {"start": now_ms() - CLOCKS_DIFFER_MS, "end": now_ms() + CLOCKS_DIFFER_MS}
    ledger = rest.ledger(account, appKey=crowd.app_key, **around)
    assert ledger["received"] == ledger["stored"] + ledger["duplicate"] + ledger["rejected"] + ledger["limited"]
    assert ledger["stored"] == len(stored)
    totals = rest.totals(account, appKey=crowd.app_key)
    assert totals["events"] == len(stored)
    issues = rest.issues(account, appKey=crowd.app_key, pageSize=1000)
    assert len(issues) == totals["issues"]
    assert sum(issue["eventCount"] for issue in issues) == totals["errors"] + totals["failedRequests"]
