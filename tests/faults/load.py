"""A crowd of SDKs: sends batches until told to stop, resends what was not acknowledged, and remembers what was."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx

from tests.client import Account, Rest
from tests.sample import error_event, http_event, performance_event
from tests.store_access import stored_event_ids

Batch = list[dict[str, Any]]

PROGRESS_SECONDS = 60


@dataclass
class Crowd:
    """What the SDKs of one app sent so far. `unsure` holds batches whose answer was lost or a refusal: SDKs send those again."""

    app_key: str
    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
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

    async def send(self, http: httpx.AsyncClient, batch: Batch) -> None:
        try:
            answer = await http.post("/api/events/batch", json={"appKey": self.app_key, "events": batch})
        except httpx.TransportError:
            self.unsure.append(batch)
            return
        self.statuses[answer.status_code] += 1
        if answer.status_code == 202:
            assert answer.json() == {"accepted": len(batch)}
            self.acknowledged.update(event["eventId"] for event in batch)
        else:
            self.unsure.append(batch)


class Load:
    """Runs `clients` SDKs of a crowd against one base URL for as long as the block lasts."""

    def __init__(self, crowd: Crowd, base: str, clients: int = 8) -> None:
        self._crowd = crowd
        self._base = base
        self._clients = clients
        self._stopping = False

    async def __aenter__(self) -> Self:
        # verify=False: nothing here is TLS, and loading certificates costs as much as a hundred requests.
        self._http = httpx.AsyncClient(base_url=self._base, timeout=30, trust_env=False, verify=False)
        self._tasks = [asyncio.create_task(self._run()) for _ in range(self._clients)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        await asyncio.gather(*self._tasks)
        await self._http.aclose()

    async def _run(self) -> None:
        while not self._stopping:
            await self._crowd.send(self._http, self._crowd.next_batch())
            await asyncio.sleep(0.002)  # a dead server must not turn this into a busy loop


def check_books(rest: Rest, account: Account, crowd: Crowd, database_url: str) -> None:
    """Every acknowledged event is there once, and every counter agrees with the events."""
    stored = stored_event_ids(database_url, crowd.app_key)
    assert [event_id for event_id, times in stored.items() if times > 1] == []
    assert crowd.acknowledged - stored.keys() == set()
    assert stored.keys() - crowd.sent == set()
    ledger = rest.ledger(account)
    assert ledger["received"] == ledger["stored"] + ledger["duplicate"] + ledger["rejected"] + ledger["limited"]
    assert ledger["stored"] == len(stored)
    totals = rest.totals(account)
    assert totals["events"] == len(stored)
    issues = rest.issues(account, pageSize=1000)
    assert len(issues) == totals["issues"]
    assert sum(issue["eventCount"] for issue in issues) == totals["errors"] + totals["failedRequests"]
