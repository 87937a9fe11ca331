"""Write: group commit. Requests that arrive while a transaction runs share the next one."""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from server.errors import ShuttingDown, Unavailable
from server.store import events as store_events
from server.store.commit_process import CommitProcess, packed, unpacked
from server.store.counters import LIMITED
from server.store.engine import Engine
from server.store.events import Submission
from server.store.sequence import Sequence as IdSequence

MAX_COMMIT_EVENTS = 4_000
"""Bounds how long one transaction holds the writer: about 200 ms."""

LEDGER_DELAY_S = 1.0
"""Shed events are entered at most this much later, with the next commit if there is one."""

Commit = Callable[[Sequence[bytes], int], Awaitable[list[list[bool]]]]
"""Stores packed submissions durably, by the writer with this number, and says of their events whether they were new."""

log = structlog.get_logger("ingest.writer")


@dataclass(slots=True)
class _Waiting:
    submission: bytes
    events: int
    stored: asyncio.Future[list[bool]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class IngestWriter:
    """Commits submissions in groups, one loop per way to commit. Never waits when idle."""

    def __init__(self, commits: Iterable[Commit], first_shard: int) -> None:
        self._queue: deque[_Waiting] = deque()
        self._limited: Counter[tuple[int, int, str]] = Counter()
        self._wake = asyncio.Event()
        self._closing = False
        self._loops = [
            asyncio.create_task(self._run(commit, shard)) for shard, commit in enumerate(commits, first_shard)
        ]

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
            asyncio.get_running_loop().call_later(LEDGER_DELAY_S, self._wake.set)
        self._limited[app_id, minute, reason] += events

    async def close(self) -> None:
        """Refuse new submissions, commit those that wait, and stop."""
        self._closing = True
        self._wake.set()
        await asyncio.gather(*self._loops)

    async def _run(self, store: Commit, shard: int) -> None:
        while not (self._closing and not self._queue):
            await self._wake.wait()
            self._wake.clear()
            while self._queue or (self._limited and not self._closing):
                await self._commit(self._take(), store, shard)
        if self._limited:
            await self._commit((), store, shard)
        self._wake.set()  # lets the other loops see that this is the end

    def _take(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        events = 0
        while self._queue and events < MAX_COMMIT_EVENTS:
            group.append(self._queue.popleft())
            events += group[-1].events
        return group

    async def _commit(self, group: Sequence[_Waiting], store: Commit, shard: int) -> None:
        limited, self._limited = self._limited, Counter()
        ledger = [
            packed(Submission(app_id, minute, (), Counter({(LIMITED, reason): events})))
            for (app_id, minute, reason), events in limited.items()
        ]
        try:
            submissions = [waiting.submission for waiting in group] + ledger
            stored = await store(submissions, shard)
        except Exception as error:  # noqa: BLE001 -- whatever it is, every waiter must hear of it
            self._limited.update(limited)
            await self._fail(group, error, store, shard)
            if not group and not self._closing:
                await asyncio.sleep(LEDGER_DELAY_S)
        else:
            for waiting, flags in zip(group, stored, strict=False):  # the ledger's own submissions come after the group
                with contextlib.suppress(asyncio.InvalidStateError):  # the client went away; its events are stored
                    waiting.stored.set_result(flags)

    async def _fail(self, group: Sequence[_Waiting], error: Exception, store: Commit, shard: int) -> None:
        """Tell the waiters. A fault that is not the store's is one request's own: then each is tried by itself."""
        if isinstance(error, Unavailable) or len(group) <= 1:
            for waiting in group:
                with contextlib.suppress(asyncio.InvalidStateError):
                    waiting.stored.set_exception(error)
            log.error("commit failed", error=repr(error.__cause__ or error), requests=len(group))
            return
        for waiting in group:
            await self._commit([waiting], store, shard)


def in_processes(engine: Engine, processes: Iterable[CommitProcess]) -> list[Commit]:
    """Commits by processes of their own, one for each writer thread of the engine, which waits for it meanwhile."""

    async def commit(process: CommitProcess, submissions: Sequence[bytes], shard: int) -> list[list[bool]]:
        return await engine.write_by(process.commit, submissions, shard)

    return [partial(commit, process) for process in processes]


def in_threads(engine: Engine) -> list[Commit]:
    """Commits by the writer threads of the engine themselves."""
    ids = IdSequence()

    async def commit(submissions: Sequence[bytes], shard: int) -> list[list[bool]]:
        return await engine.write_bulk(store_events.commit, list(map(unpacked, submissions)), ids, shard)

    return [commit] * engine.writers
