"""All interceptors as one: what grpc.aio and the in-process channel put around every call.

What `intercept_service` returns depends on the method alone, so the in-process channel may keep it.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, TypeAlias

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from server.errors import UndecodableMessage
from server.interceptors.base import Context, Guard, Handler, Interceptor, MakeGuard
from server.interceptors.errors import UNIMPLEMENTED
from server.interceptors.requirement import requirement_of

Continuation: TypeAlias = "Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]"

_Decoded: TypeAlias = Callable[[Any], object]

_UNDECODABLE = object()


class Chain(grpc.aio.ServerInterceptor):
    """Puts the guards of the interceptors, the outermost first, around every call, in one coroutine.

    `admission` is the innermost and guards what somebody serves.
    """

    def __init__(self, interceptors: Sequence[Interceptor], admission: Interceptor) -> None:
        self._interceptors = tuple(interceptors)
        self._admission = admission
        self._wrapped: dict[str, tuple[Handler, Handler]] = {}

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> Handler | None:
        """The handler with the guards around it; methods nobody serves have one too, so that they are logged like others."""
        inner = await continuation(handler_call_details) or _NOBODYS
        method = handler_call_details.method
        known = self._wrapped.get(method)
        if known is not None and known[0] is inner:
            return known[1]
        outer = self._wrap(method, inner)
        if requirement_of(method) is not None:  # names that callers make up must not fill memory
            self._wrapped[method] = (inner, outer)
        return outer

    def _wrap(self, method: str, inner: Handler) -> Handler:
        around = self._interceptors if inner is _NOBODYS else (*self._interceptors, self._admission)
        guards = [interceptor.guard(method) for interceptor in around]
        makes = tuple(make for make in guards if make is not None)
        arity = f"{_kind(inner.request_streaming)}_{_kind(inner.response_streaming)}"
        behaviour = getattr(inner, arity)
        # A servicer may answer a stream by writing to its context instead of yielding; that one is a coroutine.
        surround = _around_stream if inspect.isasyncgenfunction(behaviour) else _around_call
        decoded = _all_decoded if inner.request_streaming else _decoded
        outer: Handler = _MAKERS[arity](
            surround(behaviour, makes, decoded),
            request_deserializer=inner.request_deserializer and self._received(inner.request_deserializer),
            response_serializer=inner.response_serializer,
        )
        return outer

    def _received(self, deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        """Bytes that are no message become a mark: what a deserializer raises grpc.aio tells the client word for word."""

        def marking(data: bytes) -> object:
            try:
                return deserialize(data)
            except DecodeError:
                return _UNDECODABLE

        received: Callable[[bytes], Any] = marking
        for interceptor in reversed(self._interceptors):
            received = interceptor.received(received)
        return received


class _Guards:
    """The guards around one call: entered in their order, left in the opposite one, each told what became of the call."""

    __slots__ = ("_context", "_entered", "_makes")

    def __init__(self, makes: tuple[MakeGuard, ...], context: Context) -> None:
        self._makes, self._context = makes, context
        self._entered: list[Guard] = []

    async def __aenter__(self) -> None:
        try:
            for make in self._makes:
                guard = make(self._context)
                waiting = guard.enter()
                if waiting is not None:
                    await waiting
                self._entered.append(guard)
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        told = error
        while self._entered:
            try:
                waiting = self._entered.pop().leave(told)
                if waiting is not None:
                    await waiting
            except BaseException as raised:  # noqa: BLE001 -- whatever it is, the guards around have to know
                told = raised
        if told is not None and told is not error:
            raise told


def _around_call(
    behaviour: Callable[..., Awaitable[Any]], makes: tuple[MakeGuard, ...], decoded: _Decoded
) -> Callable[..., Awaitable[Any]]:
    async def call(request: object, context: Context) -> object:
        async with _Guards(makes, context):
            answer = behaviour(decoded(request), context)
            del request  # what waits for its commit shall not keep what it was made of
            return await answer

    return call


def _around_stream(
    behaviour: Callable[..., AsyncIterator[Any]], makes: tuple[MakeGuard, ...], decoded: _Decoded
) -> Callable[..., AsyncIterator[Any]]:
    async def stream(request: object, context: Context) -> AsyncIterator[object]:
        async with _Guards(makes, context):
            async for response in behaviour(decoded(request), context):
                yield response

    return stream


def _decoded(request: object) -> object:
    """The message; raises UndecodableMessage for bytes that were none."""
    if request is _UNDECODABLE:
        raise UndecodableMessage
    return request


async def _all_decoded(requests: AsyncIterator[object]) -> AsyncIterator[object]:
    async for request in requests:
        yield _decoded(request)


async def _unimplemented(_requests: object, context: Context) -> None:
    await context.abort(grpc.StatusCode.UNIMPLEMENTED, UNIMPLEMENTED)


# On the wire every call looks like a stream, so this one handler fits all methods.
_NOBODYS: Handler = grpc.stream_stream_rpc_method_handler(_unimplemented)


def _kind(streaming: bool) -> str:
    return "stream" if streaming else "unary"


_MAKERS: dict[str, Callable[..., Any]] = {
    "unary_unary": grpc.unary_unary_rpc_method_handler,
    "unary_stream": grpc.unary_stream_rpc_method_handler,
    "stream_unary": grpc.stream_unary_rpc_method_handler,
    "stream_stream": grpc.stream_stream_rpc_method_handler,
}
