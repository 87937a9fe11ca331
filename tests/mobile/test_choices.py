"""What an app's owner chooses about recording: how many sessions, and whether failed calls are events."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from healthguard.v1 import (
    app_service_pb2 as app_service_pb,
    app_service_pb2_grpc as app_service_grpc,
    auth_service_pb2 as auth_service_pb,
    auth_service_pb2_grpc as auth_service_grpc,
    issue_service_pb2 as issue_service_pb,
    issue_service_pb2_grpc as issue_service_grpc,
    mobile_session_service_pb2 as mobile_session_service_pb,
    mobile_session_service_pb2_grpc as mobile_session_service_grpc,
)

from rest_facade.inprocess import InProcessChannel
from server import app
from server.config import Settings
from server.mobile.codec import encode_message
from server.store import sessions
from tests.client import PASSWORD
from tests.sample import now_ms

FAILED = {
    "type": "request",
    "method": "GET",
    "url": "/orders/17",
    "request": "",
    "response": "",
    "status": 503,
    "duration": 7,
}


@pytest.fixture
async def channel(tmp_path: Path) -> AsyncIterator[InProcessChannel]:
    async with app.open_backend(Settings.load(data_dir=tmp_path)) as backend:
        yield InProcessChannel(backend.in_process())


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the choices for every app."""
    found = sessions.mobile_app

    def change(**choices: object) -> None:
        def chosen(*args: object, **kwargs: object) -> sessions.MobileApp | None:
            app = found(*args, **kwargs)  # type: ignore[arg-type]
            return None if app is None else replace(app, **choices)  # type: ignore[arg-type]

        monkeypatch.setattr(sessions, "mobile_app", chosen)

    return change


async def new_app(channel: InProcessChannel) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The key of a new app, and its owner's metadata."""
    request = auth_service_pb.RegisterRequest(email="a@example.test", password=PASSWORD)
    owner = await auth_service_grpc.AuthServiceStub(channel).Register(request)
    metadata = (("authorization", f"Bearer {owner.token}"),)
    made = await app_service_grpc.AppServiceStub(channel).CreateApp(
        app_service_pb.CreateAppRequest(name="Shop", type="ios"), metadata=metadata
    )
    return made.app.app_key, metadata


async def test_a_part_of_the_sessions_is_recorded(channel: InProcessChannel, choose: Callable[..., None]) -> None:
    trackers = mobile_session_service_grpc.MobileSessionServiceStub(channel)
    app_key, _ = await new_app(channel)
    start = mobile_session_service_pb.StartSessionRequest
    choose(capture_rate=0)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await trackers.StartSession(start(project_key=app_key))
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    choose(capture_rate=100)
    begun = await trackers.StartSession(start(project_key=app_key))
    choose(capture_rate=0)
    # Dice are not thrown again for a session that goes on.
    resumed = await trackers.StartSession(start(project_key=app_key, token=begun.token))
    assert resumed.session_id == begun.session_id


@pytest.mark.parametrize("wanted", [True, False])
async def test_failed_calls_become_events_where_wanted(
    channel: InProcessChannel, choose: Callable[..., None], wanted: bool
) -> None:
    trackers = mobile_session_service_grpc.MobileSessionServiceStub(channel)
    app_key, owner = await new_app(channel)
    choose(reports_failed_calls=wanted)
    begun = await trackers.StartSession(mobile_session_service_pb.StartSessionRequest(project_key=app_key))
    calls = [FAILED, FAILED | {"url": "/lost", "status": 0}, FAILED | {"status": 200}]
    batch = b"".join(encode_message(105, now_ms(), call) for call in calls)
    for _ in range(2):
        await trackers.AppendMessages(
            mobile_session_service_pb.AppendMessagesRequest(batch=batch),
            metadata=(("authorization", f"Bearer {begun.token}"),),
        )
    answer = await issue_service_grpc.IssueServiceStub(channel).GetOverview(
        issue_service_pb.GetOverviewRequest(app_key=app_key), metadata=owner
    )
    assert answer.totals.failed_requests == (2 if wanted else 0)
