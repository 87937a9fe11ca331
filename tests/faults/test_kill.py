"""Acknowledged means committed: neither kill -9 nor SIGTERM in the middle of a load loses or doubles an event."""

import asyncio
import random
import signal
import socket
from collections.abc import Callable

import pytest

from tests.client import Rest
from tests.collector import STOP_SECONDS, Collector
from tests.faults.load import Crowd, Load, check_books
from tests.sample import error_event

KILLS = 10


@pytest.mark.slow
async def test_kill_9_loses_no_acknowledged_event_and_counts_none_twice(
    engine: str, start_collector: Callable[..., Collector], connect: Callable[[str], Rest]
) -> None:
    collector = start_collector(engine)
    account, app_key = connect(collector.rest).new_app_key()
    crowd = Crowd(app_key)
    for _ in range(KILLS):
        async with Load(crowd, collector.rest):
            await crowd.acknowledge_more(random.randint(1, 200))
            collector.kill()
        collector.restart()
    check_books(connect(collector.rest), account, crowd, collector.database_url)


async def test_sigterm_under_load_ends_cleanly_and_loses_nothing(
    engine: str, start_collector: Callable[..., Collector], connect: Callable[[str], Rest]
) -> None:
    collector = start_collector(engine)
    account, app_key = connect(collector.rest).new_app_key()
    crowd = Crowd(app_key)
    async with Load(crowd, collector.rest):
        await crowd.acknowledge_more(100)
        collector.signal(signal.SIGTERM)
        assert await asyncio.to_thread(collector.wait, STOP_SECONDS) == 0
    assert set(crowd.statuses) <= {202, 503}
    collector.restart()
    check_books(connect(collector.rest), account, crowd, collector.database_url)


def test_a_client_that_stalls_in_its_body_neither_blocks_others_nor_the_end(
    start_collector: Callable[..., Collector],
    connect: Callable[[str], Rest],
) -> None:
    collector = start_collector("sqlite")
    rest = connect(collector.rest)
    account, app_key = rest.new_app_key()
    host, port = collector.rest.removeprefix("http://").split(":")
    stalled = [socket.create_connection((host, int(port))) for _ in range(50)]
    for connection in stalled:
        connection.sendall(
            b"POST /api/events/batch HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"
        )
    assert rest.ingest(app_key, [error_event()]).status_code == 202
    assert rest.totals(account)["events"] == 1
    rest.http.close()
    assert collector.stop() == 0
    for connection in stalled:
        connection.close()
