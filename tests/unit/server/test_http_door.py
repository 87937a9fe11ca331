"""The bounds of connections, with short times: slow heads, unread answers, too many at once, and pipelines left alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
import uvicorn

from rest_facade.exchange import SHORT_CUT, ShortCut
from server import http_door
from server.app import _Uvicorn
from server.http_door import Bounded, Connections

Open = Callable[[], Any]
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
LONG = 50_000_000


async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """`/long` is longer than any buffer; `/wait` waits for its body; `/short` takes the short cut; all else is short."""
    if scope["path"] == "/short":
        await answer_by_short_cut(scope["extensions"][SHORT_CUT], receive)
        return
    if scope["path"] == "/wait":
        while (await receive())["more_body"]:
            pass
    body = b"x" * (LONG if scope["path"] == "/long" else 2)
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


async def answer_by_short_cut(short_cut: ShortCut, receive: Any) -> None:
    """With the body, and how it came; a body that is one line feed goes into a header."""
    body = short_cut.body()
    way = b"whole" if body is not None else b"received"
    if body is None:
        body = b""
        more = True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
    headers = ((b"content-length", b"%d" % len(body)), (b"way", way if body != b"\n" else body))
    assert short_cut.answer(200, headers, body)
    assert not short_cut.answer(200, headers, body)


@pytest.fixture
async def door(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Connections, Open]]:
    monkeypatch.setattr(http_door, "HEAD_S", 0.2)
    monkeypatch.setattr(http_door, "UNREAD_S", 0.2)
    monkeypatch.setattr(http_door, "LOOK_EVERY_S", 0.05)
    connections = Connections(most=3, most_of_one=9, trusted=lambda _host: False)
    http: Any = partial(Bounded, connections=connections)
    server = _Uvicorn(uvicorn.Config(answer, http=http, port=0, log_config=None, lifespan="off"))
    running, watching = asyncio.create_task(server.serve()), asyncio.create_task(connections.watch())
    while not server.started:  # noqa: ASYNC110 -- uvicorn tells by this flag alone
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    opened: list[asyncio.StreamWriter] = []

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        opened.append(writer)
        return reader, writer

    yield connections, connect
    for writer in opened:
        writer.transport.abort()
    watching.cancel()
    server.should_exit = True
    await running


async def all_of(reader: asyncio.StreamReader) -> bytes:
    """Everything up to the end of the connection, however it ends."""
    try:
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return b""


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nhost", GET + b"GE"])
async def test_a_head_that_does_not_come_to_its_end_is_timed_out(begun: bytes, door: tuple[Connections, Open]) -> None:
    connections, connect = door
    reader, writer = await connect()
    if begun.startswith(GET):
        writer.write(GET)
        await reader.readuntil(b"xx")
    writer.write(begun.removeprefix(GET))
    assert b"HTTP/1.1 408 " in await all_of(reader)
    assert not connections.all


async def test_a_connection_kept_alive_and_a_slow_body_are_left_alone(door: tuple[Connections, Open]) -> None:
    _, connect = door
    for begin, rest in ((GET, GET), (b"POST /wait HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n", b"ab")):
        reader, writer = await connect()
        writer.write(begin)
        await asyncio.sleep(0.5)
        writer.write(rest)
        assert (await asyncio.wait_for(reader.readline(), 20)).startswith(b"HTTP/1.1 200")


async def test_an_answer_that_nobody_reads_is_given_up(door: tuple[Connections, Open]) -> None:
    connections, connect = door
    _, writer = await connect()
    writer.transport.pause_reading()
    writer.write(b"GET /long HTTP/1.1\r\nhost: x\r\n\r\n")
    async with asyncio.timeout(20):
        while connections.all:  # noqa: ASYNC110 -- the door tells nobody
            await asyncio.sleep(0.05)


async def test_the_longest_idle_goes_first_and_who_works_stays(door: tuple[Connections, Open]) -> None:
    _, connect = door
    busy_reader, busy = await connect()
    busy.write(b"POST /wait HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n")
    oldest, _ = await connect()
    second, _ = await connect()
    await asyncio.sleep(0.05)
    await connect()
    assert b"HTTP/1.1 503 " in await all_of(oldest)
    busy.write(b"ab")
    assert (await asyncio.wait_for(busy_reader.readline(), 20)).startswith(b"HTTP/1.1 200")
    assert not second.at_eof()


async def test_one_address_holds_only_its_share_unless_it_is_a_proxy(door: tuple[Connections, Open]) -> None:
    connections, connect = door
    connections._most_of_one = 1
    first, writer = await connect()
    writer.write(GET)
    await first.readuntil(b"xx")
    second, _ = await connect()
    assert (await all_of(second)).startswith(b"HTTP/1.1 429 Too Many Requests\r\nretry-after: ")
    connections._trusted = lambda host: host == "127.0.0.1"
    third, writer = await connect()
    writer.write(GET)
    assert (await asyncio.wait_for(third.readline(), 20)).startswith(b"HTTP/1.1 200")
    assert not first.at_eof()


async def test_a_head_that_is_too_long_is_refused_before_it_ends(door: tuple[Connections, Open]) -> None:
    _, connect = door
    reader, writer = await connect()
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"a" * http_door.MAX_HEAD_BYTES)
    assert (await all_of(reader)).startswith(b"HTTP/1.1 431 ")


async def test_pipelined_requests_are_all_answered(door: tuple[Connections, Open]) -> None:
    _, connect = door
    reader, writer = await connect()
    writer.write(GET * 200)
    async with asyncio.timeout(20):
        for _ in range(200):
            assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200 OK")


def post(body: bytes, *more: bytes) -> bytes:
    return b"\r\n".join((b"POST /short HTTP/1.1", b"host: x", b"content-length: %d" % len(body), *more, b"", body))


async def test_a_body_that_came_with_its_head_takes_the_short_cut(door: tuple[Connections, Open]) -> None:
    _, connect = door
    reader, writer = await connect()
    for body in (b"first", b"", b"x" * 200_000):
        writer.write(post(body))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\ncontent-length: %d\r\n" % len(body) in head
        assert (b"\r\nway: whole\r\n" in head) is (len(body) < 65_536)
        assert await reader.readexactly(len(body)) == body


async def test_pipelined_requests_take_it_one_after_the_other(door: tuple[Connections, Open]) -> None:
    _, connect = door
    reader, writer = await connect()
    writer.write(b"".join(post(b"%03d" % number) for number in range(100)))
    for number in range(100):
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(3) == b"%03d" % number


async def test_a_body_that_comes_later_is_received(door: tuple[Connections, Open]) -> None:
    _, connect = door
    reader, writer = await connect()
    writer.write(post(b"late").removesuffix(b"late"))
    await asyncio.sleep(0.1)
    writer.write(b"late")
    assert b"\r\nway: received\r\n" in await reader.readuntil(b"\r\n\r\n")
    assert await reader.readexactly(4) == b"late"


async def test_the_short_cut_closes_where_the_client_wants_it(door: tuple[Connections, Open]) -> None:
    _, connect = door
    reader, writer = await connect()
    writer.write(post(b"last", b"connection: close"))
    answer = await all_of(reader)
    assert b"\r\nconnection: close\r\n" in answer
    assert answer.endswith(b"\r\n\r\nlast")


async def test_a_header_that_would_break_its_line_is_not_sent(door: tuple[Connections, Open]) -> None:
    _, connect = door
    reader, writer = await connect()
    writer.write(post(b"\n"))
    assert (await asyncio.wait_for(reader.readline(), 20)).startswith(b"HTTP/1.1 500 ")


async def test_a_connection_that_stays_idle_is_closed(door: tuple[Connections, Open]) -> None:
    connections, connect = door
    reader, writer = await connect()
    writer.write(GET)
    await reader.readuntil(b"xx")
    for connection in connections.all:
        connection.timeout_keep_alive = 0.1  # type: ignore[assignment]  # uvicorn means whole seconds
    assert await all_of(reader) == b""
    assert not connections.all
