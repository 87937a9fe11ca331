"""An address that asks too often or for too much at once is told when to come back, at both doors alike, and counted."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_status import rpc_status
from healthguard.v1 import auth_service_pb2 as auth_service_pb, auth_service_pb2_grpc

from tests.client import Rest
from tests.collector import Collector
from tests.conftest import StartCollector

BUSY, OTHER = "192.0.2.1", "192.0.2.2"
AT_ONCE = 4


@pytest.fixture
def collector(start_collector: StartCollector) -> Collector:
    """One that takes a single request of an address, and the next one minutes later."""
    return start_collector("sqlite", env={"HEALTHGUARD_ADDRESS_REQUESTS_PER_S": "0.01"})


@pytest.fixture
def rest(collector: Collector, connect: Callable[[str], Rest]) -> Rest:
    return connect(collector.rest)


@pytest.fixture
def channel(collector: Collector) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(collector.grpc, [("grpc.enable_http_proxy", 0)]) as channel:
        yield channel


def login(channel: grpc.Channel, address: str) -> grpc.RpcError:
    """How a sign-in of nobody is answered."""
    stub = auth_service_pb2_grpc.AuthServiceStub(channel)
    request = auth_service_pb.LoginRequest(email="nobody@example.test", password="wrong-password")
    with pytest.raises(grpc.RpcError) as refused:
        stub.Login(request, metadata=(("x-forwarded-for", address),), timeout=20)
    return refused.value


def test_both_doors_count_together_and_refuse_alike(rest: Rest, channel: grpc.Channel) -> None:
    busy = {"x-forwarded-for": BUSY}
    assert rest.http.get("/health", headers=busy).status_code == 200
    refused = rest.http.get("/health", headers=busy)
    assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["x-request-id"]
    assert rest.http.get("/health", headers={"x-forwarded-for": OTHER}).status_code == 200

    told = login(channel, BUSY)
    assert told.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    details = rpc_status.from_call(told).details
    info, retry = ErrorInfo(), RetryInfo()
    assert details[0].Unpack(info)
    assert details[1].Unpack(retry)
    assert (info.reason, retry.retry_delay.seconds >= 1) == ("TOO_MANY_REQUESTS", True)
    assert login(channel, "192.0.2.3").code() is grpc.StatusCode.UNAUTHENTICATED

    metrics = rest.http.get("/metrics", headers={"x-forwarded-for": "192.0.2.4"}).text
    assert 'healthguard_refusals_total{reason="TOO_MANY_REQUESTS"} 2.0' in metrics


def test_a_page_of_another_origin_may_read_when_to_come_back(rest: Rest) -> None:
    from_page = {"x-forwarded-for": BUSY, "origin": "https://shop.example"}
    answers = [rest.http.post("/api/events/batch", json={}, headers=from_page) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 429]
    assert answers[1].headers["access-control-allow-origin"] == "https://shop.example"
    assert "Retry-After" in answers[1].headers["access-control-expose-headers"]


async def test_requests_at_once_are_bounded_and_free_their_places(
    start_collector: StartCollector, connect: Callable[[str], Rest]
) -> None:
    collector = start_collector("sqlite", env={"HEALTHGUARD_ADDRESS_AT_ONCE": str(AT_ONCE)})
    rest = connect(collector.rest)
    host, _, port = collector.rest.removeprefix("http://").partition(":")
    with contextlib.ExitStack() as held:
        for number in range(AT_ONCE):
            waiting = held.enter_context(socket.create_connection((host, int(port))))
            waiting.sendall(_half_a_request(f"2001:db8::{number}"))
        refused = await _eventually(rest, "2001:db8::ffff", 429)
        assert refused == "TOO_MANY_AT_ONCE"
        assert rest.http.get("/health", headers={"x-forwarded-for": "2001:db8:0:1::1"}).status_code == 200
    assert await _eventually(rest, "2001:db8::ffff", 200) is None


def _half_a_request(address: str) -> bytes:
    return (
        b"POST /api/events/batch HTTP/1.1\r\nhost: x\r\nx-forwarded-for: %b\r\n"
        b"content-type: application/json\r\ncontent-length: 10\r\n\r\n{"
    ) % address.encode()


async def _eventually(rest: Rest, address: str, status: int) -> str | None:
    """The code of the first answer with that status; what others hold they take and give back a moment later."""
    async with asyncio.timeout(20):
        while True:
            answer = rest.http.get("/health", headers={"x-forwarded-for": address})
            if answer.status_code == status:
                break
            await asyncio.sleep(0.05)
    code: str | None = answer.json().get("code")
    return code
