"""The processes behind one collector that runs several."""

import asyncio
from pathlib import Path

from tests.collector import Collector

PATIENCE_S = 60


def workers_of(collector: Collector) -> list[int]:
    """Process ids of the workers, or of the process that commits where there is one worker."""
    threads = Path(f"/proc/{collector.process.pid}/task").iterdir()
    return sorted(int(pid) for thread in threads for pid in (thread / "children").read_text().split())


async def enough_workers(collector: Collector) -> list[int]:
    """Process ids of the workers, once there are two or more: one that is killed leaves another to go on."""
    async with asyncio.timeout(PATIENCE_S):
        while len(workers := workers_of(collector)) < 2:  # noqa: ASYNC110 -- processes tell nobody
            await asyncio.sleep(0.1)
    return workers
