"""Servicers that remember what they were asked and answer what a test wants."""

# ruff: noqa: N802 - RPCs are named in the contract
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from healthguard.v1 import (
    app_service_pb2,
    app_service_pb2_grpc,
    auth_service_pb2,
    auth_service_pb2_grpc,
    event_service_pb2,
    event_service_pb2_grpc,
    issue_service_pb2,
    issue_service_pb2_grpc,
    ledger_service_pb2,
    ledger_service_pb2_grpc,
)

GOOD_TOKEN = "Bearer session_good"


def rich_status(
    code: int, reason: str, message: str, *, domain: str = "healthguard", retry_s: float = 0, fields: Any = ()
):
    """A status as the server writes it."""
    details = [error_details_pb2.ErrorInfo(reason=reason, domain=domain)]
    if retry_s:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(int(retry_s * 1000))
        details.append(retry)
    if fields:
        bad = error_details_pb2.BadRequest()
        for field, why in fields:
            bad.field_violations.add(field=field, reason=reason, description=why)
        details.append(bad)
    packed = []
    for detail in details:
        item = any_pb2.Any()
        item.Pack(detail)
        packed.append(item)
    return rpc_status.to_status(status_pb2.Status(code=code, message=message, details=packed))


class Services:
    """One object behind every service: `answers` by method name, `requests` and `contexts` in order."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets what was asked and prepared."""
        self.answers: dict[str, Any] = {}
        self.requests: list[Any] = []
        self.metadata: list[dict[str, Any]] = []
        self.remaining_s: list[float] = []
        self.serving = True
        self.health_warnings: tuple[str, ...] = ()

    async def answer(self, name: str, request: Any, context: grpc.aio.ServicerContext, empty: Any) -> Any:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        self.remaining_s.append(context.time_remaining())
        told = self.answers.get(name, empty)
        if isinstance(told, Exception):
            raise told
        if isinstance(told, grpc.Status):
            await context.abort_with_status(told)
        if isinstance(told, tuple):
            await context.abort(*told)
        return await told(request, context) if callable(told) else told

    def register(self, server: Any) -> None:
        auth_service_pb2_grpc.add_AuthServiceServicer_to_server(_Auth(self), server)
        app_service_pb2_grpc.add_AppServiceServicer_to_server(_App(self), server)
        event_service_pb2_grpc.add_EventServiceServicer_to_server(_Event(self), server)
        issue_service_pb2_grpc.add_IssueServiceServicer_to_server(_Issue(self), server)
        ledger_service_pb2_grpc.add_LedgerServiceServicer_to_server(_Ledger(self), server)
        health_pb2_grpc.add_HealthServicer_to_server(_Health(self), server)


class _Fake:
    def __init__(self, services: Services) -> None:
        self._services = services


class _Auth(_Fake, auth_service_pb2_grpc.AuthServiceServicer):
    async def Register(self, request, context):
        return await self._services.answer("Register", request, context, auth_service_pb2.RegisterResponse())

    async def Login(self, request, context):
        return await self._services.answer("Login", request, context, auth_service_pb2.LoginResponse())

    async def Logout(self, request, context):
        return await self._services.answer("Logout", request, context, auth_service_pb2.LogoutResponse())

    async def GetMe(self, request, context):
        if dict(context.invocation_metadata()).get("authorization") != GOOD_TOKEN:
            await context.abort_with_status(rich_status(code_pb2.UNAUTHENTICATED, "UNAUTHENTICATED", "Unauthorized"))
        return await self._services.answer("GetMe", request, context, auth_service_pb2.GetMeResponse())


class _App(_Fake, app_service_pb2_grpc.AppServiceServicer):
    async def ListApps(self, request, context):
        return await self._services.answer("ListApps", request, context, app_service_pb2.ListAppsResponse())

    async def CreateApp(self, request, context):
        return await self._services.answer("CreateApp", request, context, app_service_pb2.CreateAppResponse())


class _Event(_Fake, event_service_pb2_grpc.EventServiceServicer):
    async def IngestEvents(self, request, context):
        taken = event_service_pb2.IngestEventsResponse(accepted=len(request.events))
        return await self._services.answer("IngestEvents", request, context, taken)


class _Issue(_Fake, issue_service_pb2_grpc.IssueServiceServicer):
    async def GetOverview(self, request, context):
        return await self._services.answer("GetOverview", request, context, issue_service_pb2.GetOverviewResponse())

    async def ListIssues(self, request, context):
        return await self._services.answer("ListIssues", request, context, issue_service_pb2.ListIssuesResponse())

    async def GetIssue(self, request, context):
        return await self._services.answer("GetIssue", request, context, issue_service_pb2.GetIssueResponse())


class _Ledger(_Fake, ledger_service_pb2_grpc.LedgerServiceServicer):
    async def GetLedger(self, request, context):
        return await self._services.answer("GetLedger", request, context, ledger_service_pb2.GetLedgerResponse())


class _Health(_Fake, health_pb2_grpc.HealthServicer):
    async def Check(self, request, context):
        self._services.metadata.append(dict(context.invocation_metadata()))
        told = tuple(("x-healthguard-warning", warning) for warning in self._services.health_warnings)
        await context.send_initial_metadata(told)
        status = (
            health_pb2.HealthCheckResponse.SERVING
            if self._services.serving
            else health_pb2.HealthCheckResponse.NOT_SERVING
        )
        return health_pb2.HealthCheckResponse(status=status)
