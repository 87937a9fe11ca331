"""The disk budget: how much of it the database takes, and what to say about that."""

import time
from collections.abc import Callable
from typing import Final

from server.store.engine import Engine
from server.store.space import Usage, usage

WARN_SHARE: Final = 0.8
MEASURED_FOR_S: Final = 10.0


class DiskBudget:
    """Measures the database against `limit_bytes`; 0 is no limit, and nothing is measured.

    `with_blobs` says whether screenshots live on this machine too and count.
    """

    def __init__(
        self,
        engine: Engine,
        limit_bytes: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        with_blobs: bool = False,
    ) -> None:
        self.limit_bytes = limit_bytes
        self._engine = engine
        self._clock = clock
        self._with_blobs = with_blobs
        self._measured_at = float("-inf")
        self._warning = ""

    async def measure(self) -> Usage:
        """What counts is taken at this moment."""
        measured = await self._engine.read(usage, with_blobs=self._with_blobs)
        self._measured_at, self._warning = self._clock(), warning(measured, self.limit_bytes)
        return measured

    async def warning(self) -> str:
        """One sentence while most of the budget is used, measured at most ten seconds ago; else nothing."""
        if self.limit_bytes and self._clock() - self._measured_at >= MEASURED_FOR_S:
            await self.measure()
        return self._warning


def warning(measured: Usage, limit_bytes: int) -> str:
    """One sentence if so much of the budget is used that the operator should know; else nothing."""
    if not limit_bytes or measured.used_bytes < WARN_SHARE * limit_bytes:
        return ""
    percent = 100 * measured.used_bytes // limit_bytes
    return f"{percent} % of the disk budget is used; at 100 % the oldest events and sessions are removed"
