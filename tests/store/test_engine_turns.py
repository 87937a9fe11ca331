"""Whose turn it is to write: what waits is known, and what was given up waits no longer."""

import asyncio
import threading

from sqlmodel import Session

from server.store.engine import Engine


async def test_a_write_that_is_given_up_before_it_began_does_not_wait_for_ever(store: Engine) -> None:
    begun, release = threading.Semaphore(0), threading.Event()

    def hold(_session: Session) -> None:
        begun.release()
        release.wait()

    holding = [asyncio.create_task(store.write(hold)) for _ in range(store.writers)]
    try:
        for _ in holding:
            assert await asyncio.to_thread(begun.acquire, timeout=30)
        assert not store.write_waits()
        given_up = asyncio.create_task(store.write(hold))
        await asyncio.sleep(0)
        assert store.write_waits()
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        assert not store.write_waits()
    finally:
        release.set()
        await asyncio.gather(*holding)
