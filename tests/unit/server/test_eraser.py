"""The eraser works in the background, goes on where another left off, and outlives faults of the store."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from server.eraser import DELAY_MS, Eraser
from server.errors import StoreUnavailable

NOW_MS = 1_800_000_000_000


class Store:
    """Stands for the engine: has `batches` to erase, and fails as often as `faults` says."""

    def __init__(self, batches: int, faults: list[Exception] | None = None) -> None:
        self.batches = batches
        self.faults = faults or []
        self.asked: list[tuple[int, int]] = []

    async def write(self, _work: Callable[..., object], before_ms: int, now_ms: int) -> bool:
        self.asked.append((before_ms, now_ms))
        if self.faults:
            raise self.faults.pop()
        self.batches -= 1
        return self.batches >= 0


def eraser(store: Store, look_interval_s: float = 3_600) -> Eraser:
    return Eraser(store, look_interval_s=look_interval_s, now_ms=lambda: NOW_MS)  # type: ignore[arg-type]


async def until(done: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110 -- the eraser tells nobody
            await asyncio.sleep(0.005)


async def test_it_goes_on_until_nothing_is_left() -> None:
    store = Store(batches=3)
    working = eraser(store)
    await until(lambda: store.batches < 0)
    await working.close()
    assert store.asked == [(NOW_MS - DELAY_MS, NOW_MS)] * 4


async def test_it_stops_between_two_batches_and_the_next_one_goes_on() -> None:
    store = Store(batches=1_000)
    first = eraser(store)
    await until(lambda: store.batches < 1_000)
    await first.close()
    left = store.batches
    assert 0 < left < 1_000
    second = eraser(store)
    await until(lambda: store.batches < left)
    await second.close()


@pytest.mark.parametrize("fault", [StoreUnavailable(), RuntimeError("broken")])
async def test_a_fault_is_logged_and_it_looks_again(fault: Exception) -> None:
    store = Store(batches=1, faults=[fault])
    with structlog.testing.capture_logs() as lines:
        working = eraser(store, look_interval_s=0.01)
        await until(lambda: store.batches < 0)
        await working.close()
    assert [line["event"] for line in lines][:1] in (["erasure waits for the store"], ["erasure failed"])
