"""Group commit: waiters share transactions, failures are told, shed events are entered later."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from server.errors import ShuttingDown, StoreUnavailable
from server.ingest import writer as writer_module
from server.ingest.writer import IngestWriter
from server.store.commit_process import unpacked
from server.store.events import Submission
from tests.store.build import MINUTE, event


class SlowStore:
    """Stands where an engine and a way to commit would be, so that a test can hold a commit open; stores nothing."""

    def __init__(self) -> None:
        self.commits: list[list[Submission]] = []
        self.open = threading.Event()
        self.open.set()
        self.faults: list[Exception] = []
        self.others_wait = False

    async def write_by(self, work: Callable[..., bool], *args: Any) -> bool:
        return await asyncio.to_thread(work, *args)

    def write_waits(self) -> bool:
        return self.others_wait

    def note_commit(self) -> None:
        pass

    def commit(self, packages: Sequence[bytes], _shard: int) -> list[list[bool]]:
        self.open.wait()
        submissions = [unpacked(package) for package in packages]
        self.commits.append(submissions)
        if any(e.message == b"poison" for s in submissions for e in s.events):
            raise ValueError("poison")
        if self.faults:
            raise self.faults.pop()
        return [[True] * len(s.events) for s in submissions]


@pytest.fixture
async def store() -> SlowStore:
    return SlowStore()


def writer_over(store: SlowStore) -> IngestWriter:
    return IngestWriter(store, store.commit, shard=0)  # type: ignore[arg-type]


@pytest.fixture
async def writer(store: SlowStore) -> AsyncIterator[IngestWriter]:
    made = writer_over(store)
    yield made
    await made.close()


def request(*messages: bytes) -> Submission:
    return Submission(1, MINUTE, [event(message=message) for message in messages])


async def test_requests_that_arrive_during_a_commit_share_the_next(writer: IngestWriter, store: SlowStore) -> None:
    store.open.clear()
    first = asyncio.ensure_future(writer.submit(request(b"1")))
    await asyncio.sleep(0.01)
    rest = [asyncio.ensure_future(writer.submit(request(b"2", b"3"))) for _ in range(5)]
    await asyncio.sleep(0.01)
    store.open.set()
    assert await first == [True]
    assert await asyncio.gather(*rest) == [[True, True]] * 5
    assert [len(commit) for commit in store.commits] == [1, 5]


async def test_others_who_want_to_write_get_their_turn_between_two_commits(
    writer: IngestWriter, store: SlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[int] = []
    write_by = store.write_by

    async def counted(work: Callable[..., bool], *args: Any) -> bool:
        done = await write_by(work, *args)
        turns.append(len(store.commits))
        return done

    monkeypatch.setattr(store, "write_by", counted)
    monkeypatch.setattr(writer_module, "MAX_COMMIT_EVENTS", 1)
    for others_wait, expected in ((False, [3]), (True, [3, 4, 5, 6])):
        store.others_wait = others_wait
        store.open.clear()
        tasks = [asyncio.ensure_future(writer.submit(request(b"1"))) for _ in range(3)]
        await asyncio.sleep(0.01)
        store.open.set()
        await asyncio.gather(*tasks)
        async with asyncio.timeout(10):
            while len(turns) < len(expected):  # noqa: ASYNC110 -- the store is a fake without an event of its own
                await asyncio.sleep(0.001)
        assert turns == expected


@pytest.mark.parametrize(("bound", "most"), [("MAX_COMMIT_EVENTS", 4), ("MAX_COMMIT_BYTES", 400)])
async def test_group_is_bounded(
    bound: str, most: int, writer: IngestWriter, store: SlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, bound, most)
    store.open.clear()
    tasks = [asyncio.ensure_future(writer.submit(request(b"1", b"2"))) for _ in range(5)]
    await asyncio.sleep(0.01)
    store.open.set()
    await asyncio.gather(*tasks)
    assert [len(commit) for commit in store.commits] == [2, 2, 1]


async def test_all_waiters_hear_that_the_store_is_gone(writer: IngestWriter, store: SlowStore) -> None:
    store.faults = [StoreUnavailable()]
    store.open.clear()
    tasks = [asyncio.ensure_future(writer.submit(request(b"1"))) for _ in range(3)]
    await asyncio.sleep(0.01)
    store.open.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
    assert await writer.submit(request(b"2")) == [True]


async def test_one_request_that_cannot_be_stored_does_not_cost_its_neighbours(
    writer: IngestWriter, store: SlowStore
) -> None:
    store.open.clear()
    tasks = [asyncio.ensure_future(writer.submit(request(p))) for p in (b"1", b"poison", b"2")]
    await asyncio.sleep(0.01)
    store.open.set()
    good, bad, other = await asyncio.gather(*tasks, return_exceptions=True)
    assert (good, other) == ([True], [True])
    assert isinstance(bad, ValueError)


async def test_client_that_went_away_stops_nobody(writer: IngestWriter, store: SlowStore) -> None:
    store.open.clear()
    gone = asyncio.ensure_future(writer.submit(request(b"1")))
    stays = asyncio.ensure_future(writer.submit(request(b"2")))
    await asyncio.sleep(0.01)
    gone.cancel()
    await asyncio.sleep(0.01)
    store.open.set()
    assert await stays == [True]


async def test_shed_events_are_entered_without_a_request(
    writer: IngestWriter, store: SlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "LEDGER_DELAY_S", 0.01)
    store.faults = [StoreUnavailable()]
    writer.note_limited(1, MINUTE, 5, "RATE_LIMITED")
    writer.note_limited(1, MINUTE, 2, "RATE_LIMITED")
    async with asyncio.timeout(10):
        while len(store.commits) < 2:  # noqa: ASYNC110 -- the store is a fake without an event of its own
            await asyncio.sleep(0.01)
    assert [s.others for s in store.commits[1]] == [Counter({("limited", "RATE_LIMITED"): 7})]


async def test_close_commits_what_waits_and_refuses_what_comes(store: SlowStore) -> None:
    writer = writer_over(store)
    store.open.clear()
    waiting = [asyncio.ensure_future(writer.submit(request(b"1"))) for _ in range(3)]
    await asyncio.sleep(0.01)
    writer.note_limited(1, MINUTE, 1, "OVERLOADED")
    closing = asyncio.create_task(writer.close())
    await asyncio.sleep(0.01)
    with pytest.raises(ShuttingDown):
        await writer.submit(request(b"2"))
    store.open.set()
    await closing
    assert [task.result() for task in waiting] == [[True]] * 3
    assert sum(sum(s.others.values()) for commit in store.commits for s in commit) == 1
