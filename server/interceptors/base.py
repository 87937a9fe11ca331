"""The one way an interceptor surrounds calls: an asynchronous guard around unary and streaming handlers alike.

What `intercept_service` returns depends on the method alone, so the in-process channel may keep it. Guards are plain
objects with `__aenter__` and `__aexit__`: five of them cost 5 us a call, five `asynccontextmanager`s 22.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, TypeAlias

import grpc
import grpc.aio

from server.interceptors.requirement import requirement_of

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Continuation: TypeAlias = "Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]"


class Guard:
    """Surrounds one call. `__aexit__` sees how it ended and may raise in its stead, never swallow."""

    __slots__ = ()

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


MakeGuard: TypeAlias = Callable[[Context], Guard]


class Interceptor(grpc.aio.ServerInterceptor):
    """Puts a guard around every call of every method that somebody serves."""

    def __init__(self) -> None:
        self._wrapped: dict[str, tuple[Handler, Handler]] = {}

    def guard(self, method: str) -> MakeGuard | None:
        """How calls of `method` (`/package.Service/Name`) are guarded, None for not at all; asked once per method."""
        raise NotImplementedError

    def received(self, deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        """The deserializer to use for requests that arrive as bytes."""
        return deserialize

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> Handler | None:
        """The handler with the guard around it; None when nobody serves the method."""
        inner = await continuation(handler_call_details)
        if inner is None:
            return None
        method = handler_call_details.method
        known = self._wrapped.get(method)
        if known is not None and known[0] is inner:
            return known[1]
        outer = self._wrap(method, inner)
        if requirement_of(method) is not None:  # names that callers make up must not fill memory
            self._wrapped[method] = (inner, outer)
        return outer

    def _wrap(self, method: str, inner: Handler) -> Handler:
        make = self.guard(method)
        if make is None:
            return inner
        arity = f"{_kind(inner.request_streaming)}_{_kind(inner.response_streaming)}"
        behaviour = getattr(inner, arity)
        # A servicer may answer a stream by writing to its context instead of yielding; that one is a coroutine.
        surround = _around_stream if inspect.isasyncgenfunction(behaviour) else _around_call
        deserialize = inner.request_deserializer
        outer: Handler = _MAKERS[arity](
            surround(behaviour, make),
            request_deserializer=deserialize and self.received(deserialize),
            response_serializer=inner.response_serializer,
        )
        return outer


def metadata_value(context: Context, key: str) -> str:
    """The last value of a metadata key, which is the one the nearest sender added; empty when it is absent."""
    last: str | bytes = ""
    for name, value in context.invocation_metadata() or ():
        if name == key:
            last = value
    return last if isinstance(last, str) else ""


def metadata_values(context: Context, key: str) -> list[str]:
    """Every value of a metadata key, in the order they were added."""
    metadata = context.invocation_metadata() or ()
    return [value for name, value in metadata if name == key and isinstance(value, str)]


def code_of(context: Context, error: BaseException | None) -> grpc.StatusCode:
    """The status a call ended with, seen from outside of everything that could still change it."""
    if error is not None and not isinstance(error, grpc.aio.AbortError):
        return grpc.StatusCode.UNKNOWN if isinstance(error, Exception) else grpc.StatusCode.CANCELLED
    code: Any = context.code()  # grpc.aio says 0, not OK, while nobody has set a code
    return code if isinstance(code, grpc.StatusCode) else _BY_NUMBER[code or 0]


def _around_call(behaviour: Callable[..., Awaitable[Any]], make: MakeGuard) -> Callable[..., Awaitable[Any]]:
    async def call(request: object, context: Context) -> object:
        async with make(context):
            return await behaviour(request, context)

    return call


def _around_stream(behaviour: Callable[..., AsyncIterator[Any]], make: MakeGuard) -> Callable[..., AsyncIterator[Any]]:
    async def stream(request: object, context: Context) -> AsyncIterator[object]:
        async with make(context):
            async for response in behaviour(request, context):
                yield response

    return stream


def _kind(streaming: bool) -> str:
    return "stream" if streaming else "unary"


_MAKERS: dict[str, Callable[..., Any]] = {
    "unary_unary": grpc.unary_unary_rpc_method_handler,
    "unary_stream": grpc.unary_stream_rpc_method_handler,
    "stream_unary": grpc.stream_unary_rpc_method_handler,
    "stream_stream": grpc.stream_stream_rpc_method_handler,
}
_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}
