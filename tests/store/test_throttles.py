"""Attempts are counted alike on both engines, one by one and at once, and a new process counts on."""

import asyncio

import pytest

from server.errors import TooManyAttempts, TooManyRegistrations
from server.store import throttles
from server.store.engine import Engine

NOW_MS = 1_800_000_000_000
FREE = 3
A, B = b"a" * 16, b"b" * 16


async def attempt(store: Engine, now_ms: int, free: dict[bytes, int] | None = None) -> float:
    """Seconds to wait; 0 when the attempt was admitted."""
    try:
        await store.write(throttles.attempt, free or {A: FREE}, now_ms)
    except TooManyAttempts as refused:
        return refused.retry_after_s
    return 0


async def test_after_the_free_attempts_the_pause_doubles_up_to_its_longest(store: Engine) -> None:
    now_ms, pauses = NOW_MS, []
    for _ in range(FREE):
        assert await attempt(store, now_ms) == 0
    for _ in range(12):
        pauses.append(await attempt(store, now_ms))
        now_ms += round(pauses[-1] * 1_000)
        assert await attempt(store, now_ms) == 0
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


async def test_a_key_without_free_attempts_waits_from_the_second_on(store: Engine) -> None:
    assert [await attempt(store, NOW_MS, {A: 1}) for _ in range(2)] == [0, 1]


async def test_many_at_once_get_no_further_than_one_by_one(store: Engine) -> None:
    waits = await asyncio.gather(*(attempt(store, NOW_MS) for _ in range(12)))
    assert sorted(waits) == [0] * FREE + [1] * 9


async def test_an_attempt_that_one_key_refuses_counts_under_none(store: Engine) -> None:
    assert [await attempt(store, NOW_MS, {B: 1}) for _ in range(2)] == [0, 1]
    assert await attempt(store, NOW_MS, {A: 1, B: 1}) == 1
    assert await store.read(throttles.wait_ms, [A], NOW_MS) == 0


async def test_what_is_forgiven_or_abandoned_does_not_count(store: Engine) -> None:
    for _ in range(FREE):
        await attempt(store, NOW_MS)
    assert await store.read(throttles.wait_ms, [A, B], NOW_MS) == 1_000
    await store.write(throttles.abandon, [A], NOW_MS)
    assert [await attempt(store, NOW_MS) for _ in range(2)] == [0, 1]
    await store.write(throttles.forgive, [A])
    assert [await attempt(store, NOW_MS) for _ in range(FREE)] == [0] * FREE


async def test_a_day_later_the_key_is_forgotten(store: Engine) -> None:
    await store.write(throttles.take, B, 20, NOW_MS)
    for _ in range(FREE):
        await attempt(store, NOW_MS)
    later_ms = NOW_MS + throttles.REMEMBERED_MS + 1
    await attempt(store, later_ms, {B: FREE})
    assert [await attempt(store, later_ms) for _ in range(FREE)] == [0] * FREE


async def test_registrations_come_at_once_and_are_given_back_evenly(store: Engine) -> None:
    for _ in range(20):
        await store.write(throttles.take, A, 20, NOW_MS)
    with pytest.raises(TooManyRegistrations) as refused:
        await store.write(throttles.take, A, 20, NOW_MS)
    assert refused.value.retry_after_s == 180
    await store.write(throttles.take, B, 20, NOW_MS)
    await store.write(throttles.take, A, 20, NOW_MS + 180_000)
    with pytest.raises(TooManyRegistrations):
        await store.write(throttles.take, A, 20, NOW_MS + 180_000)
