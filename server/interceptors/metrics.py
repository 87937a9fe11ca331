"""Counts and times every RPC for Prometheus."""

import time
from types import TracebackType

from prometheus_client import Counter, Histogram

from server.interceptors.base import Context, Guard, Interceptor, MakeGuard, code_of
from server.interceptors.requirement import requirement_of

# From one cached read to the longest deadline a client usually sets.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("healthguard_grpc_requests_total", "RPCs by method and status.", ("method", "code"))
DURATION = Histogram("healthguard_grpc_request_duration_seconds", "Time an RPC took.", ("method",), buckets=_BUCKETS)


class MetricsInterceptor(Interceptor):
    """Counts calls by status and observes their duration, in process and over the network alike."""

    def guard(self, method: str) -> MakeGuard:
        # A label per name that callers make up would grow the exposition without end.
        label = method if requirement_of(method) is not None else "unknown"
        return lambda context: _Observation(label, context)


class _Observation(Guard):
    __slots__ = ("_context", "_label", "_started")

    def __init__(self, label: str, context: Context) -> None:
        self._label, self._context = label, context
        self._started = time.perf_counter()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        REQUESTS.labels(self._label, code_of(self._context, error).name).inc()
        DURATION.labels(self._label).observe(time.perf_counter() - self._started)
