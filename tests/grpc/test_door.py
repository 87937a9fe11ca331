"""The gRPC door by itself: health, reflection, limits, who may call what, and errors that give nothing away."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status
from healthguard.v1 import (
    event_pb2 as event_pb,
    event_service_pb2 as event_service_pb,
    event_service_pb2_grpc,
    issue_service_pb2 as issue_service_pb,
    issue_service_pb2_grpc,
)

from tests.client import Rest
from tests.collector import Collector
from tests.mobile.conftest import owner_on
from tests.parity.grpc_driver import event_from_json
from tests.sample import error_event, performance_event


@pytest.fixture
def collector(shared_sqlite: Collector) -> Collector:
    return shared_sqlite


@pytest.fixture
async def channel(collector: Collector) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(collector.grpc) as channel:
        yield channel


@pytest.fixture
def events(channel: grpc.aio.Channel) -> event_service_pb2_grpc.EventServiceStub:
    return event_service_pb2_grpc.EventServiceStub(channel)


async def refusal(call: Any) -> tuple[grpc.StatusCode, str, str]:
    """Code, reason and text with which a call is refused."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    status = rpc_status.from_call(caught.value)
    info = ErrorInfo()
    found = status is not None and any(detail.Unpack(info) for detail in status.details)
    return caught.value.code(), info.reason if found else "", caught.value.details() or ""


async def test_health_says_serving(channel: grpc.aio.Channel) -> None:
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection_names_every_service(channel: grpc.aio.Channel) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    answers = [answer async for answer in call]
    names = {service.name for service in answers[0].list_services_response.service}
    ours = {f"healthguard.v1.{name}Service" for name in ("Auth", "App", "Event", "Issue", "Ledger")}
    assert ours | {"grpc.health.v1.Health"} <= names


async def test_a_batch_of_the_most_events_passes(events: event_service_pb2_grpc.EventServiceStub, rest: Rest) -> None:
    _, app_key = rest.new_app_key()
    request = event_service_pb.IngestEventsRequest(app_key=app_key, events=_measurements(1000))
    answer = await events.IngestEvents(request)
    assert answer.accepted == 1000
    assert list(answer.outcomes) == [event_service_pb.EVENT_OUTCOME_STORED] * 1000


@pytest.mark.parametrize(("count", "reason"), [(0, "EVENTS_REQUIRED"), (1001, "TOO_MANY_EVENTS")])
async def test_a_batch_of_too_few_or_too_many_events_is_refused(
    events: event_service_pb2_grpc.EventServiceStub, rest: Rest, count: int, reason: str
) -> None:
    _, app_key = rest.new_app_key()
    request = event_service_pb.IngestEventsRequest(app_key=app_key, events=_measurements(count))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await events.IngestEvents(request)
    status = rpc_status.from_call(caught.value)
    bad_request = BadRequest()
    assert any(detail.Unpack(bad_request) for detail in status.details)
    assert [(v.field, v.reason) for v in bad_request.field_violations] == [("events", reason)]
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def _measurements(count: int) -> list[event_pb.Event]:
    return [event_from_json(performance_event()) for _ in range(count)]


async def test_an_unknown_app_key_is_not_found(events: event_service_pb2_grpc.EventServiceStub) -> None:
    request = event_service_pb.IngestEventsRequest(app_key="web_nobody", events=_measurements(1))
    code, reason, _ = await refusal(events.IngestEvents(request))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "APP_NOT_FOUND")


async def test_every_outcome_has_its_place(events: event_service_pb2_grpc.EventServiceStub, rest: Rest) -> None:
    _, app_key = rest.new_app_key()
    good, bad = event_from_json(error_event()), event_from_json(error_event(eventId=""))
    answer = await events.IngestEvents(event_service_pb.IngestEventsRequest(app_key=app_key, events=[good, bad, good]))
    assert list(answer.outcomes) == [
        event_service_pb.EVENT_OUTCOME_STORED,
        event_service_pb.EVENT_OUTCOME_REJECTED,
        event_service_pb.EVENT_OUTCOME_DUPLICATE,
    ]


async def test_a_message_over_the_default_four_mebibytes_passes(
    events: event_service_pb2_grpc.EventServiceStub, rest: Rest
) -> None:
    _, app_key = rest.new_app_key()
    batch = [event_from_json(error_event(message="x" * 100_000)) for _ in range(60)]
    answer = await events.IngestEvents(event_service_pb.IngestEventsRequest(app_key=app_key, events=batch))
    assert answer.accepted == 60


async def test_a_message_over_the_limit_is_refused_and_the_server_goes_on(
    events: event_service_pb2_grpc.EventServiceStub, channel: grpc.aio.Channel
) -> None:
    batch = [event_from_json(error_event(message="x" * 1_000_000)) for _ in range(20)]
    request = event_service_pb.IngestEventsRequest(app_key="web_nobody", events=batch)
    code, _, _ = await refusal(events.IngestEvents(request))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


USER_METHODS = [
    "AuthService/Logout",
    "AuthService/GetMe",
    "AppService/ListApps",
    "AppService/CreateApp",
    "IssueService/GetOverview",
    "IssueService/ListIssues",
    "IssueService/GetIssue",
    "LedgerService/GetLedger",
]


@pytest.mark.parametrize("method", USER_METHODS)
@pytest.mark.parametrize("metadata", [(), (("authorization", "Bearer nonsense"),), (("authorization", "Basic eA=="),)])
async def test_methods_of_users_demand_a_token(channel: grpc.aio.Channel, method: str, metadata: tuple) -> None:
    call = channel.unary_unary(f"/healthguard.v1.{method}")
    code, reason, _ = await refusal(call(b"", metadata=metadata))
    assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")


async def test_an_unknown_method_is_unimplemented(channel: grpc.aio.Channel) -> None:
    code, _, _ = await refusal(channel.unary_unary("/healthguard.v1.IssueService/Nope")(b""))
    assert code is grpc.StatusCode.UNIMPLEMENTED


NO_MESSAGE = b"\xff\xff\xff\xff"
UNDECODABLE = (grpc.StatusCode.INVALID_ARGUMENT, "UNDECODABLE_MESSAGE")


async def test_bytes_that_are_no_message_are_the_callers_fault(channel: grpc.aio.Channel) -> None:
    code, reason, text = await refusal(channel.unary_unary("/healthguard.v1.AuthService/Login")(NO_MESSAGE))
    assert (code, reason) == UNDECODABLE
    assert "DecodeError" not in text


async def test_a_stream_may_break_off_into_no_message(channel: grpc.aio.Channel, rest: Rest) -> None:
    tracker = owner_on(rest).tracker()
    tracker.start()
    call = channel.stream_unary("/healthguard.v1.MobileSessionService/UploadImages")
    code, reason, _ = await refusal(
        call(iter([b"", NO_MESSAGE]), metadata=(("authorization", f"Bearer {tracker.token}"),))
    )
    assert (code, reason) == UNDECODABLE


async def test_a_trace_names_the_request_that_has_no_name(channel: grpc.aio.Channel) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    call = channel.unary_unary("/healthguard.v1.AuthService/GetMe")(
        b"", metadata=(("traceparent", f"00-{trace}-b7ad6b7169203331-01"),)
    )
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    assert dict(refused.value.trailing_metadata())["x-request-id"] == trace


async def test_each_request_is_logged_once_and_without_secrets(
    channel: grpc.aio.Channel, collector: Collector, rest: Rest
) -> None:
    account = rest.register()
    stub = issue_service_pb2_grpc.IssueServiceStub(channel)
    metadata = (("authorization", f"Bearer {account.token}"), ("x-request-id", "req-grpc-log-test"))
    await stub.GetOverview(issue_service_pb.GetOverviewRequest(), metadata=metadata)
    lines = collector.lines_of("req-grpc-log-test")
    assert [(line["method"], line["url"], line["status"]) for line in lines] == [
        ("GRPC", "/healthguard.v1.IssueService/GetOverview", 0)
    ]
    assert {"ts", "level", "caller", "msg", "status", "durationMs"} <= lines[0].keys()
    assert account.token not in collector.log_text()
