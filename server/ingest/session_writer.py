"""Group commit for batches of recorded sessions: those that arrive while a transaction runs share the next one."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from server.errors import ShuttingDown, Unavailable
from server.store import batches as store_batches
from server.store.batches import Kept, NewBatch
from server.store.engine import Engine
from server.store.sequence import Sequence as IdSequence

MAX_COMMIT_BATCHES = 32
"""Bounds how long one transaction holds the writer: about 50 ms."""


@dataclass(slots=True)
class _Waiting:
    batch: NewBatch
    kept: asyncio.Future[Kept | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class SessionWriter:
    """Commits batches in groups, one loop per writer thread of the engine. Never waits when idle."""

    def __init__(self, engine: Engine, longest_ms: int) -> None:
        """`longest_ms` is how long a session lasts at most."""
        self._engine = engine
        self._longest_ms = longest_ms
        self._ids = IdSequence()
        self._queue: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._loops = [asyncio.create_task(self._run()) for _ in range(engine.writers)]

    async def submit(self, batch: NewBatch) -> Kept | None:
        """Store durably; None where the session is not there. Raises Unavailable: then nothing was stored."""
        if self._closing:
            raise ShuttingDown
        waiting = _Waiting(batch)
        self._queue.append(waiting)
        self._wake.set()
        return await waiting.kept

    async def close(self) -> None:
        """Refuse new batches, commit those that wait, and stop."""
        self._closing = True
        self._wake.set()
        await asyncio.gather(*self._loops)

    async def _run(self) -> None:
        while not (self._closing and not self._queue):
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._commit([self._queue.popleft() for _ in range(min(len(self._queue), MAX_COMMIT_BATCHES))])
        self._wake.set()  # lets the other loops see that this is the end

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        try:
            kept = await self._engine.write(
                store_batches.append, [waiting.batch for waiting in group], self._ids, self._longest_ms
            )
        except Exception as error:  # noqa: BLE001 -- whatever it is, those who wait are told
            await self._fail(group, error)
        else:
            for waiting, one in zip(group, kept, strict=True):
                with contextlib.suppress(asyncio.InvalidStateError):  # the client went away; its batch is stored
                    waiting.kept.set_result(one)

    async def _fail(self, group: Sequence[_Waiting], error: Exception) -> None:
        """Tell the waiters. A fault that is not the store's is one batch's own: then each is tried by itself."""
        if isinstance(error, Unavailable) or len(group) == 1:
            for waiting in group:
                with contextlib.suppress(asyncio.InvalidStateError):
                    waiting.kept.set_exception(error)
            return
        for waiting in group:
            await self._commit([waiting])
