"""Clients that stall hold nobody up, and do not keep the program from ending."""

import socket
from collections.abc import Callable

from tests.client import Rest
from tests.collector import Collector
from tests.sample import error_event


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
