"""The processes behind one collector that runs several."""

import asyncio
from pathlib import Path

from tests.collector import Collector

PATIENCE_S = 60


def workers_of(collector: Collector) -> list[int]:
    """Process ids of the workers."""
    parent = collector.process.pid
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


async def replaced(collector: Collector, before: list[int]) -> None:
    """Wait until there are as many workers as before, one of them new."""
    async with asyncio.timeout(PATIENCE_S):
        while len(now := workers_of(collector)) < len(before) or set(now) == set(before):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
