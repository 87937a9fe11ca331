"""Write: group commit. Requests that arrive while a transaction runs share the next one."""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from server.errors import ShuttingDown, Unavailable
from server.store import events as store_events
from server.store.commit_process import packed, unpacked
from server.store.counters import LIMITED
from server.store.engine import Engine
from server.store.events import Submission
from server.store.sequence import Sequence as IdSequence

MAX_COMMIT_EVENTS = 4_000
"""Bounds how long one transaction holds the writer: about 200 ms."""

MAX_COMMIT_BYTES = 8 * 1_048_576
"""Bounds what a commit takes in memory, several times over: here, on its way, and where it is stored."""

LEDGER_DELAY_S = 1.0
"""Shed events are entered at most this much later, with the next commit if there is one."""

Commit = Callable[[Sequence[bytes], int], list[list[bool]]]
"""Stores packed submissions durably, by the writer with this number, and says of their events whether they were new."""

log = structlog.get_logger("ingest.writer")


@dataclass(slots=True)
class _Waiting:
    submission: bytes
    events: int
    stored: asyncio.Future[list[bool]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class IngestWriter:
    """Commits submissions in groups, one after the other. Never waits when idle.

    Two at a time, which PostgreSQL would take, came to less: each commit costs as much for half of the events.
    """

    def __init__(self, engine: Engine, commit: Commit, shard: int) -> None:
        """`commit` runs in a writer thread of the engine; `shard` is that of this writer alone."""
        self._engine = engine
        self._commits, self._shard = commit, shard
        self._queue: deque[_Waiting] = deque()
        self._limited: Counter[tuple[int, int, str]] = Counter()
        self._wake = asyncio.Event()
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._run())

    def submit(self, submission: Submission) -> Awaitable[list[bool]]:
        """Store durably; what to wait for says of each event whether it was new, or raises Unavailable: nothing was stored.

        Raises ShuttingDown. The submission itself need not be kept meanwhile.
        """
        if self._closing:
            raise ShuttingDown
        waiting = _Waiting(packed(submission), len(submission.events))
        self._queue.append(waiting)
        self._wake.set()
        return waiting.stored

    def note_limited(self, app_id: int, minute: int, events: int, reason: str) -> None:
        """Enter shed events into the ledger, soon and cheaply: the request that was shed does not wait."""
        if not self._limited and not self._closing:
            self._loop.call_later(LEDGER_DELAY_S, self._wake.set)
        self._limited[app_id, minute, reason] += events

    async def close(self) -> None:
        """Refuse new submissions, commit those that wait, and stop."""
        self._closing = True
        self._wake.set()
        await self._task

    async def _run(self) -> None:
        while not (self._closing and not self._queue):
            await self._wake.wait()
            self._wake.clear()
            while self._queue or (self._limited and not self._closing):
                entered = await self._commit_what_waits()
                if not entered and not self._queue and not self._closing:
                    await asyncio.sleep(LEDGER_DELAY_S)
        if self._limited:
            await self._commit_what_waits()

    async def _commit_what_waits(self) -> bool:
        """Commit the queue, and what was limited; whether the latter is entered now."""
        limited, self._limited = self._limited, Counter()
        ledger = [
            packed(Submission(app_id, minute, (), Counter({(LIMITED, reason): events})))
            for (app_id, minute, reason), events in limited.items()
        ]
        entered = await self._engine.write_by(self._commit_groups, ledger)
        if not entered:
            self._limited.update(limited)
        return entered

    def _commit_groups(self, ledger: list[bytes]) -> bool:
        """In a writer thread: commit group after group for as long as nobody else wants to write; whether `ledger` is entered.

        The next group is what came meanwhile. If the event loop were to hand it over, every commit would wait for what the
        loop is doing just then.
        """
        entered = self._commit(self._take(), ledger)
        while not self._engine.write_waits() and (group := self._take()):
            self._commit(group, [])
        return entered

    def _take(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        events = size_bytes = 0
        with contextlib.suppress(IndexError):  # the queue is empty
            while events < MAX_COMMIT_EVENTS and size_bytes < MAX_COMMIT_BYTES:
                group.append(self._queue.popleft())
                events += group[-1].events
                size_bytes += len(group[-1].submission)
        return group

    def _commit(self, group: list[_Waiting], ledger: list[bytes]) -> bool:
        """Commit these and tell who waits; whether it worked at once.

        A fault that is not the store's is one request's own: then each is tried by itself.
        """
        try:
            stored = self._commits([waiting.submission for waiting in group] + ledger, self._shard)
        except Exception as error:  # noqa: BLE001 -- whatever it is, every waiter must hear of it
            if isinstance(error, Unavailable) or len(group) <= 1:
                self._loop.call_soon_threadsafe(_tell_fault, group, error)
            else:
                for waiting in group:
                    self._commit([waiting], [])
            return False
        self._engine.note_commit()
        self._loop.call_soon_threadsafe(_tell, group, stored)
        return True


def _tell(group: list[_Waiting], stored: list[list[bool]]) -> None:
    for waiting, flags in zip(group, stored, strict=False):  # the ledger's own submissions come after the group
        with contextlib.suppress(asyncio.InvalidStateError):  # the client went away; its events are stored
            waiting.stored.set_result(flags)


def _tell_fault(group: list[_Waiting], error: Exception) -> None:
    log.error("commit failed", error=repr(error.__cause__ or error), requests=len(group))
    for waiting in group:
        with contextlib.suppress(asyncio.InvalidStateError):
            waiting.stored.set_exception(error)


def in_thread(engine: Engine) -> Commit:
    """Commits by the writer thread of the engine itself, in place of a process."""
    ids = IdSequence()

    def commit(submissions: Sequence[bytes], shard: int) -> list[list[bool]]:
        return engine.write_now(store_events.commit, list(map(unpacked, submissions)), ids, shard)

    return commit
