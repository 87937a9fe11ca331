"""The interceptors together, around a real grpc.aio server with servicers that misbehave on purpose."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import grpc.aio
import pytest
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from healthguard.v1 import (
    app_service_pb2 as app_pb,
    app_service_pb2_grpc as app_grpc,
    auth_service_pb2 as auth_pb,
    auth_service_pb2_grpc as auth_grpc,
)

from server import context as caller, logs
from server.errors import AppNotFound, StoreUnavailable
from server.interceptors import (
    AccessLogInterceptor,
    AuthInterceptor,
    Chain,
    ErrorsInterceptor,
    MetricsInterceptor,
    RequestIdInterceptor,
)
from server.interceptors.metrics import REQUESTS
from server.mobile.token import TokenSigner
from server.store.engine import Engine
from tests.unit.server.conftest import NOW_MS
from tests.unit.server.status_of import failure_of

LOGIN = "/healthguard.v1.AuthService/Login"
STREAM = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
Lines = list[structlog.typing.EventDict]


SESSION_TOKENS = TokenSigner([b"k" * 32], late_age_ms=0)


class Servicer(auth_grpc.AuthServiceServicer):
    """Does in Login what the test says, and remembers who called."""

    def __init__(self) -> None:
        self.act: Callable[[], Any] = lambda: None
        self.seen: list[caller.Caller] = []

    async def Login(self, request: auth_pb.LoginRequest, context: object) -> auth_pb.LoginResponse:  # noqa: N802
        self.seen.append(caller.current())
        done = self.act()
        if asyncio.iscoroutine(done):
            await done
        return auth_pb.LoginResponse(token="t")


class _Streams(grpc.GenericRpcHandler):
    """A public method that answers with a stream and then fails."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        if details.method != STREAM:
            return None
        return grpc.unary_stream_rpc_method_handler(_three_then_fault)


async def _three_then_fault(_request: bytes, _context: object) -> AsyncIterator[bytes]:
    for number in range(3):
        yield bytes([number])
    raise AppNotFound


@pytest.fixture
def servicer() -> Servicer:
    return Servicer()


@pytest.fixture
async def channel(servicer: Servicer, store: Engine) -> AsyncIterator[grpc.aio.Channel]:
    async for channel in _serve(servicer, store, trusted=("127.0.0.1",)):
        yield channel


@pytest.fixture
async def distrusted(servicer: Servicer, store: Engine) -> AsyncIterator[grpc.aio.Channel]:
    async for channel in _serve(servicer, store, trusted=()):
        yield channel


async def _serve(servicer: Servicer, store: Engine, trusted: tuple[str, ...]) -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server(
        interceptors=[
            Chain(
                [
                    RequestIdInterceptor(trusted),
                    AccessLogInterceptor(),
                    MetricsInterceptor(),
                    ErrorsInterceptor(),
                ],
                AuthInterceptor(store, SESSION_TOKENS, lambda: NOW_MS),
            )
        ]
    )
    auth_grpc.add_AuthServiceServicer_to_server(servicer, server)
    app_grpc.add_AppServiceServicer_to_server(app_grpc.AppServiceServicer(), server)
    server.add_generic_rpc_handlers((_Streams(),))
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(None)


async def eventually(holds: Callable[[], bool]) -> None:
    """A client has its answer before the server has written about it."""
    for _ in range(1_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    assert holds()


async def login(channel: grpc.aio.Channel, **options: Any) -> grpc.aio.Call:
    call = auth_grpc.AuthServiceStub(channel).Login(auth_pb.LoginRequest(email="ann"), **options)
    await call
    return call


async def failed_login(channel: grpc.aio.Channel, **options: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await login(channel, **options)
    return raised.value


async def test_a_sane_request_id_is_kept_and_sent_back(channel: grpc.aio.Channel, servicer: Servicer) -> None:
    call = await login(channel, metadata=(("x-request-id", "abc-1.2_3"),))
    assert servicer.seen[0].request_id == "abc-1.2_3"
    assert dict(await call.trailing_metadata())["x-request-id"] == "abc-1.2_3"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a/b"])
async def test_an_unsound_request_id_is_replaced(channel: grpc.aio.Channel, servicer: Servicer, given: str) -> None:
    await login(channel, metadata=(("x-request-id", given),))
    assert servicer.seen[0].request_id not in {"", given}


async def test_a_failure_carries_the_request_id_too(channel: grpc.aio.Channel, servicer: Servicer) -> None:
    servicer.act = _raiser(AppNotFound())
    error = await failed_login(channel, metadata=(("x-request-id", "abc"),))
    assert dict(error.trailing_metadata())["x-request-id"] == "abc"


async def test_forwarded_addresses_count_only_from_trusted_peers(
    channel: grpc.aio.Channel, distrusted: grpc.aio.Channel, servicer: Servicer
) -> None:
    claim = (("x-forwarded-for", "203.0.113.9, 198.51.100.7"),)
    await login(channel, metadata=claim)
    await login(distrusted, metadata=claim)
    await login(channel, metadata=(("x-forwarded-for", "nonsense"),))
    assert [seen.address for seen in servicer.seen] == ["198.51.100.7", "127.0.0.1", "127.0.0.1"]


async def test_a_domain_error_answers_by_the_table(channel: grpc.aio.Channel, servicer: Servicer) -> None:
    servicer.act = _raiser(StoreUnavailable(retry_after_s=2.5))
    found = failure_of(await failed_login(channel))
    assert (found.code, found.reason, found.retry_after_s) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", 3)


async def test_the_unforeseen_never_leaks_its_text_and_is_logged_once(
    channel: grpc.aio.Channel, servicer: Servicer, lines: Lines
) -> None:
    servicer.act = _raiser(RuntimeError("the password is swordfish"))
    error = await failed_login(channel, metadata=(("x-request-id", "abc"),))
    found = failure_of(error)
    assert (found.code, found.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert found.text == "Internal error. Request id: abc"
    assert "swordfish" not in str(error.trailing_metadata())
    await eventually(lambda: [line["event"] for line in lines] == ["unhandled error", "request"])
    assert isinstance(lines[0]["exc_info"], RuntimeError)


async def test_an_abort_of_the_servicer_passes_unchanged(
    channel: grpc.aio.Channel, servicer: Servicer, lines: Lines
) -> None:
    servicer.act = _raiser(AppNotFound())
    await failed_login(channel)
    unserved = app_grpc.AppServiceStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await unserved.ListApps(app_pb.ListAppsRequest())
    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
    await eventually(lambda: [line["code"] for line in lines] == ["NOT_FOUND", "UNAUTHENTICATED"])


async def test_a_cancelled_call_is_logged_as_such(channel: grpc.aio.Channel, servicer: Servicer, lines: Lines) -> None:
    servicer.act = lambda: asyncio.sleep(30)
    error = await failed_login(channel, timeout=0.1)
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await eventually(lambda: [line["code"] for line in lines] == ["CANCELLED"])


async def test_one_line_per_call_with_size_and_what_was_bound(
    channel: grpc.aio.Channel, servicer: Servicer, lines: Lines
) -> None:
    servicer.act = lambda: logs.bind(appKey="web_1", sessionID=None)
    await login(channel, metadata=(("x-request-id", "abc"),))
    await eventually(lambda: len(lines) == 1)
    line = lines[0]
    assert line["requestID"] == "abc"
    assert line["appKey"] == "web_1"
    assert "sessionID" not in line
    assert (line["method"], line["url"], line["status"], line["code"]) == ("GRPC", LOGIN, 0, "OK")
    assert line["sizeBytes"] == len(auth_pb.LoginRequest(email="ann").SerializeToString())
    assert line["log_level"] == "info"


async def test_a_failure_is_told_with_its_cause(channel: grpc.aio.Channel, servicer: Servicer, lines: Lines) -> None:
    def act() -> None:
        raise StoreUnavailable from ConnectionRefusedError("port 5432")

    servicer.act = act
    await failed_login(channel)
    await eventually(lambda: len(lines) == 1)
    assert lines[0]["error"].startswith("StoreUnavailable: ")
    assert lines[0]["error"].endswith("ConnectionRefusedError: port 5432")
    assert lines[0]["log_level"] == "error"


async def test_the_facade_logs_its_own_calls_and_nobody_else_may_claim_so(
    channel: grpc.aio.Channel, distrusted: grpc.aio.Channel, lines: Lines
) -> None:
    claim = (("x-healthguard-door", "rest"),)
    await login(channel, metadata=claim)
    await login(distrusted, metadata=(*claim, ("x-request-id", "theirs")))
    await eventually(lambda: [line["requestID"] for line in lines] == ["theirs"])


@pytest.mark.parametrize("header", ["", "Bearer ", "bearer x", "Basic x", "Bearer  x", "x", "Bearer " + "x" * 300])
async def test_user_calls_need_a_known_bearer_token(channel: grpc.aio.Channel, header: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await app_grpc.AppServiceStub(channel).ListApps(app_pb.ListAppsRequest(), metadata=(("authorization", header),))
    found = failure_of(raised.value)
    assert (found.code, found.reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")


async def test_health_is_public_and_streams_by_context_writes(channel: grpc.aio.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    assert (await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
    watch = stub.Watch(health_pb2.HealthCheckRequest())
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()


async def test_a_method_of_the_contract_without_code_is_unimplemented(channel: grpc.aio.Channel, lines: Lines) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await auth_grpc.AuthServiceStub(channel).Register(auth_pb.RegisterRequest())
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED
    await eventually(lambda: [line["code"] for line in lines] == ["UNIMPLEMENTED"])


async def test_a_stream_that_fails_half_way_ends_with_the_right_status(channel: grpc.aio.Channel, lines: Lines) -> None:
    call = channel.unary_stream(STREAM)(b"")
    received = [await call.read() for _ in range(3)]
    assert received == [b"\0", b"\1", b"\2"]
    assert await call.code() is grpc.StatusCode.NOT_FOUND
    await eventually(lambda: [line["code"] for line in lines] == ["NOT_FOUND"])


async def test_methods_outside_the_contract_are_refused_and_unknown_ones_logged(
    channel: grpc.aio.Channel, lines: Lines
) -> None:
    before = _count("unknown", "UNIMPLEMENTED")
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await channel.unary_unary("/healthguard.v1.AuthService/Nonsense")(b"")
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED
    await eventually(lambda: [line["code"] for line in lines] == ["UNIMPLEMENTED"])
    await eventually(lambda: _count("unknown", "UNIMPLEMENTED") == before + 1)


async def test_calls_are_counted_by_method_and_code(channel: grpc.aio.Channel, servicer: Servicer) -> None:
    good, bad = _count(LOGIN, "OK"), _count(LOGIN, "NOT_FOUND")
    await login(channel)
    servicer.act = _raiser(AppNotFound())
    await failed_login(channel)
    await eventually(lambda: (_count(LOGIN, "OK"), _count(LOGIN, "NOT_FOUND")) == (good + 1, bad + 1))


def _count(method: str, code: str) -> float:
    return REQUESTS.labels(method, code)._value.get()


def _raiser(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act
