"""A disk that takes its time over every sync, under the database and under the pictures: clients wait, and nothing is lost."""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests import postgres as pg
from tests.client import Rest
from tests.collector import ROOT, environment
from tests.conftest import StartCollector, unavailable
from tests.faults.rig import FEW_ROUNDS, Rig
from tests.faults.slow_disk import CompilerMissing, SlowDisk
from tests.forks import Forks

SLOW_MS = 300
PATIENCE_S = 60

Connect = Callable[[str], Rest]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def slow_disk() -> Iterator[SlowDisk]:
    try:
        disk = SlowDisk()
    except CompilerMissing as missing:
        unavailable(str(missing))
    yield disk
    disk.remove()


@pytest.fixture(scope="module")
def slow_server(slow_disk: SlowDisk) -> Iterator[pg.PrivateServer]:
    """A PostgreSQL on that disk, which it waits for."""
    try:
        server = pg.PrivateServer(fsync=True, env=slow_disk.env)
    except pg.PostgresMissing as missing:
        unavailable(str(missing))
    yield server
    server.remove()


@pytest.fixture
def slow_rig(
    engine: str,
    slow_disk: SlowDisk,
    start_collector: StartCollector,
    connect: Connect,
    request: pytest.FixtureRequest,
) -> Iterator[Rig]:
    url = ""
    if engine == "postgresql":
        url = pg.Databases(request.getfixturevalue("slow_server").url).create()
    rig = Rig.on(f"slow disk under {engine}", start_collector(engine, url=url, env=slow_disk.env), connect)
    with closing(Forks(ROOT, environment(slow_disk.env))) as forks:
        rig.collector.launch = lambda *arguments, env, stderr: forks.launch(arguments, environment(env), stderr)
        yield rig
    slow_disk.takes(0)


async def test_a_disk_that_slows_down_again_and_again(slow_rig: Rig, slow_disk: SlowDisk) -> None:
    async with slow_rig.under_load():
        for _ in range(FEW_ROUNDS):
            slow_rig.faults += 1
            waited = slow_disk.waited
            slow_disk.takes(SLOW_MS)
            # What is acknowledged first may have been synced before.
            async with asyncio.timeout(PATIENCE_S):
                while slow_disk.waited == waited:
                    await slow_rig.acknowledge_more(1)
            await slow_rig.acknowledge_more(30)
            slow_disk.takes(0)
            await slow_rig.acknowledge_more(30)
    await slow_rig.check()


async def test_kill_9_while_the_disk_syncs(slow_rig: Rig, slow_disk: SlowDisk) -> None:
    for _ in range(FEW_ROUNDS):
        async with slow_rig.under_load():
            await slow_rig.acknowledge_more(30)
            slow_disk.takes(SLOW_MS)
            await asyncio.sleep(SLOW_MS / 1_000 * (1 + random.random()))
            slow_rig.faults += 1
            slow_rig.collector.kill()
            slow_disk.takes(0)
        slow_rig.collector.restart()
    await slow_rig.check()
