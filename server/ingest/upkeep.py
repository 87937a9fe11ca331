"""What a dead process left behind: events not handed on, and pictures that nobody shows."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from server import clock, logs
from server.errors import DomainError
from server.ingest.session_line import OVERDUE_MS, SessionLine
from server.store import images
from server.store.blobs import BlobStore
from server.store.engine import Engine

EVERY_S = 300.0
UPLOAD_MS = 900_000
"""How long after its entry into the books a picture may still be on its way to its session."""

AT_ONCE = 100

_LOG = structlog.get_logger("ingest.upkeep")


class Upkeep:
    """Tidies at the start and every five minutes; any number of processes may do so at once."""

    def __init__(
        self, engine: Engine, blobs: BlobStore, line: SessionLine, now_ms: Callable[[], int] = clock.now_ms
    ) -> None:
        self._engine = engine
        self._blobs = blobs
        self._line = line
        self._now_ms = now_ms
        self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop."""
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running

    async def _run(self) -> None:
        while True:
            try:
                await self._tidy()
            except DomainError as error:
                _LOG.warning("upkeep has to wait", error=logs.cause(error))
            except Exception as error:  # noqa: BLE001 -- the next round may do better, and the log says what was wrong
                _LOG.error("upkeep failed", exc_info=error)
            await asyncio.sleep(EVERY_S)

    async def _tidy(self) -> None:
        finished = removed = 1
        while finished or removed:
            finished = await self._line.finish_due(self._now_ms() - OVERDUE_MS)
            removed = await remove_unused(self._engine, self._blobs, self._now_ms())


async def remove_unused(engine: Engine, blobs: BlobStore, now_ms: int) -> int:
    """Remove some of the pictures that no session shows; how many."""
    unused = await engine.write(images.claim_unused, now_ms - UPLOAD_MS, now_ms, AT_ONCE)
    if unused:
        await blobs.delete(blob.key for blob in unused)
        await engine.write(images.forget, unused)
    return len(unused)
