"""The process that commits events and recorded sessions: what happens when it ends, and that it ends with the server."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.client import Rest
from tests.conftest import StartCollector
from tests.faults.rig import ROUNDS, Rig
from tests.faults.workers import workers_of
from tests.mobile.conftest import owner_on
from tests.sample import error_event, now_ms

pytestmark = pytest.mark.slow

PATIENCE_S = 30


async def test_kill_9_of_a_process_that_commits(
    engine: str, start_collector: StartCollector, connect: Callable[[str], Rest]
) -> None:
    rig = Rig.on(f"kill -9 of what commits to {engine}", start_collector(engine), connect)
    async with rig.under_load():
        for _ in range(ROUNDS):
            await rig.acknowledge_more(50)
            rig.faults += 1
            os.kill(random.choice(workers_of(rig.collector)), signal.SIGKILL)
            await rig.acknowledge_more(50)
    await rig.check()


def test_the_request_that_meets_it_is_told_to_come_back(
    engine: str, start_collector: StartCollector, connect: Callable[[str], Rest]
) -> None:
    collector = start_collector(engine)
    rest = connect(collector.rest)
    account, app_key = rest.new_app_key()
    for pid in workers_of(collector):
        os.kill(pid, signal.SIGKILL)
    event = error_event()
    statuses = list(_until_taken(rest, app_key, event))
    assert set(statuses[:-1]) == {503}
    assert statuses[-1] == 202
    assert rest.totals(account)["events"] == 1
    assert rest.ledger(account)["stored"] == 1


def test_the_batch_that_meets_it_is_told_to_come_back(
    engine: str, start_collector: StartCollector, connect: Callable[[str], Rest]
) -> None:
    collector = start_collector(engine)
    owner = owner_on(connect(collector.rest))
    tracker = owner.tracker()
    tracker.start()
    for pid in workers_of(collector):
        os.kill(pid, signal.SIGKILL)
    crash = tracker.crash(now_ms())
    statuses = [tracker.post("append", crash).status_code for _ in range(4)]
    assert sorted(statuses, reverse=True) == statuses
    assert set(statuses[:-1]) <= {503, 200}
    assert (statuses[0], statuses[-1]) == (503, 200)
    [session] = owner.sessions()
    assert (session["counters"]["crashes"], [issue["eventCount"] for issue in owner.issues()]) == (1, [1])


@pytest.mark.real_start
@pytest.mark.parametrize(("store", "number"), [("sqlite", signal.SIGKILL), ("postgresql", signal.SIGTERM)])
def test_it_ends_with_its_server(store: str, number: int, start_collector: StartCollector) -> None:
    collector = start_collector(store)
    theirs = workers_of(collector)
    assert theirs
    for pid in theirs:
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGINT)  # what stops a group of processes is for the server to obey
    time.sleep(0.1)
    assert workers_of(collector) == theirs
    collector.signal(number)
    collector.wait(PATIENCE_S)
    until = time.monotonic() + PATIENCE_S
    while any(Path(f"/proc/{pid}").exists() for pid in theirs):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_postgresql_counts_the_rows_of_young_tables(
    start_collector: StartCollector, connect: Callable[[str], Rest]
) -> None:
    """Before its own daemon comes round: plans made for empty tables are slow for any others."""
    collector = start_collector("postgresql")
    rest = connect(collector.rest)
    _, app_key = rest.new_app_key()
    for _ in range(16):
        assert rest.ingest(app_key, [error_event()]).status_code == 202
    until = time.monotonic() + PATIENCE_S
    database = sa.create_engine(collector.database_url, poolclass=sa.NullPool)
    with database.connect() as connection:
        while not connection.scalar(_COUNTED):
            connection.rollback()
            assert time.monotonic() < until
            time.sleep(0.05)


_COUNTED = sa.text("SELECT analyze_count FROM pg_stat_user_tables WHERE relname = 'issues'")


def _until_taken(rest: Rest, app_key: str, event: dict[str, object]) -> Iterator[int]:
    for _ in range(10):
        answer = rest.ingest(app_key, [event])
        yield answer.status_code
        if answer.status_code == 202:
            return
