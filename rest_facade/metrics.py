"""What the REST door counts."""

import os
from functools import cache
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

# From half a request of the fastest kind to the RPC deadline.
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

REQUESTS = Counter("healthguard_http_requests", "HTTP requests answered.", ("method", "route", "status"))
DURATION = Histogram(
    "healthguard_http_request_duration_seconds", "Time to answer.", ("method", "route"), buckets=_BUCKETS
)
SHED = Counter("healthguard_shed_requests", "HTTP requests answered with 429 or 503, by reason.", ("reason",))


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count(method: str, route: str, status: int, duration_s: float, code: str | None) -> None:
    """Counts one request; methods nobody defined share one label, as clients could make up any number of them."""
    method = method if method in _METHODS else "other"
    requests, durations = _series(method, route, status)
    requests.inc()
    durations.observe(duration_s)
    if status in {429, 503}:
        SHED.labels(code or "UNKNOWN").inc()


@cache
def _series(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """Finding series by their labels takes a lock each time. No client can make labels up, so all may be kept."""
    return REQUESTS.labels(method, route, str(status)), DURATION.labels(method, route)


def exposition() -> bytes:
    """All metrics in the text format of Prometheus; of all processes where they share a directory for them."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # not annotated
    return generate_latest(registry)
