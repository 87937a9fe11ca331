"""Floods: whatever comes in whatever amount gets a clear answer, memory stays under a bound, and healthy clients are served."""

import asyncio
import contextlib
import gzip
import itertools
import json
import resource
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import brotli
import grpc
import httpx
import pytest
import zstandard
from healthguard.v1 import auth_service_pb2 as auth_service_pb, auth_service_pb2_grpc

from tests import figures
from tests.client import Account, Rest
from tests.collector import Collector
from tests.conftest import StartCollector
from tests.mobile.conftest import owner_on
from tests.sample import error_event

pytestmark = pytest.mark.real_start

MIB = 1_048_576
MOST_GROWTH_BYTES = 150 * MIB
"""What any one flood may add to the memory of a server that was busy before: twice what may be in flight, and change."""

IDLE_CONNECTIONS = 10_000
OPTIONS = [("grpc.enable_http_proxy", 0)]


@dataclass
class Shore:
    """A server, and a healthy client of it."""

    collector: Collector
    rest: Rest
    account: Account
    app_key: str

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.collector.rest.removeprefix("http://").partition(":")
        return host, int(port)

    def post(self, body: bytes, path: str = "/api/events/batch", **headers: str) -> httpx.Response:
        named = {"content-type": "application/json"} | {name.replace("_", "-"): told for name, told in headers.items()}
        return self.rest.http.post(path, content=body, headers=named)

    @contextlib.contextmanager
    def under_flood(self, name: str) -> Iterator[None]:
        """The block is a flood: afterwards a healthy client is served, and memory grew no more than it may."""
        before = self.collector.forget_peak()
        yield
        assert self.rest.ingest(self.app_key, [error_event()]).json() == {"accepted": 1}
        assert self.rest.totals(self.account)["events"] > 0
        grown = self.collector.memory_bytes("VmHWM") - before
        assert grown < MOST_GROWTH_BYTES
        figures.tell(f"floods: {name}", grown_MiB=round(grown / MIB, 1), bound_MiB=MOST_GROWTH_BYTES // MIB)


@pytest.fixture(scope="module")
def shore(start_on: StartCollector) -> Iterator[Shore]:
    with start_on("sqlite") as collector, Rest(collector.rest) as rest:
        account, app_key = rest.new_app_key()
        for _ in range(20):
            assert rest.ingest(app_key, [error_event(message="x" * 5_000) for _ in range(50)]).status_code == 202
        yield Shore(collector, rest, account, app_key)


def wrapped(shore: Shore, event: str) -> bytes:
    """A batch whose one event is this text."""
    return b'{"appKey":"%b","events":[%b]}' % (shore.app_key.encode(), event.encode("utf-8", "surrogatepass"))


NESTED = 400_000
SHAPES: dict[str, Callable[[], str]] = {
    "deep arrays": lambda: "[" * NESTED + "]" * NESTED,
    "deep objects": lambda: '{"a":' * (NESTED // 3) + "1" + "}" * (NESTED // 3),
    "a deep field": lambda: '{"eventId":"e","type":"error","timestamp":1,"x":' + "[" * 9_000 + "]" * 9_000 + "}",
    "a number of a million digits": lambda: '{"eventId":"e","type":"error","timestamp":' + "9" * 1_000_000 + "}",
    "a number beyond doubles": lambda: '{"eventId":"e","type":"error","timestamp":1e999}',
    "an exponent of a million digits": lambda: '{"eventId":"e","type":"error","timestamp":1e' + "9" * 1_000_000 + "}",
    "duplicate keys": lambda: '{"eventId":"e","type":"error",' + '"timestamp":1,' * 60_000 + '"timestamp":2}',
    "NULs": lambda: '{"eventId":"\\u0000","type":"error","timestamp":1,"message":"a\\u0000b"}',
    "a lone surrogate": lambda: '{"eventId":"e","type":"error","timestamp":1,"message":"\\ud800"}',
    "raw surrogates": lambda: '{"eventId":"e","type":"error","timestamp":1,"message":"\ud800"}',
    "a hundred thousand keys": lambda: json.dumps({f"{n:x}": 1 for n in range(75_000)}, separators=(",", ":")),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_json_of_any_shape_gets_a_verdict_or_a_refusal(shape: str, shore: Shore) -> None:
    body = wrapped(shore, SHAPES[shape]())
    with shore.under_flood(shape):
        for _ in range(3):
            answer = shore.post(body)
            assert answer.status_code in {202, 400}
            assert answer.json().get("rejected") or answer.json().get("accepted") == 1 or answer.json()["message"]


def test_invalid_utf8_is_refused_with_its_place(shore: Shore) -> None:
    answer = shore.post(b'{"appKey":"x","events":[{"eventId":"\xff\xfe"}]}')
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_JSON")


def test_a_million_keys_that_fit_when_compressed(shore: Shore) -> None:
    keys = ",".join(f'"{n:x}":1' for n in range(800_000))
    body = gzip.compress(wrapped(shore, f'{{"eventId":"e","type":"error","timestamp":1,{keys}}}'), 1)
    with shore.under_flood("800,000 keys"):
        assert shore.post(body, content_encoding="gzip").status_code in {202, 413}


BOMBS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 9),
    "deflate": lambda data: zlib.compress(data, 9),
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("encoding", BOMBS)
def test_a_bomb_of_any_encoding_is_refused(encoding: str, shore: Shore) -> None:
    body = BOMBS[encoding](bytes(100 * MIB))
    with shore.under_flood(f"bomb in {encoding}"):
        for _ in range(5):
            assert shore.post(body, content_encoding=encoding).status_code == 413


def test_a_form_of_a_hundred_thousand_parts(shore: Shore) -> None:
    tracker = owner_on(shore.rest).tracker()
    tracker.start()
    part = b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n'
    body = part * 100_000 + b"--x--\r\n"
    headers = {"authorization": f"Bearer {tracker.token}", "content-type": "multipart/form-data; boundary=x"}
    with shore.under_flood("100,000 parts"):
        answer = shore.rest.http.post("/v1/ios/images", content=body, headers=headers)
        assert answer.status_code in {400, 413}
        assert answer.json()["message"]


HEADS = {
    "a line without an end": b"GET /" + b"a" * MIB,
    "a header without an end": b"GET /health HTTP/1.1\r\nhost: x\r\na: " + b"a" * MIB,
    "a header too many": b"GET /health HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 200_000,
    "trailers without an end": b"POST /api/events/batch HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n" + b"a: b\r\n" * 200_000,
}


def answered(address: tuple[str, int], request: bytes) -> bytes:
    """What comes back for as much of the request as the server takes."""
    with socket.create_connection(address, timeout=30) as connection:
        with contextlib.suppress(ConnectionError):
            for at in range(0, len(request), 16_384):
                connection.sendall(request[at : at + 16_384])
        with contextlib.suppress(ConnectionError):
            return connection.recv(65_536)
    return b""


@pytest.mark.parametrize("head", HEADS)
def test_a_head_without_an_end_is_cut_off(head: str, shore: Shore) -> None:
    with shore.under_flood(head):
        for _ in range(10):
            # Who is still sending may see the reset before the answer.
            assert answered(shore.address, HEADS[head])[9:12] in {b"431", b"400", b""}
    reasons = shore.rest.http.get("/metrics").text
    assert 'healthguard_connections_refused_total{reason="head_too_long"}' in reasons


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_ten_thousand_idle_connections_hold_no_place(shore: Shore, many_files: None) -> None:
    with contextlib.ExitStack() as held, shore.under_flood(f"{IDLE_CONNECTIONS} idle connections"):
        for number in range(IDLE_CONNECTIONS):
            connection = held.enter_context(socket.create_connection(shore.address))
            if number % 2:
                connection.sendall(b"POST /api/events/batch HTTP/1.1\r\nhost: x\r\n")
            if number % 1_000 == 0:
                with Rest(shore.collector.rest) as newcomer:
                    assert newcomer.http.get("/health").status_code == 200
        told = shore.rest.http.get("/metrics").text
        assert 'healthguard_connections_refused_total{reason="too_many"}' in told


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, RESET, SETTINGS, PING = 1, 3, 4, 6


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def header_block(path: bytes) -> bytes:
    """Literals without indexing, as RFC 7541 section 6.2.2 has them."""
    fields = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", path), (b":authority", b"x")]
    fields += [(b"te", b"trailers"), (b"content-type", b"application/grpc")]
    return b"".join(b"\x00" + bytes([len(n)]) + n + bytes([len(told)]) + told for n, told in fields)


def resets(count: int) -> Iterator[bytes]:
    """Calls that are begun and taken back at once."""
    block = header_block(b"/healthguard.v1.AuthService/GetMe")
    for number in range(count):
        stream = 2 * number + 1
        yield frame(HEADERS, 4, stream, block) + frame(RESET, 0, stream, struct.pack(">I", 8))


FRAMES: dict[str, Callable[[], Iterator[bytes]]] = {
    "pings": lambda: (frame(PING, 0, 0, bytes(8)) for _ in range(200_000)),
    "resets": lambda: resets(50_000),
    "settings": lambda: (frame(SETTINGS, 0, 0, b"\0\3\0\0\0\x64") for _ in range(100_000)),
    "nonsense": lambda: (bytes([255]) * 9_000 for _ in range(100)),
}


def send_until_cut_off(connection: socket.socket, frames: Iterator[bytes]) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0, b""))
        for many in iter(lambda: b"".join(itertools.islice(frames, 1_000)), b""):
            connection.sendall(many)


@pytest.mark.parametrize("kind", FRAMES)
def test_a_flood_of_http2_frames(kind: str, shore: Shore) -> None:
    host, _, port = shore.collector.grpc.partition(":")
    with shore.under_flood(f"HTTP/2 {kind}"):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            send_until_cut_off(connection, FRAMES[kind]())
        with grpc.insecure_channel(shore.collector.grpc, OPTIONS) as channel:
            assert me(channel, shore.account.token) == shore.account.email


def me(channel: grpc.Channel, token: str, *more: tuple[str, str]) -> str:
    stub = auth_service_pb2_grpc.AuthServiceStub(channel)
    metadata = (("authorization", f"Bearer {token}"), *more)
    return stub.GetMe(auth_service_pb.GetMeRequest(), metadata=metadata, timeout=20).user.email


def test_metadata_beyond_all_bounds_is_refused_by_name(shore: Shore) -> None:
    with shore.under_flood("metadata of a mebibyte"), grpc.insecure_channel(shore.collector.grpc, OPTIONS) as channel:
        for size in (20_000, MIB):
            with pytest.raises(grpc.RpcError) as refused:
                me(channel, shore.account.token, ("x-more", "a" * size))
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert me(channel, shore.account.token) == shore.account.email


async def test_a_thousand_calls_at_once_on_one_connection(shore: Shore) -> None:
    with shore.under_flood("1,000 concurrent streams"):
        async with grpc.aio.insecure_channel(shore.collector.grpc, OPTIONS) as channel:
            stub = auth_service_pb2_grpc.AuthServiceStub(channel)
            metadata = (("authorization", f"Bearer {shore.account.token}"),)

            async def call() -> Any:
                return await stub.GetMe(auth_service_pb.GetMeRequest(), metadata=metadata, timeout=60)

            answers = await asyncio.gather(*(call() for _ in range(1_000)))
            assert {answer.user.email for answer in answers} == {shore.account.email}
