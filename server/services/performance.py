"""PerformanceService: quantiles and ratings of what clients measured."""

from healthguard.v1 import (
    performance_pb2 as performance_pb,
    performance_service_pb2 as performance_service_pb,
    performance_service_pb2_grpc as performance_service_grpc,
)
from sqlmodel import Session

from server import clock, context as caller
from server.errors import AppKeyRequired, InvalidTimeRange
from server.services.convert import time_range, timestamp_from_ms
from server.store import performance as store_performance
from server.store.counters import HOUR_MS
from server.store.engine import Engine
from server.store.performance import Metric
from server.store.scope import visible_apps
from server.store.sketch import RELATIVE_ERROR

DEFAULT_HOURS = 24
MAX_HOURS = 90 * 24


class PerformanceService(performance_service_grpc.PerformanceServiceServicer):
    """Reads the sketches."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def GetPerformance(  # noqa: N802
        self, request: performance_service_pb.GetPerformanceRequest, _context: object
    ) -> performance_service_pb.GetPerformanceResponse:
        if not request.app_key:
            raise AppKeyRequired
        first, last = _hours(request)
        metrics = await self._engine.read(_metrics, caller.current_user().id, request.app_key, first, last)
        return performance_service_pb.GetPerformanceResponse(
            metrics=metrics,
            relative_error=RELATIVE_ERROR,
            start_time=timestamp_from_ms(first * HOUR_MS),
            end_time=timestamp_from_ms((last + 1) * HOUR_MS - 1),
        )


def _hours(request: performance_service_pb.GetPerformanceRequest) -> tuple[int, int]:
    """First and last hour since the epoch, inclusive. Raises InvalidTimeRange."""
    asked = time_range(
        request.start_time if request.HasField("start_time") else None,
        request.end_time if request.HasField("end_time") else None,
    )
    end = clock.now_ms() if asked.end_ms is None else asked.end_ms
    start = end - DEFAULT_HOURS * HOUR_MS if asked.start_ms is None else asked.start_ms
    if not 0 <= end - start <= MAX_HOURS * HOUR_MS:
        raise InvalidTimeRange
    return start // HOUR_MS, end // HOUR_MS


def _metrics(session: Session, user_id: int, app_key: str, first: int, last: int) -> list[performance_pb.Metric]:
    """The metrics of the one app with this key, if the user may see it; quantiles are worked out in the reader's thread."""
    found = (store_performance.read(session, app_id, first, last) for app_id in visible_apps(session, user_id, app_key))
    return [_metric_to_proto(metric) for metrics in found for metric in metrics]


def _metric_to_proto(metric: Metric) -> performance_pb.Metric:
    p50, p75, p95 = metric.quantiles()
    good, needs_improvement, poor = metric.rated
    return performance_pb.Metric(
        name=metric.name,
        count=metric.count,
        p50=p50,
        p75=p75,
        p95=p95,
        good=good,
        needs_improvement=needs_improvement,
        poor=poor,
    )
