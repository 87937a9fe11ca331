"""PerformanceService: quantiles and ratings of what clients measured, and of the requests they made."""

from healthguard.v1 import (
    performance_pb2 as performance_pb,
    performance_service_pb2 as performance_service_pb,
    performance_service_pb2_grpc as performance_service_grpc,
)
from sqlmodel import Session

from server import clock, context as caller
from server.errors import AppKeyRequired, InvalidTimeRange
from server.ingest.measuring import method_and_path
from server.services.convert import time_range, timestamp_from_ms
from server.store import performance as store_performance
from server.store.counters import HOUR_MS
from server.store.engine import Engine
from server.store.performance import METRIC, REQUEST, SCALES, Metric
from server.store.scope import visible_apps

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
            relative_error=SCALES[METRIC].relative_error,
            start_time=timestamp_from_ms(first * HOUR_MS),
            end_time=timestamp_from_ms((last + 1) * HOUR_MS - 1),
        )

    async def GetRequestPerformance(  # noqa: N802
        self, request: performance_service_pb.GetRequestPerformanceRequest, _context: object
    ) -> performance_service_pb.GetRequestPerformanceResponse:
        if not request.app_key:
            raise AppKeyRequired
        first, last = _hours(request)
        requests = await self._engine.read(_requests, caller.current_user().id, request.app_key, first, last)
        return performance_service_pb.GetRequestPerformanceResponse(
            requests=requests,
            relative_error=SCALES[REQUEST].relative_error,
            start_time=timestamp_from_ms(first * HOUR_MS),
            end_time=timestamp_from_ms((last + 1) * HOUR_MS - 1),
        )


def _hours(
    request: performance_service_pb.GetPerformanceRequest | performance_service_pb.GetRequestPerformanceRequest,
) -> tuple[int, int]:
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
    return [_metric_to_proto(metric) for metric in _measured(session, user_id, app_key, METRIC, first, last)]


def _requests(
    session: Session, user_id: int, app_key: str, first: int, last: int
) -> list[performance_pb.RequestPerformance]:
    """Likewise the requests, the most frequent first."""
    found = _measured(session, user_id, app_key, REQUEST, first, last)
    return [_request_to_proto(kind) for kind in sorted(found, key=lambda kind: (-kind.count, kind.name))]


def _measured(session: Session, user_id: int, app_key: str, kind: int, first: int, last: int) -> list[Metric]:
    apps = visible_apps(session, user_id, app_key)
    return [found for app_id in apps for found in store_performance.read(session, app_id, kind, first, last)]


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


def _request_to_proto(found: Metric) -> performance_pb.RequestPerformance:
    method, path = method_and_path(found.name)
    succeeded, _, failed = found.rated
    told = performance_pb.RequestPerformance(
        method=method, path=path, count=found.count, succeeded=succeeded, failed=failed
    )
    if quantiles := found.quantiles():
        told.p50, told.p75, told.p95 = quantiles
    return told
