"""A gRPC channel without a network: generated stubs call servicers through the same interceptors in the same task.

Looping through a socket inside one event loop costs 4 to 5 times the throughput of the whole request, so the one-process
server uses this channel. What differs from `grpc.aio` on purpose:
- A call runs when it is awaited (or iterated), in the task that awaits it: context variables set by interceptors and
  servicers are visible to the caller afterwards.
- Messages are handed over as they are, neither copied nor serialised. A servicer may change its request.
- The chain of interceptors is asked once per method and its handler kept. So what an interceptor's `intercept_service`
  returns may depend on the method alone; everything about one call belongs into the handler it returns.
- Streaming requests come from an iterator and streaming handlers are asynchronous generators; `call.write` and
  `context.write` would need a second task and are not offered.
"""

# ruff: noqa: ANN401 - messages of every type pass through here, as they do through grpc.aio
from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from types import CoroutineType
from typing import Any, NamedTuple, Self, TypeAlias, cast

import grpc
import grpc.aio

from rest_facade.deadline import Deadline
from rest_facade.inprocess_context import InProcessContext, Metadatum

_LOG = logging.getLogger(__name__)

_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class _CallDetails(NamedTuple):
    """What interceptors and generic handlers are asked with."""

    method: str
    invocation_metadata: tuple[Metadatum, ...]


class InProcessServer:
    """Collects servicers like `grpc.aio.Server` does, so that `add_XServicer_to_server(servicer, server)` works."""

    def __init__(self, interceptors: Sequence[grpc.aio.ServerInterceptor] = ()) -> None:
        self._interceptors = tuple(interceptors)
        self._generic: list[grpc.GenericRpcHandler] = []
        self._registered: dict[str, _Handler] = {}
        self._chained: dict[str, _Handler] = {}

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Adds handlers that are asked by method name."""
        self._generic.extend(generic_rpc_handlers)

    def add_registered_method_handlers(self, service_name: str, method_handlers: Mapping[str, _Handler]) -> None:
        """Adds the handlers of one service under its full name."""
        for method, handler in method_handlers.items():
            self._registered[f"/{service_name}/{method}"] = handler

    def known_handler(self, method: str) -> _Handler | None:
        """What `handler` gave for a method before; None where it was not asked yet."""
        return self._chained.get(method)

    async def handler(self, method: str, metadata: tuple[Metadatum, ...]) -> _Handler | None:
        """The handler of a method behind all interceptors; None where nobody implements it. Built once per method."""
        continuation: Callable[..., Awaitable[Any]] = self._find
        for interceptor in reversed(self._interceptors):
            continuation = functools.partial(interceptor.intercept_service, continuation)
        handler = cast("_Handler | None", await continuation(_CallDetails(method, metadata)))
        # A name nobody serves is not remembered: callers could grow the table without end.
        if handler is not None and await self._find(_CallDetails(method, metadata)) is not None:
            self._chained[method] = handler
        return handler

    async def _find(self, details: Any) -> _Handler | None:
        found = self._registered.get(details.method)
        if found is not None:
            return found
        for generic in self._generic:
            found = generic.service(details)
            if found is not None:
                return found
        return None


class InProcessChannel(grpc.aio.Channel):
    """Offers the servicers of an `InProcessServer` to generated stubs."""

    def __init__(self, server: InProcessServer) -> None:
        self._server = server

    def unary_unary(self, method: str, *_: object, **__: object) -> Any:
        return _MultiCallable(self._server, method, _UnaryCall, "unary_unary")

    def stream_unary(self, method: str, *_: object, **__: object) -> Any:
        return _MultiCallable(self._server, method, _UnaryCall, "stream_unary")

    def unary_stream(self, method: str, *_: object, **__: object) -> Any:
        return _MultiCallable(self._server, method, _StreamCall, "unary_stream")

    def stream_stream(self, method: str, *_: object, **__: object) -> Any:
        return _MultiCallable(self._server, method, _StreamCall, "stream_stream")

    async def close(self, grace: float | None = None) -> None:
        """Nothing to close."""

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # noqa: ARG002 - grpc's signature
        """Always connected."""
        return grpc.ChannelConnectivity.READY

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Waits for ever once READY was seen: the state never changes."""
        if last_observed_state is grpc.ChannelConnectivity.READY:
            await asyncio.Event().wait()

    async def channel_ready(self) -> None:
        """Always ready."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class _MultiCallable:
    """One method of a stub."""

    __slots__ = ("_arity", "_call", "_method", "_server")

    def __init__(self, server: InProcessServer, method: str, call: type[_Call], arity: str) -> None:
        self._server, self._method, self._call, self._arity = server, method, call, arity

    def __call__(
        self,
        request: Any = None,
        *,
        timeout: float | None = None,
        metadata: Iterable[tuple[str, str | bytes]] | None = None,
        **_: object,
    ) -> _Call:
        if self._arity.startswith("stream_"):
            if request is None:
                raise grpc.aio.UsageError("in-process calls take their requests from an iterator")
            request = _as_async_iterator(request)
        context = InProcessContext(tuple(map(Metadatum._make, metadata or ())), timeout)
        return self._call(self._server, self._method, self._arity, request, context)


class _Call:
    """What unary and streaming calls share: the state of one call and the translation of its failures."""

    def __init__(
        self, server: InProcessServer, method: str, arity: str, request: Any, context: InProcessContext
    ) -> None:
        self._server, self._method, self._arity, self._request, self._context = server, method, arity, request, context

    async def code(self) -> grpc.StatusCode:
        """Status of the call once it is over."""
        return self._context.code()

    async def details(self) -> str:
        """Text of the status once the call is over."""
        return self._context.details()

    async def initial_metadata(self) -> grpc.aio.Metadata:
        """What the servicer sent ahead of its answer."""
        return grpc.aio.Metadata(*self._context.initial_metadata())

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        """What the servicer sent after its answer."""
        return grpc.aio.Metadata(*self._context.trailing_metadata())

    def time_remaining(self) -> float | None:
        """Seconds until the deadline; None without one."""
        return cast("float | None", self._context.time_remaining())

    def cancelled(self) -> bool:
        """Whether the call was cancelled."""
        return self._context.cancelled()

    def done(self) -> bool:
        """Whether the call is over."""
        return self._context.done()

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Calls back when the call is over."""
        self._context.add_done_callback(lambda _: callback(self))

    async def _start(self) -> Any:
        """What the handler returns at once: an awaitable, an asynchronous generator, or a plain answer."""
        handler = self._server.known_handler(self._method)
        if handler is None:
            handler = await self._server.handler(self._method, self._context.invocation_metadata())
        behaviour = getattr(handler, self._arity, None)
        if behaviour is None:
            await self._context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
        request, self._request = self._request, None
        return behaviour(request, self._context)

    async def _timed(self, step: Awaitable[Any]) -> Any:
        """Awaits one step of the call within its deadline; every failure leaves as the error a network call raises."""
        limit = Deadline(self._context.time_remaining())
        try:
            with limit:
                return await step
        except asyncio.CancelledError:
            self._context.finish(cancelled=True)
            raise
        except Exception as error:  # noqa: BLE001 - whatever a handler raises has to become a status
            # A timer may fire a moment early, and a call whose time was up before it began fires none: so both are asked.
            failure = self._failure(error, expired=limit.expired or self._context.time_remaining() == 0)
            self._context.finish(cancelled=False)
            raise failure from None

    def _failure(self, error: Exception, *, expired: bool) -> grpc.aio.AioRpcError:
        """Translates what a handler raised. Its text stays here: it may name what callers must not learn."""
        context = self._context
        if expired and isinstance(error, TimeoutError):
            context.fail(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
        elif not context.aborted:
            _LOG.error("Unexpected %s raised by %s", type(error).__name__, self._method, exc_info=error)
            said = context.code()
            context.fail(grpc.StatusCode.UNKNOWN if said is grpc.StatusCode.OK else said, "Unexpected error")
        return context.error()

    def _close(self) -> None:
        """Ends the call; raises where the handler returned but had said that the call failed."""
        self._context.finish(cancelled=False)
        if self._context.code() is not grpc.StatusCode.OK:
            raise self._context.error()


class _UnaryCall(_Call):
    """A call with one answer, given by awaiting it once."""

    def __await__(self) -> Generator[Any, None, Any]:
        return self._run().__await__()

    async def _run(self) -> Any:
        if self._context.done():
            raise grpc.aio.UsageError("an in-process call can be awaited once")
        response = await self._timed(self._answer())
        self._close()
        return response

    async def _answer(self) -> Any:
        self._context.check_deadline()
        answer = await self._start()
        # Nearly always a coroutine; `isawaitable` asks for much else before it says so.
        return await answer if type(answer) is CoroutineType or inspect.isawaitable(answer) else answer


class _StreamCall(_Call):
    """A call with many answers, given by iterating it once or by `read`."""

    _iterator: AsyncIterator[Any] | None = None

    def __aiter__(self) -> AsyncIterator[Any]:
        if self._iterator is None:
            self._iterator = self._run()
        return self._iterator

    async def read(self) -> Any:
        """The next answer, or `grpc.aio.EOF`."""
        return await anext(aiter(self), grpc.aio.EOF)

    async def _run(self) -> AsyncIterator[Any]:
        # The deadline is set anew around every step: between two of them the consumer's own code runs in this task.
        responses = await self._timed(self._start())
        try:
            while (response := await self._timed(anext(responses, grpc.aio.EOF))) is not grpc.aio.EOF:
                yield response
            self._close()
        finally:
            await responses.aclose()
            if not self._context.done():
                self._context.finish(cancelled=True)


async def _as_async_iterator(requests: Iterable[Any] | AsyncIterable[Any]) -> AsyncIterator[Any]:
    if isinstance(requests, AsyncIterable):
        async for request in requests:
            yield request
        return
    for request in requests:
        yield request
