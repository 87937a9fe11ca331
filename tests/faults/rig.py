"""One driver for all faults: a real server under mixed load over REST, gRPC and mobile routes, and the books afterwards."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import figures
from tests.client import Account, Rest
from tests.collector import Collector
from tests.faults import books
from tests.faults.load import Crowd, Load, check_books
from tests.faults.phones import Phones, PhonesOnLoad

ROUNDS = int(os.environ.get("HEALTHGUARD_TEST_FAULT_ROUNDS", "2"))
"""How often a process is killed; `make test-faults` asks for 100."""

FEW_ROUNDS = max(2, ROUNDS // 10)
"""How often the faults strike that take seconds each."""

PATIENCE_S = 60
ACCEPTABLE = {202, 200, 503, 504, "OK", "UNAVAILABLE", "DEADLINE_EXCEEDED", "gone"}
"""What a client may be told while something is broken: it worked, come back later, or nothing at all."""


@dataclass
class Rig:
    """A collector, the clients of its two apps, and what they remember."""

    name: str
    collector: Collector
    connect: Callable[[str], Rest]
    account: Account
    crowd: Crowd
    phones: Phones
    faults: int = field(default=0)

    @classmethod
    def on(cls, name: str, collector: Collector, connect: Callable[[str], Rest]) -> "Rig":
        rest = connect(collector.rest)
        account = rest.register()
        web, ios = (rest.create_app(account, type=kind)["appKey"] for kind in ("web", "ios"))
        return cls(name, collector, connect, account, Crowd(web), Phones(ios))

    @asynccontextmanager
    async def under_load(self) -> AsyncIterator[None]:
        """Everybody sends for as long as the block lasts."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(Load(self.crowd, self.collector.rest, 4, self.collector.grpc))
            await stack.enter_async_context(PhonesOnLoad(self.phones, self.collector.rest, 2))
            yield

    async def acknowledge_more(self, events: int) -> None:
        await self.crowd.acknowledge_more(events)

    async def check(self) -> None:
        """Balance the books, and tell the figures."""
        await self.balance()
        acknowledged = len(self.crowd.acknowledged) + len(self.phones.crashes) + len(self.phones.shots)
        figures.tell(
            f"faults: {self.name}",
            injected=self.faults,
            requests=self.statuses.total(),
            acknowledged=acknowledged,
            lost=0,
            double=0,
        )

    @property
    def statuses(self) -> Counter[int | str]:
        """How requests were answered so far."""
        return self.crowd.statuses + self.phones.statuses

    async def balance(self) -> None:
        """All that was acknowledged is there once, every counter is right, and no object is left over."""
        self.collector.kill()
        books.make_overdue(self.collector.database_url)
        self.collector.restart()
        await self._everything_handed_on()
        assert set(self.statuses) <= ACCEPTABLE
        url = self.collector.database_url
        check_books(self.connect(self.collector.rest), self.account, self.crowd, url)
        told = books.crash_reasons(url, self.phones.app_key)
        assert len(told) == len(set(told))
        assert {f"NSRangeException: {reason}" for reason in self.phones.crashes} <= set(told)
        assert self.phones.shots <= books.shown_pictures(url)
        books.recount(url)
        books.check_blobs(url, self.blobs)

    @property
    def blobs(self) -> Path:
        return self.collector.data_dir / "blobs"

    async def _everything_handed_on(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while books.overdue_batches(self.collector.database_url):  # noqa: ASYNC110 -- only the database tells
                await asyncio.sleep(0.2)
