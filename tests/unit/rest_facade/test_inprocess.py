"""The channel without a network does what a real one does: one small servicer behind both, the same assertions."""

# ruff: noqa: N802 - RPCs are named in the contract
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import grpc
import grpc.aio
import pytest
from healthguard.v1 import auth_service_pb2 as pb, auth_service_pb2_grpc as pb_grpc

from rest_facade.inprocess import InProcessChannel, InProcessServer

_SEEN: ContextVar[str] = ContextVar("seen", default="")
_STREAMS = "test.Streams"


class Servicer(pb_grpc.AuthServiceServicer):
    """Does with a call what the e-mail of the request says; Logout and the rest stay unimplemented."""

    async def Register(self, request, context):
        _SEEN.set("servicer")
        await getattr(self, "_" + request.email)(request, context)
        return pb.RegisterResponse(token=request.password)

    async def Login(self, request, context):
        await context.send_initial_metadata((("early", "1"),))
        context.set_trailing_metadata((("late", "2"), ("late-bin", b"\0\xff")))
        remaining = context.time_remaining()
        return pb.LoginResponse(
            token=f"{dict(context.invocation_metadata()).get('who')} {remaining is not None and 0 < remaining <= 5}"
        )

    async def _nothing(self, request, context): ...

    async def _abort(self, request, context):
        await context.abort(grpc.StatusCode.NOT_FOUND, "nobody", (("why", "because"),))

    async def _abort_after_metadata(self, request, context):
        context.set_trailing_metadata((("why", "before"),))
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now")

    async def _swallowed_abort(self, request, context):
        try:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")
        except grpc.aio.AbortError:
            return

    async def _set_code(self, request, context):
        context.set_code(grpc.StatusCode.OUT_OF_RANGE)
        context.set_details("too far")

    async def _raise(self, request, context):
        raise ValueError("a secret")

    async def _raise_with_code(self, request, context):
        context.set_code(grpc.StatusCode.DATA_LOSS)
        raise ValueError("a secret")

    async def _own_timeout(self, request, context):
        raise TimeoutError("a secret")

    async def _sleep(self, request, context):
        await asyncio.sleep(30)

    async def _details_of_rpc(self, request, context):
        raise grpc.aio.AioRpcError(
            grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), details="10.0.0.1:5432 is down"
        )


class Tag(grpc.aio.ServerInterceptor):
    """Puts its letter before the password on the way in, so that the order of the chain shows."""

    def __init__(self, letter: str) -> None:
        self.letter, self.asked = letter, 0

    async def intercept_service(self, continuation, handler_call_details):
        self.asked += 1
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler

        async def behaviour(request, context):
            if isinstance(request, pb.RegisterRequest):
                request.password += self.letter
            return await handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(behaviour, handler.request_deserializer, handler.response_serializer)


async def _total(requests: AsyncIterator[bytes], context: Any) -> bytes:
    total = b""
    async for request in requests:
        total += request
    return total


async def _letters(request: bytes, context: Any) -> AsyncIterator[bytes]:
    for letter in request.decode():
        if letter == "!":
            await context.abort(grpc.StatusCode.ABORTED, "shout")
        if letter == "?":
            await asyncio.sleep(30)
        yield letter.encode()


async def _echo(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
    async for request in requests:
        yield request


_STREAM_HANDLERS = grpc.method_handlers_generic_handler(
    _STREAMS,
    {
        "Total": grpc.stream_unary_rpc_method_handler(_total),
        "Letters": grpc.unary_stream_rpc_method_handler(_letters),
        "Echo": grpc.stream_stream_rpc_method_handler(_echo),
    },
)


@pytest.fixture(params=["socket", "inprocess"])
async def channel(request) -> AsyncIterator[grpc.aio.Channel]:
    interceptors = [Tag("a"), Tag("b")]
    server: Any = (
        grpc.aio.server(interceptors=interceptors) if request.param == "socket" else InProcessServer(interceptors)
    )
    pb_grpc.add_AuthServiceServicer_to_server(Servicer(), server)
    server.add_generic_rpc_handlers((_STREAM_HANDLERS,))
    if request.param == "inprocess":
        yield InProcessChannel(server)
        return
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as opened:
        yield opened
    await server.stop(None)


async def register(channel: grpc.aio.Channel, what: str, **options: Any) -> pb.RegisterResponse:
    return await pb_grpc.AuthServiceStub(channel).Register(pb.RegisterRequest(email=what, password="p"), **options)


async def failed(call: Awaitable[Any]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


async def test_answer_passes_all_interceptors_in_order(channel) -> None:
    assert (await register(channel, "nothing")).token == "pab"


@pytest.mark.parametrize(
    ("what", "code", "details"),
    [
        ("abort", grpc.StatusCode.NOT_FOUND, "nobody"),
        ("abort_after_metadata", grpc.StatusCode.FAILED_PRECONDITION, "not now"),
        ("swallowed_abort", grpc.StatusCode.PERMISSION_DENIED, "no"),
        ("set_code", grpc.StatusCode.OUT_OF_RANGE, "too far"),
    ],
)
async def test_status_of_the_servicer_arrives(channel, what: str, code: grpc.StatusCode, details: str) -> None:
    error = await failed(register(channel, what))
    assert (error.code(), error.details()) == (code, details)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("raise", grpc.StatusCode.UNKNOWN),
        ("raise_with_code", grpc.StatusCode.DATA_LOSS),
        ("own_timeout", grpc.StatusCode.UNKNOWN),
        ("details_of_rpc", grpc.StatusCode.UNKNOWN),
    ],
)
async def test_exception_becomes_a_status(channel, what: str, code: grpc.StatusCode) -> None:
    error = await failed(register(channel, what, timeout=5))
    assert error.code() is code
    if isinstance(channel, InProcessChannel):
        # grpc.aio tells callers the text; the project's error interceptor keeps it from doing so.
        assert error.details() == "Unexpected error"


@pytest.mark.parametrize(("what", "why"), [("abort", "because"), ("abort_after_metadata", "before")])
async def test_trailing_metadata_of_an_error_arrives(channel, what: str, why: str) -> None:
    error = await failed(register(channel, what))
    assert dict(error.trailing_metadata())["why"] == why


async def test_metadata_travels_both_ways(channel) -> None:
    call = pb_grpc.AuthServiceStub(channel).Login(pb.LoginRequest(), metadata=(("who", "me"),), timeout=5)
    assert (await call).token == "me True"
    assert dict(await call.initial_metadata())["early"] == "1"
    trailing = dict(await call.trailing_metadata())
    assert (trailing["late"], trailing["late-bin"]) == ("2", b"\0\xff")
    assert await call.code() is grpc.StatusCode.OK
    assert call.done()
    assert not call.cancelled()


async def test_call_without_deadline_has_none(channel) -> None:
    assert (await pb_grpc.AuthServiceStub(channel).Login(pb.LoginRequest())).token == "None False"


@pytest.mark.parametrize("limit_s", [0.05, 0, -1])
async def test_deadline_is_kept(channel, limit_s: float) -> None:
    error = await failed(register(channel, "sleep", timeout=limit_s))
    assert (error.code(), error.details()) == (grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")


async def test_cancelling_the_caller_cancels_the_call(channel) -> None:
    task = asyncio.create_task(register(channel, "sleep"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_method_that_is_not_overridden_is_unimplemented(channel) -> None:
    error = await failed(pb_grpc.AuthServiceStub(channel).GetMe(pb.GetMeRequest()))
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_unknown_method_is_unimplemented(channel) -> None:
    error = await failed(channel.unary_unary("/no.Service/Method")(b""))
    assert (error.code(), error.details()) == (grpc.StatusCode.UNIMPLEMENTED, "Method not found!")


async def test_request_stream_arrives_whole(channel) -> None:
    call = channel.stream_unary(f"/{_STREAMS}/Total")
    assert await call(iter([b"a", b"b", b"c"])) == b"abc"


async def test_request_stream_may_be_asynchronous(channel) -> None:
    async def requests() -> AsyncIterator[bytes]:
        yield b"x"
        yield b"y"

    assert await channel.stream_unary(f"/{_STREAMS}/Total")(requests()) == b"xy"


async def test_response_stream_can_be_iterated(channel) -> None:
    call = channel.unary_stream(f"/{_STREAMS}/Letters")(b"abc")
    assert [letter async for letter in call] == [b"a", b"b", b"c"]
    assert await call.code() is grpc.StatusCode.OK


async def test_response_stream_can_be_read(channel) -> None:
    call = channel.unary_stream(f"/{_STREAMS}/Letters")(b"ab")
    assert [await call.read(), await call.read(), await call.read()] == [b"a", b"b", grpc.aio.EOF]


async def test_response_stream_may_end_in_an_error(channel) -> None:
    seen = []

    async def iterate() -> None:
        async for letter in channel.unary_stream(f"/{_STREAMS}/Letters")(b"ab!c"):
            seen.append(letter)  # noqa: PERF401 - a comprehension would lose what came before the error

    error = await failed(iterate())
    assert (error.code(), error.details(), seen) == (grpc.StatusCode.ABORTED, "shout", [b"a", b"b"])


async def test_response_stream_keeps_the_deadline(channel) -> None:
    async def iterate() -> None:
        async for _ in channel.unary_stream(f"/{_STREAMS}/Letters")(b"a?", timeout=0.1):
            pass

    assert (await failed(iterate())).code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_both_ways_can_stream(channel) -> None:
    call = channel.stream_stream(f"/{_STREAMS}/Echo")(iter([b"1", b"2"]))
    assert [echo async for echo in call] == [b"1", b"2"]


@pytest.fixture
def inprocess() -> Callable[..., pb_grpc.AuthServiceStub]:
    def stub(*interceptors: grpc.aio.ServerInterceptor) -> pb_grpc.AuthServiceStub:
        server = InProcessServer(interceptors)
        pb_grpc.add_AuthServiceServicer_to_server(Servicer(), server)
        return pb_grpc.AuthServiceStub(InProcessChannel(server))

    return stub


async def test_context_variables_come_out_of_an_inprocess_call(inprocess) -> None:
    await inprocess().Register(pb.RegisterRequest(email="nothing"))
    assert _SEEN.get() == "servicer"


async def test_inprocess_chain_is_built_once_a_method(inprocess) -> None:
    tag = Tag("x")
    stub = inprocess(tag)
    for _ in range(3):
        await stub.Register(pb.RegisterRequest(email="nothing"))
    await stub.Login(pb.LoginRequest())
    assert tag.asked == 2


async def test_inprocess_peer_names_the_client(inprocess) -> None:
    peers = []

    class Peer(grpc.aio.ServerInterceptor):
        async def intercept_service(self, continuation, handler_call_details):
            handler = await continuation(handler_call_details)

            async def behaviour(request, context):
                peers.append(context.peer())
                return await handler.unary_unary(request, context)

            return grpc.unary_unary_rpc_method_handler(behaviour)

    stub = inprocess(Peer())
    await stub.Login(pb.LoginRequest(), metadata=(("x-forwarded-for", "192.0.2.7"),))
    await stub.Login(pb.LoginRequest())
    assert peers == ["inprocess:192.0.2.7", "inprocess:"]


async def test_inprocess_call_tells_when_it_is_done(inprocess) -> None:
    done = []
    call = inprocess().Register(pb.RegisterRequest(email="abort"))
    call.add_done_callback(lambda finished: done.append(finished.done()))
    await failed(call)
    assert done == [True]


async def test_inprocess_call_cannot_be_awaited_twice(inprocess) -> None:
    call = inprocess().Login(pb.LoginRequest())
    await call
    with pytest.raises(grpc.aio.UsageError):
        await call


async def test_left_inprocess_stream_is_cancelled() -> None:
    server = InProcessServer()
    server.add_generic_rpc_handlers((_STREAM_HANDLERS,))
    call = InProcessChannel(server).unary_stream(f"/{_STREAMS}/Letters")(b"abc")
    stream = aiter(call)
    assert await anext(stream) == b"a"
    await stream.aclose()
    assert call.cancelled()
