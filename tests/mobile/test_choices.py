"""What an app's owner chooses about recording: how many sessions, and whether failed calls are events."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from healthguard.v1 import (
    app_pb2 as app_pb,
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


@dataclass(frozen=True)
class Shop:
    """An app and its owner."""

    channel: InProcessChannel
    id: str
    key: str
    owner: tuple[tuple[str, str], ...]

    @property
    def apps(self) -> app_service_grpc.AppServiceStub:
        return app_service_grpc.AppServiceStub(self.channel)

    async def choose(self, **settings: object) -> None:
        request = app_service_pb.UpdateAppRequest(id=self.id, settings=app_pb.AppSettings(**settings))  # type: ignore[arg-type]
        await self.apps.UpdateApp(request, metadata=self.owner)


async def new_app(channel: InProcessChannel) -> Shop:
    request = auth_service_pb.RegisterRequest(email="a@example.test", password=PASSWORD)
    owner = await auth_service_grpc.AuthServiceStub(channel).Register(request)
    metadata = (("authorization", f"Bearer {owner.token}"),)
    made = await app_service_grpc.AppServiceStub(channel).CreateApp(
        app_service_pb.CreateAppRequest(name="Shop", type="ios"), metadata=metadata
    )
    return Shop(channel, made.app.id, made.app.app_key, metadata)


async def test_a_part_of_the_sessions_is_recorded(channel: InProcessChannel) -> None:
    trackers = mobile_session_service_grpc.MobileSessionServiceStub(channel)
    shop = await new_app(channel)
    start = mobile_session_service_pb.StartSessionRequest
    await shop.choose(capture_rate=0)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await trackers.StartSession(start(project_key=shop.key))
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    await shop.choose(capture_rate=100)
    begun = await trackers.StartSession(start(project_key=shop.key))
    await shop.choose(capture_rate=0)
    # Dice are not thrown again for a session that goes on.
    resumed = await trackers.StartSession(start(project_key=shop.key, token=begun.token))
    assert resumed.session_id == begun.session_id


@pytest.mark.parametrize("wanted", [True, False])
async def test_failed_calls_become_events_where_wanted(channel: InProcessChannel, wanted: bool) -> None:
    trackers = mobile_session_service_grpc.MobileSessionServiceStub(channel)
    shop = await new_app(channel)
    await shop.choose(report_failed_network_calls=wanted)
    begun = await trackers.StartSession(mobile_session_service_pb.StartSessionRequest(project_key=shop.key))
    calls = [FAILED, FAILED | {"url": "/lost", "status": 0}, FAILED | {"status": 200}]
    batch = b"".join(encode_message(105, now_ms(), call) for call in calls)
    for _ in range(2):
        await trackers.AppendMessages(
            mobile_session_service_pb.AppendMessagesRequest(batch=batch),
            metadata=(("authorization", f"Bearer {begun.token}"),),
        )
    answer = await issue_service_grpc.IssueServiceStub(channel).GetOverview(
        issue_service_pb.GetOverviewRequest(app_key=shop.key), metadata=shop.owner
    )
    assert answer.totals.failed_requests == (2 if wanted else 0)


async def test_old_keys_name_the_app_until_it_is_deleted(channel: InProcessChannel) -> None:
    trackers = mobile_session_service_grpc.MobileSessionServiceStub(channel)
    shop = await new_app(channel)
    start = mobile_session_service_pb.StartSessionRequest
    first = await trackers.StartSession(start(project_key=shop.key))
    await shop.apps.RotateAppKey(app_service_pb.RotateAppKeyRequest(id=shop.id), metadata=shop.owner)
    begun = await trackers.StartSession(start(project_key=shop.key))
    assert begun.project_id == first.project_id
    await shop.apps.DeleteApp(app_service_pb.DeleteAppRequest(id=shop.id), metadata=shop.owner)
    for named in (start(project_key=shop.key), start(project_id=int(begun.project_id))):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await trackers.StartSession(named)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await trackers.AppendMessages(
            mobile_session_service_pb.AppendMessagesRequest(batch=encode_message(105, now_ms(), FAILED)),
            metadata=(("authorization", f"Bearer {begun.token}"),),
        )
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
