"""Group commit for batches of recorded sessions: those that arrive while a transaction runs share the next one."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from server.errors import ShuttingDown, Unavailable
from server.store.engine import Engine
from server.store.receiving import Outcome, Received, Taken, receive
from server.store.sequence import Sequence as IdSequence

MAX_COMMIT_BYTES = 524_288
"""Of bodies as they were sent; bounds how long one commit and what it is made of hold the writer: about 50 ms, or one batch."""

Receive = Callable[[Sequence[Received], int], list[Outcome]]
"""Reads and stores batches durably, and says what became of each; the number is how long a session lasts at most, in ms."""


@dataclass(slots=True)
class _Waiting:
    received: Received
    taken: asyncio.Future[Taken | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class SessionWriter:
    """Commits batches in groups, one after the other. Never waits when idle."""

    def __init__(self, engine: Engine, receive: Receive, longest_ms: int) -> None:
        """`receive` runs in a writer thread of the engine; `longest_ms` is how long a session lasts at most."""
        self._engine = engine
        self._receive = receive
        self._longest_ms = longest_ms
        self._queue: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._task = asyncio.create_task(self._run())

    async def submit(self, received: Received) -> Taken | None:
        """Read and store durably; None where there is nothing in it.

        Raises BatchTooLarge, InvalidSessionToken where the session is gone, and Unavailable: then nothing was stored.
        """
        if self._closing:
            raise ShuttingDown
        waiting = _Waiting(received)
        self._queue.append(waiting)
        self._wake.set()
        return await waiting.taken

    async def close(self) -> None:
        """Refuse new batches, commit those that wait, and stop."""
        self._closing = True
        self._wake.set()
        await self._task

    async def _run(self) -> None:
        while not (self._closing and not self._queue):
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._commit(self._take())

    def _take(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size_bytes = 0
        while self._queue and size_bytes < MAX_COMMIT_BYTES:
            group.append(self._queue.popleft())
            size_bytes += len(group[-1].received.body)
        return group

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        try:
            received = [waiting.received for waiting in group]
            outcomes = await self._engine.write_by(self._receive, received, self._longest_ms)
        except Exception as error:  # noqa: BLE001 -- whatever it is, those who wait are told
            await self._fail(group, error)
        else:
            for waiting, outcome in zip(group, outcomes, strict=True):
                _tell(waiting, outcome)

    async def _fail(self, group: Sequence[_Waiting], error: Exception) -> None:
        """Tell the waiters. A fault that is not the store's is one batch's own: then each is tried by itself."""
        if isinstance(error, Unavailable) or len(group) == 1:
            for waiting in group:
                _tell(waiting, error)
            return
        for waiting in group:
            await self._commit([waiting])


def in_thread(engine: Engine) -> Receive:
    """Reading and storing by the writer thread of the engine itself, in place of a process."""
    ids = IdSequence()

    def received(batches: Sequence[Received], longest_ms: int) -> list[Outcome]:
        return engine.write_session_now(receive, batches, ids, longest_ms)

    return received


def _tell(waiting: _Waiting, outcome: Outcome | Exception) -> None:
    with contextlib.suppress(asyncio.InvalidStateError):  # the client went away; if its batch is stored it stays so
        if isinstance(outcome, Exception):
            waiting.taken.set_exception(outcome)
        else:
            waiting.taken.set_result(outcome)
