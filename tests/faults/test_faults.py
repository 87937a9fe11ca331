"""The driver and its faults: whatever breaks under a mixed load, nothing acknowledged is lost and nothing counts twice."""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from tests import postgres as pg
from tests.client import Rest
from tests.collector import STOP_SECONDS
from tests.conftest import StartCollector, unavailable
from tests.faults.rig import FEW_ROUNDS, ROUNDS, Rig
from tests.faults.workers import enough_workers
from tests.store_access import holding_the_writer

Connect = Callable[[str], Rest]
Break = Callable[["Server"], Awaitable[None]]

pytestmark = pytest.mark.slow


BALANCED_EVERY = 20
"""Rounds of killing after which the books have to balance, and not only in the end."""

KILLS_A_START = 10
"""Workers killed before all are started anew: one that dies again and again is started later each time."""


async def test_kill_9_at_random_instants(engine: str, start_collector: StartCollector, connect: Connect) -> None:
    rig = Rig.on(f"kill -9 on {engine}", start_collector(engine), connect)
    for round_ in range(1, ROUNDS + 1):
        async with rig.under_load():
            await rig.acknowledge_more(random.randint(1, 200))
            rig.faults += 1
            rig.collector.kill()
        rig.collector.restart()
        if round_ % BALANCED_EVERY == 0:
            await rig.balance()
    await rig.check()


async def test_kill_9_of_one_worker_among_several(start_collector: StartCollector, connect: Connect) -> None:
    rig = Rig.on("kill -9 of one worker of three", start_collector("postgresql", "--workers", "3"), connect)
    while True:
        async with rig.under_load():
            for _ in range(min(KILLS_A_START, ROUNDS - rig.faults)):
                await rig.acknowledge_more(random.randint(1, 100))
                os.kill(random.choice(await enough_workers(rig.collector)), signal.SIGKILL)
                rig.faults += 1
        assert rig.collector.stop() == 0
        if rig.faults == ROUNDS:
            break
        rig.collector.restart()
    await rig.check()


async def test_sigterm_ends_cleanly(engine: str, start_collector: StartCollector, connect: Connect) -> None:
    rig = Rig.on(f"SIGTERM on {engine}", start_collector(engine), connect)
    async with rig.under_load():
        await rig.acknowledge_more(100)
        rig.faults += 1
        rig.collector.signal(signal.SIGTERM)
        assert await asyncio.to_thread(rig.collector.wait, STOP_SECONDS) == 0
    rig.collector.restart()
    await rig.check()


async def test_a_store_that_stalls(engine: str, start_collector: StartCollector, connect: Connect) -> None:
    """Somebody else holds the lock that every commit needs, for a second, again and again."""
    rig = Rig.on(f"stalls of {engine}", start_collector(engine), connect)
    async with rig.under_load():
        for _ in range(FEW_ROUNDS):
            rig.faults += 1
            await asyncio.to_thread(holding_the_writer, rig.collector.database_url, 1.0)
            await rig.acknowledge_more(20)
    await rig.check()


@pytest.mark.parametrize("jump_s", [3_600, -3_600])
async def test_a_clock_that_jumps_and_comes_back(
    jump_s: int,
    engine: str,
    start_collector: StartCollector,
    connect: Connect,
    skewed_clock: tuple[dict[str, str], Path],
) -> None:
    env, offset = skewed_clock
    rig = Rig.on(f"clock jumping {jump_s:+} s on {engine}", start_collector(engine, env=env), connect)
    async with rig.under_load():
        for told in (jump_s, 0, jump_s, 0):
            rig.faults += 1
            offset.write_text(str(told))
            await rig.acknowledge_more(50)
    await rig.check()


@pytest.fixture
def skewed_clock(tmp_path: Path) -> tuple[dict[str, str], Path]:
    """An environment in which Python's wall clock is off by what the file says, in seconds."""
    offset = tmp_path / "offset"
    offset.write_text("0")
    (tmp_path / "sitecustomize.py").write_text(_SKEW.format(offset=str(offset)))
    path = os.pathsep.join([str(tmp_path), str(Path.cwd() / "generated"), str(Path.cwd())])
    return {"PYTHONPATH": path}, offset


_SKEW = """
import pathlib, time

FILE, TRUE, TRUE_NS = pathlib.Path({offset!r}), time.time, time.time_ns


def seconds():
    return int(FILE.read_text() or 0)


time.time = lambda: TRUE() + seconds()
time.time_ns = lambda: TRUE_NS() + seconds() * 1_000_000_000
"""


class Server:
    """A PostgreSQL of our own, to be broken at will."""

    def __init__(self, server: pg.PrivateServer) -> None:
        self.server = server
        self.url = pg.Databases(server.url).create()
        self._admin = server.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def run(self, statement: str) -> None:
        """A statement of the administrator's, beside the database."""
        database = sql.Identifier(str(sa.make_url(self.url).database))
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(
                sql.SQL(statement).format(database=database, name=sql.Literal(database.as_string()[1:-1]))
            )

    def cut(self) -> None:
        """Cut every connection to the database, whatever it is doing."""
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {name}")

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self._admin)


async def cut_connections(server: Server) -> None:
    for _ in range(10):
        server.cut()
        await asyncio.sleep(random.random() / 10)


async def refuse_writes(server: Server) -> None:
    server.run("ALTER DATABASE {database} SET default_transaction_read_only = on")
    server.cut()
    await asyncio.sleep(1)
    # A primary that was promoted again says so to new connections only; the old ones have to notice by themselves.
    server.run("ALTER DATABASE {database} RESET default_transaction_read_only")


async def take_all_connections(server: Server) -> None:
    taken: list[psycopg.Connection] = []
    for _ in range(3):
        try:
            while True:
                taken.append(server.connect())
        except psycopg.OperationalError:
            _cut_by(taken[0], server)
    await asyncio.sleep(1)
    for connection in taken:
        connection.close()


def _cut_by(connection: psycopg.Connection, server: Server) -> None:
    name = sa.make_url(server.url).database
    connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
    connection.commit()


async def stop_and_start(server: Server) -> None:
    await asyncio.to_thread(server.server.stop)
    await asyncio.sleep(0.5)
    await asyncio.to_thread(server.server.start)


BREAKS: dict[str, Break] = {
    "connections cut in the middle of transactions": cut_connections,
    "a primary that refuses writes": refuse_writes,
    "too many connections": take_all_connections,
    "a server that stops at once and comes back": stop_and_start,
}


@pytest.fixture(scope="module")
def own_server() -> Iterator[pg.PrivateServer]:
    """A PostgreSQL that no other test uses, and that has few connections to give."""
    try:
        server = pg.PrivateServer(max_connections=40)
    except pg.PostgresMissing as missing:
        unavailable(str(missing))
    yield server
    server.remove()


@pytest.mark.parametrize("name", BREAKS)
async def test_postgresql_breaks_and_comes_back(
    name: str, own_server: pg.PrivateServer, start_collector: StartCollector, connect: Connect
) -> None:
    server = Server(own_server)
    rig = Rig.on(name, start_collector("postgresql", url=server.url), connect)
    async with rig.under_load():
        for _ in range(FEW_ROUNDS):
            await rig.acknowledge_more(30)
            rig.faults += 1
            await BREAKS[name](server)
            await rig.acknowledge_more(30)
    await rig.check()
