"""One line for each RPC that came over the network; the facade writes the line of its own calls."""

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import grpc
import structlog

from server import context as caller
from server.interceptors.base import Context, Guard, Interceptor, MakeGuard, code_of

_LOG = structlog.get_logger("access")
_SERVER_FAULTS = {
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}
_received_bytes: ContextVar[int] = ContextVar("received_bytes", default=0)


class AccessLogInterceptor(Interceptor):
    """Logs method, status, duration and size; what services bound (app, session, cause) joins by itself."""

    def guard(self, method: str) -> MakeGuard:
        return lambda context: _Line(method, context)

    def received(self, deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        """Counts bytes on their way in; asking a message for its size would serialise it again."""

        def counting(data: bytes) -> object:
            _received_bytes.set(_received_bytes.get() + len(data))
            return deserialize(data)

        return counting


class _Line(Guard):
    __slots__ = ("_context", "_method", "_started")

    def __init__(self, method: str, context: Context) -> None:
        self._method, self._context = method, context
        self._started = time.perf_counter()

    def leave(self, error: BaseException | None) -> None:
        if caller.current().through_facade:
            return
        code = code_of(self._context, error)
        write = _LOG.error if code in _SERVER_FAULTS else _LOG.warning if code is not grpc.StatusCode.OK else _LOG.info
        write(
            "request",
            method="GRPC",
            url=self._method,
            status=code.value[0],
            code=code.name,
            durationMs=round((time.perf_counter() - self._started) * 1000, 2),
            sizeBytes=_received_bytes.get(),
        )
