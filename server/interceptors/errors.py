"""The one place where faults become statuses: domain errors by the table, everything else as INTERNAL without its text."""

from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, NamedTuple, NoReturn

import grpc
import grpc.aio
import structlog
from google.protobuf.message import DecodeError

from server import context as caller, logs, metrics, status
from server.errors import DomainError, UndecodableMessage
from server.interceptors import request_id
from server.interceptors.base import Context, Guard, Handler, Interceptor, MakeGuard

_LOG = structlog.get_logger(__name__)
_UNDECODABLE = object()
UNIMPLEMENTED = "This server has no such method."


class ErrorsInterceptor(Interceptor):
    """Answers DomainError with its status, the unforeseen with a fixed text; lets aborts and cancellation pass."""

    def guard(self, method: str) -> MakeGuard:  # noqa: ARG002 -- alike for all methods
        return _Boundary

    def received(self, deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        """Bytes that are no message become a mark: what a deserializer raises grpc.aio tells the client word for word."""

        def marking(data: bytes) -> object:
            try:
                return deserialize(data)
            except DecodeError:
                return _UNDECODABLE

        return marking

    def _wrap(self, method: str, inner: Handler) -> Handler:
        return super()._wrap(method, _refusing(inner))


def _refusing(inner: Handler) -> Handler:
    """The handler behind a look at each message; a plain function, because another coroutine would cost more than the look."""
    streams: Callable[..., object] | None = inner.stream_unary
    unary: Callable[..., object] | None = inner.unary_unary
    if streams is not None:

        def answer_stream(requests: AsyncIterator[object], context: Context) -> object:
            return streams(_decoded(requests), context)

        return _rebuilt(grpc.stream_unary_rpc_method_handler, answer_stream, inner)
    if unary is not None:

        def answer(request: object, context: Context) -> object:
            return unary(request, context) if request is not _UNDECODABLE else _refuse()

        return _rebuilt(grpc.unary_unary_rpc_method_handler, answer, inner)
    return inner


def _rebuilt(make: Callable[..., Handler], behaviour: Callable[..., object], inner: Handler) -> Handler:
    return make(
        behaviour, request_deserializer=inner.request_deserializer, response_serializer=inner.response_serializer
    )


async def _refuse() -> NoReturn:
    raise UndecodableMessage


async def _decoded(requests: AsyncIterator[object]) -> AsyncIterator[object]:
    async for request in requests:
        if request is _UNDECODABLE:
            raise UndecodableMessage
        yield request


class _Boundary(Guard):
    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception) or isinstance(error, grpc.aio.AbortError):
            return
        if isinstance(error, NotImplementedError):  # what generated base classes raise for an RPC they were not given
            await self._context.abort(grpc.StatusCode.UNIMPLEMENTED, UNIMPLEMENTED)
        logs.bind(error=logs.cause(error))
        if isinstance(error, DomainError):
            metrics.REFUSALS.labels(error.reason).inc()
            answer = status.to_status(error)
        else:
            _LOG.error("unhandled error", exc_info=error)
            answer = status.internal(caller.current().request_id)
        await self._context.abort_with_status(_with_request_id(answer))


class _Status(NamedTuple):
    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, str | bytes], ...]


def _with_request_id(answer: grpc.Status) -> grpc.Status:
    """The status with the request id beside its details: aborting replaces the trailing metadata set before."""
    echo = (request_id.KEY, caller.current().request_id)
    return _Status(answer.code, answer.details, (*answer.trailing_metadata, echo))  # type: ignore[return-value]  # grpc.Status is a mere shape
