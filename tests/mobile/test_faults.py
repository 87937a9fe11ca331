"""Torn uploads, slow clients and sudden death: each ends in a clear answer, and nothing is half-stored."""

import asyncio
import gzip
import os
import random
import socket
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing

import httpx
import pytest
from sqlmodel import select

from server.store.engine import Engine
from server.store.session_tables import BlobRow
from tests.client import Rest
from tests.collector import Collector
from tests.mobile.conftest import Owner, owner_on
from tests.mobile.tracker import JPEG, LOG, Tracker, frames_of
from tests.sample import now_ms

ROUNDS = int(os.environ.get("HEALTHGUARD_TEST_FAULT_ROUNDS", "2"))


def raw_request(tracker: Tracker, call: str, media_type: str, length: int, body: bytes) -> bytes:
    head = (
        f"POST {tracker.prefix}/{call} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {tracker.token}\r\n"
        f"content-type: {media_type}\r\ncontent-length: {length}\r\n\r\n"
    )
    return head.encode() + body


def connection(rest: Rest) -> socket.socket:
    url = httpx.URL(str(rest.http.base_url))
    return socket.create_connection((url.host, url.port or 80))


def form(content: bytes) -> bytes:
    head = b'--x\r\ncontent-disposition: form-data; name="batch"; filename="a.gz"\r\n\r\n'
    return head + content + b"\r\n--x--\r\n"


def test_a_torn_upload_stores_nothing_and_the_server_goes_on(owner: Owner) -> None:
    tracker = owner.tracker()
    tracker.start()
    body = form(frames_of([(now_ms(), JPEG)]))
    for cut in (0, 10, len(body) // 2, len(body) - 1):
        with connection(owner.rest) as torn:
            torn.sendall(raw_request(tracker, "images", "multipart/form-data; boundary=x", len(body), body[:cut]))
    with connection(owner.rest) as torn:
        torn.sendall(raw_request(tracker, "append", "application/octet-stream", 1000, b"k\x00"))
    time.sleep(0.3)
    counters = owner.session(tracker.session_id)["session"]["counters"]
    assert (counters["images"], counters["batches"]) == (0, 0)
    assert tracker.upload([("a.gz", frames_of([(now_ms(), JPEG)]))]).status_code == 200


def test_slow_clients_hold_nobody_up(owner: Owner) -> None:
    tracker = owner.tracker()
    tracker.start()
    body = form(frames_of([(now_ms(), JPEG)]))
    slow = [connection(owner.rest) for _ in range(30)]
    for one in slow:
        one.sendall(raw_request(tracker, "images", "multipart/form-data; boundary=x", len(body), body[:20]))
    assert tracker.upload([("a.gz", frames_of([(now_ms(), JPEG)]))]).status_code == 200
    slow[0].sendall(body[20:])
    assert slow[0].recv(100).startswith(b"HTTP/1.1 200")
    for one in slow:
        one.close()


async def _killed_in_rounds(
    collector: Collector, tracker: Tracker, send: Callable[[str, Tracker, str, set[str]], Awaitable[None]]
) -> set[str]:
    """Kills the collector again and again while four clients send; what it acknowledged. It runs in the end."""
    acknowledged: set[str] = set()
    for round_ in range(ROUNDS):
        sending = [
            asyncio.ensure_future(send(collector.rest, tracker, f"{round_}-{n}", acknowledged)) for n in range(4)
        ]
        goal = len(acknowledged) + random.randint(2, 8)
        # The machine may be busy: progress tells when, not the clock.
        while len(acknowledged) < goal:
            assert not all(client.done() for client in sending)
            await asyncio.sleep(0.01)
        collector.kill()
        await asyncio.gather(*sending)
        collector.restart()
    return acknowledged


@pytest.mark.slow
async def test_kill_9_leaves_no_picture_that_nobody_knows_and_none_that_is_not_there(
    engine: str, start_collector: Callable[..., Collector], connect: Callable[[str], Rest]
) -> None:
    collector = start_collector(engine)
    owner = owner_on(connect(collector.rest))
    tracker = owner.tracker()
    tracker.start()
    acknowledged = await _killed_in_rounds(collector, tracker, _upload)
    again = Owner(connect(collector.rest), owner.account, owner.app)
    path = f"/api/sessions/{tracker.session_id}/images"
    shown = [
        again.rest.http.get(f"{path}/{image['name']}", headers=owner.account.headers)
        for image in again.get(path, pageSize=1000)["images"]
    ]
    assert {answer.status_code for answer in shown} == {200}
    assert acknowledged <= {answer.content.removeprefix(JPEG).decode() for answer in shown}
    collector.stop()
    files = [file.name for file in (collector.data_dir / "blobs").rglob("*") if file.is_file()]
    objects = {name.partition("#")[0] for name in files}  # also what died half-written goes by the name of its object
    with closing(Engine(collector.database_url)) as store:
        known = await store.read(lambda session: set(session.exec(select(BlobRow.hash))))
    assert objects <= known


async def _upload(base: str, tracker: Tracker, name: str, acknowledged: set[str]) -> None:
    """Picture after picture until the server is gone."""
    async with httpx.AsyncClient(base_url=base, trust_env=False) as http:
        for number in range(10_000):
            picture = JPEG + f"{name}-{number}".encode()  # told apart by what stands behind the picture
            try:
                answer = await http.post(
                    "/v1/ios/images",
                    files=[("batch", ("a", frames_of([(now_ms(), picture)])))],
                    headers={"authorization": f"Bearer {tracker.token}"},
                )
            except httpx.TransportError:
                return
            if answer.status_code == 200:
                acknowledged.add(f"{name}-{number}")


@pytest.mark.slow
async def test_kill_9_loses_no_acknowledged_batch_and_no_crash(
    engine: str, start_collector: Callable[..., Collector], connect: Callable[[str], Rest]
) -> None:
    collector = start_collector(engine)
    owner = owner_on(connect(collector.rest))
    tracker = owner.tracker()
    tracker.start()
    acknowledged = await _killed_in_rounds(collector, tracker, _send)
    again = Owner(connect(collector.rest), owner.account, owner.app)
    names = {message["fields"]["reason"] for message in again.messages(tracker.session_id) if message["type"] == 97}
    assert acknowledged <= names
    assert len(acknowledged) >= 2 * ROUNDS
    events = sum(issue["eventCount"] for issue in again.issues())
    assert len(acknowledged) <= events <= len(names)
    ledger = again.rest.ledger(again.account)
    assert ledger["received"] == ledger["stored"] + ledger["duplicate"] + ledger["rejected"] + ledger["limited"]


async def _send(base: str, tracker: Tracker, name: str, acknowledged: set[str]) -> None:
    """Crash after crash until the server is gone."""
    async with httpx.AsyncClient(base_url=base, trust_env=False) as http:
        for number in range(10_000):
            crash = tracker.crash(now_ms(), reason=f"{name}-{number}")
            try:
                answer = await http.post(
                    "/v1/ios/append", content=crash, headers={"authorization": f"Bearer {tracker.token}"}
                )
            except httpx.TransportError:
                return
            if answer.status_code == 200:
                acknowledged.add(f"{name}-{number}")


def test_events_of_a_process_that_died_before_them_are_handed_on(
    start_collector: Callable[..., Collector], connect: Callable[[str], Rest]
) -> None:
    collector = start_collector("sqlite")
    owner = owner_on(connect(collector.rest))
    tracker = owner.tracker()
    tracker.start()
    tracker.post("append", tracker.crash(now_ms()))
    collector.stop()
    # As if it had died between the two commits, a while ago: all that is left is users, apps and the session.
    with closing(sqlite3.connect(collector.database_url.removeprefix("sqlite:///"))) as database, database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        kept = {"users", "tokens", "apps", "app_members", "members", "alembic_version"}
        for table in tables - kept - {name for name in tables if name.startswith(("session", "sqlite_"))}:
            database.execute(f"DELETE FROM {table}")
        database.execute("UPDATE session_batches SET events_due = true, received_ms = 0")
    collector.restart()
    again = Owner(connect(collector.rest), owner.account, owner.app)
    deadline = time.monotonic() + 20
    while not again.issues() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [issue["eventCount"] for issue in again.issues()] == [1]


@pytest.mark.real_start
def test_a_flood_of_messages_costs_bounded_memory(
    start_collector: Callable[..., Collector], connect: Callable[[str], Rest]
) -> None:
    collector = start_collector("sqlite")
    owner = owner_on(connect(collector.rest))
    tracker = owner.tracker()
    tracker.start()
    tracker.note(LOG, now_ms(), severity="info", content="warm")
    tracker.flush()
    before = collector.memory_bytes("VmHWM")
    smallest = bytes([96, 0, 4, 0, 0, 0, 0])
    for filler in (smallest * 1_100_000, b"\x63\0\0" * 2_000_000, b"\xff" * 8_000_000):
        body = gzip.compress(filler[:8_000_000])
        assert tracker.post("append", body, compress=False).status_code == 200
    assert collector.memory_bytes("VmHWM") - before < 150_000_000
