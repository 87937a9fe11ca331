"""A deadline ends what takes too long, and is not mistaken for a cancellation by somebody else."""

import asyncio

import pytest

from rest_facade.deadline import Deadline


async def test_work_that_takes_too_long_is_ended() -> None:
    with pytest.raises(TimeoutError), Deadline(0.01) as limit:
        await asyncio.Event().wait()
    assert limit.expired
    assert asyncio.current_task().cancelling() == 0


async def test_work_in_time_hears_nothing_of_it() -> None:
    with Deadline(0.01) as limit:
        await asyncio.sleep(0)
    await asyncio.sleep(0.02)
    assert not limit.expired


async def test_no_limit_is_no_limit() -> None:
    with Deadline(None) as limit:
        await asyncio.sleep(0)
    assert not limit.expired


async def test_a_fault_of_the_work_is_its_own() -> None:
    with pytest.raises(ValueError, match="own"), Deadline(1):
        raise ValueError("own")


async def test_a_cancellation_from_outside_stays_one() -> None:
    async def work() -> None:
        with Deadline(10):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_inner_deadline_leaves_the_outer_one_running() -> None:
    with Deadline(10) as outer:
        with pytest.raises(TimeoutError), Deadline(0.01):
            await asyncio.Event().wait()
        await asyncio.sleep(0)
    assert not outer.expired


async def test_a_time_that_is_over_ends_work_at_its_first_wait() -> None:
    with pytest.raises(TimeoutError), Deadline(0):
        await asyncio.Event().wait()
