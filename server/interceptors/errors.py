"""The one place where faults become statuses: domain errors by the table, everything else as INTERNAL without its text."""

from collections.abc import Awaitable
from typing import NamedTuple, NoReturn

import grpc
import grpc.aio
import structlog

from server import context as caller, logs, metrics, status
from server.errors import DomainError
from server.interceptors import request_id
from server.interceptors.base import Context, Guard, Interceptor, MakeGuard

_LOG = structlog.get_logger(__name__)
UNIMPLEMENTED = "This server has no such method."


class ErrorsInterceptor(Interceptor):
    """Answers DomainError with its status, the unforeseen with a fixed text; lets aborts and cancellation pass."""

    def guard(self, method: str) -> MakeGuard:  # noqa: ARG002 -- alike for all methods
        return _Boundary


class _Boundary(Guard):
    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    def leave(self, error: BaseException | None) -> Awaitable[NoReturn] | None:
        if not isinstance(error, Exception) or isinstance(error, grpc.aio.AbortError):
            return None
        if isinstance(error, NotImplementedError):  # what generated base classes raise for an RPC they were not given
            return self._context.abort(grpc.StatusCode.UNIMPLEMENTED, UNIMPLEMENTED)
        logs.bind(error=logs.cause(error))
        if isinstance(error, DomainError):
            metrics.REFUSALS.labels(error.reason).inc()
            answer = status.to_status(error)
        else:
            _LOG.error("unhandled error", exc_info=error)
            answer = status.internal(caller.current().request_id)
        return self._context.abort_with_status(_with_request_id(answer))


class _Status(NamedTuple):
    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, str | bytes], ...]


def _with_request_id(answer: grpc.Status) -> grpc.Status:
    """The status with the request id beside its details: aborting replaces the trailing metadata set before."""
    echo = (request_id.KEY, caller.current().request_id)
    return _Status(answer.code, answer.details, (*answer.trailing_metadata, echo))  # type: ignore[return-value]  # grpc.Status is a mere shape
