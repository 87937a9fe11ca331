"""Counts and times every RPC for Prometheus."""

import time

import grpc
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
        series = _Series(method if requirement_of(method) is not None else "unknown")
        return lambda context: _Observation(series, context)


class _Series:
    """The numbers of one method, looked up once: finding a series by its labels takes a lock each time."""

    def __init__(self, label: str) -> None:
        self.duration = DURATION.labels(label)
        self._label = label
        self._by_code: dict[grpc.StatusCode, Counter] = {}

    def count(self, code: grpc.StatusCode) -> None:
        """Count one call that ended with `code`."""
        if code not in self._by_code:
            self._by_code[code] = REQUESTS.labels(self._label, code.name)
        self._by_code[code].inc()


class _Observation(Guard):
    __slots__ = ("_context", "_series", "_started")

    def __init__(self, series: _Series, context: Context) -> None:
        self._series, self._context = series, context
        self._started = time.perf_counter()

    def leave(self, error: BaseException | None) -> None:
        self._series.count(code_of(self._context, error))
        self._series.duration.observe(time.perf_counter() - self._started)
