"""Routes that stand for no RPC of ours: whether the server lives, whether it can work, and its metrics."""

from collections.abc import Awaitable, Callable
from typing import NoReturn

import grpc
import grpc.aio
import orjson
from connexion import context
from grpc_health.v1 import health_pb2 as health_pb, health_pb2_grpc as health_grpc
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from rest_facade import metrics
from rest_facade.exchange import exchange_of
from rest_facade.uploads import UPLOAD_OPERATION

_SERVICE = "healthguard-server"
_JSON = "application/json; charset=utf-8"

# A probe that waits longer counts as failed for every load balancer.
_READY_TIMEOUT_S = 2.0

# Where the server's health service tells what the operator should know although all is served.
_WARNING_KEY = "x-healthguard-warning"

Handler = Callable[[], Awaitable[Response]]


def handlers(channel: grpc.aio.Channel) -> dict[str, Handler]:
    """The function behind each operation id that has no `x-grpc-method`."""
    return {
        "health": _health,
        "apiHealth": _health,
        "ready": _readiness(channel),
        "metrics": _metrics,
        UPLOAD_OPERATION: _uploaded,
    }


def document(text: bytes) -> Callable[[Request], Awaitable[Response]]:
    """Serves the OpenAPI document."""

    async def view(_: Request) -> Response:
        return Response(text, media_type=_JSON)

    return view


async def _health() -> Response:
    return _json({"ok": True, "service": _SERVICE})


def _readiness(channel: grpc.aio.Channel) -> Handler:
    check = health_grpc.HealthStub(channel).Check

    async def ready() -> Response:
        told = exchange_of(context.scope).metadata()
        call = check(health_pb.HealthCheckRequest(), metadata=told, timeout=_READY_TIMEOUT_S)
        warnings: list[str | bytes] = []
        try:
            answer = await call
            warnings = [value for key, value in await call.initial_metadata() if key == _WARNING_KEY]
        except grpc.aio.AioRpcError:
            serving = False
        else:
            serving = answer.status == health_pb.HealthCheckResponse.SERVING
        more = {"warnings": warnings} if warnings else {}
        return _json({"ready": serving, "service": _SERVICE} | more, 200 if serving else 503)

    return ready


async def _uploaded() -> NoReturn:
    raise AssertionError("uploads.py serves this operation, before Connexion would read the form into memory")


async def _metrics() -> Response:
    return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)


def _json(body: dict[str, object], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type=_JSON)
