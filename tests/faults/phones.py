"""Trackers under load: crashes and pictures sent until told to stop, sent again while unanswered, and remembered once acknowledged."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx

from server.mobile.codec import encode_message
from server.mobile.messages import CRASH
from tests.faults.load import PAUSE_S
from tests.mobile.tracker import JPEG, frames_of
from tests.sample import now_ms

Shot = tuple[str, int]
"""Session and time of a picture."""


@dataclass
class Phones:
    """What the trackers of one app sent so far: crashes by their reason, each of which is told only once."""

    app_key: str
    crashes: set[str] = field(default_factory=set)
    shots: set[Shot] = field(default_factory=set)
    statuses: Counter[int | str] = field(default_factory=Counter)

    async def run(self, http: httpx.AsyncClient, stopping: asyncio.Event) -> None:
        """One phone: a session, and what happens in it."""
        token, session_id = await self._start(http, stopping)
        while not stopping.is_set():
            if random.random() < 0.7:
                await self._crash(http, token)
            else:
                await self._shoot(http, token, session_id)
            await asyncio.sleep(PAUSE_S)

    async def _start(self, http: httpx.AsyncClient, stopping: asyncio.Event) -> tuple[str, str]:
        described = {"projectKey": self.app_key, "trackerVersion": "1.0.14", "userDevice": "iPhone15,2"}
        while not stopping.is_set():
            answer = await self._ask(http, "start", json=described | {"timestamp": now_ms()})
            if answer is not None:
                return answer.json()["token"], answer.json()["sessionID"]
            await asyncio.sleep(PAUSE_S)
        return "", ""

    async def _crash(self, http: httpx.AsyncClient, token: str) -> None:
        reason = f"reason {random.getrandbits(64):x}"
        told = {"name": "NSRangeException", "reason": reason, "stacktrace": "0 Shop 0x1 pay"}
        batch = encode_message(CRASH, now_ms(), told, platform="ios")
        for _ in range(2):
            if await self._ask(http, "append", token, content=batch) is not None:
                self.crashes.add(reason)
                return

    async def _shoot(self, http: httpx.AsyncClient, token: str, session_id: str) -> None:
        at_ms = now_ms() + random.randint(0, 1_000_000)
        picture = JPEG + random.randbytes(2_000)
        files = [("batch", ("a.gz", frames_of([(at_ms, picture)]), "application/gzip"))]
        if await self._ask(http, "images", token, files=files) is not None:
            self.shots.add((session_id, at_ms))

    async def _ask(self, http: httpx.AsyncClient, call: str, token: str = "", **body: object) -> httpx.Response | None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        try:
            answer = await http.post(f"/v1/ios/{call}", headers=headers, **body)  # type: ignore[arg-type]
        except httpx.TransportError:
            self.statuses["gone"] += 1
            return None
        self.statuses[answer.status_code] += 1
        return answer if answer.status_code == 200 else None


class PhonesOnLoad:
    """Runs `phones` trackers against one base URL for as long as the block lasts."""

    def __init__(self, phones: Phones, base: str, count: int = 3) -> None:
        self._phones, self._base, self._count = phones, base, count

    async def __aenter__(self) -> Self:
        self._stopping = asyncio.Event()
        self._http = httpx.AsyncClient(base_url=self._base, timeout=30, trust_env=False, verify=False)
        self._tasks = [asyncio.create_task(self._phones.run(self._http, self._stopping)) for _ in range(self._count)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        await asyncio.gather(*self._tasks)
        await self._http.aclose()
