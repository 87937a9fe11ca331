"""Erases deleted apps in the background, little by little, for as long as the process lives."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from server import clock
from server.errors import Unavailable
from server.store.engine import Engine
from server.store.erasure import erase_some

DELAY_MS = 60_000
"""Time between deletion and erasure. Until then a process that still holds the app in its cache (10 s) may store events."""

LOOK_INTERVAL_S = 30.0
PAUSE_S = 0.05
"""Between two batches of about 20 ms, so that ingest gets the larger share of the one writer that SQLite has."""

log = structlog.get_logger("eraser")


class Eraser:
    """Looks for deleted apps and removes their data. What it had begun when the process ended, the next one goes on with."""

    def __init__(
        self,
        engine: Engine,
        *,
        look_interval_s: float = LOOK_INTERVAL_S,
        now_ms: Callable[[], int] = clock.now_ms,
    ) -> None:
        self._engine = engine
        self._look_interval_s = look_interval_s
        self._now_ms = now_ms
        self._closing = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Finish the batch at hand, and stop."""
        self._closing.set()
        await self._task

    async def _run(self) -> None:
        while not self._closing.is_set():
            more = await self._erase()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), PAUSE_S if more else self._look_interval_s)

    async def _erase(self) -> bool:
        now_ms = self._now_ms()
        try:
            return await self._engine.write(erase_some, now_ms - DELAY_MS, now_ms)
        except Unavailable as error:
            log.warning("erasure waits for the store", error=repr(error.__cause__ or error))
        except Exception:  # a fault of one batch must not end the task for good
            log.exception("erasure failed")
        return False
