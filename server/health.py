"""Readiness: the standard health service, which answers by what the store says at that moment."""

import asyncio
from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2
from sqlalchemy import text
from sqlmodel import Session

from server.disk_budget import DiskBudget
from server.errors import Unavailable
from server.store.engine import Engine

PING_TIMEOUT_S = 2.0

WARNING_KEY: Final = "x-healthguard-warning"
"""Initial metadata of an answer: what the operator should know although all is served. The health protocol has no field."""


class StoreHealth(health.aio.HealthServicer):  # type: ignore[misc]  # the package has no types
    """SERVING as long as the store answers a query within two seconds."""

    def __init__(self, engine: Engine, budget: DiskBudget) -> None:
        super().__init__()
        self._engine = engine
        self._budget = budget
        self._closing = False

    async def Check(  # noqa: N802 -- the contract's name
        self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> health_pb2.HealthCheckResponse:
        status = health_pb2.HealthCheckResponse.NOT_SERVING
        if not self._closing and await self._answers():
            status = health_pb2.HealthCheckResponse.SERVING
            if warning := await self._budget.warning():
                await context.send_initial_metadata(((WARNING_KEY, warning),))
        await self.set("", status)
        return await super().Check(request, context)

    async def close(self) -> None:
        """Answer NOT_SERVING from now on, to watchers too."""
        self._closing = True
        await self.enter_graceful_shutdown()

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                await self._engine.read(_ping)
        except (Unavailable, TimeoutError):
            return False
        return True


def _ping(session: Session) -> None:
    session.connection().execute(text("SELECT 1"))
