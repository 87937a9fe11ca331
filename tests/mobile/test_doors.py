"""Both doors record and replay alike: gRPC over a socket, and REST from a process of its own in front of it."""

from collections.abc import AsyncIterator, Callable

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status
from healthguard.v1 import (
    mobile_session_service_pb2 as mobile_session_service_pb,
    mobile_session_service_pb2_grpc as mobile_session_service_grpc,
    replay_service_pb2 as replay_service_pb,
    replay_service_pb2_grpc as replay_service_grpc,
)

from tests.client import Rest
from tests.collector import Collector
from tests.conftest import UNTHROTTLED
from tests.mobile.conftest import Owner, owner_on
from tests.mobile.tracker import JPEG, PNG, frames_of, tar_of
from tests.sample import now_ms

Step = mobile_session_service_pb.UploadImagesRequest


@pytest.fixture
async def channel(collector: Collector) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(collector.grpc) as channel:
        yield channel


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


async def test_grpc_records_what_rest_replays(owner: Owner, channel: grpc.aio.Channel) -> None:
    trackers = mobile_session_service_grpc.MobileSessionServiceStub(channel)
    replays = replay_service_grpc.ReplayServiceStub(channel)
    started = await trackers.StartSession(
        mobile_session_service_pb.StartSessionRequest(project_key=owner.app["appKey"], platform="ios")
    )
    tracker = owner.tracker()
    batch = tracker.crash(now_ms())
    metadata = bearer(started.token)
    await trackers.AppendMessages(mobile_session_service_pb.AppendMessagesRequest(batch=batch), metadata=metadata)
    late = mobile_session_service_pb.AppendLateMessagesRequest(batch=batch)
    await trackers.AppendLateMessages(late, metadata=metadata)
    archive = tar_of(now_ms(), [(now_ms(), JPEG), (now_ms() + 1, PNG)])
    steps = [Step(project=owner.app["appKey"]), Step(file="a")]
    steps += [Step(chunk=archive[at : at + 50]) for at in range(0, len(archive), 50)]
    assert (await trackers.UploadImages(iter(steps), metadata=metadata)).images == 2

    counters = owner.session(started.session_id)["session"]["counters"]
    assert (counters["batches"], counters["crashes"], counters["images"]) == (1, 1, 2)
    user = bearer(owner.account.token)
    found = await replays.ListSessionMessages(
        replay_service_pb.ListSessionMessagesRequest(id=started.session_id), metadata=user
    )
    [message] = found.messages
    assert message.fields["name"].text == "NSRangeException"
    picture = await replays.GetSessionScreenshot(
        replay_service_pb.GetSessionScreenshotRequest(id=started.session_id), metadata=user
    )
    assert (picture.data, picture.content_type) == (PNG, "image/png")


async def test_grpc_refuses_as_rest_does(owner: Owner, channel: grpc.aio.Channel) -> None:
    trackers = mobile_session_service_grpc.MobileSessionServiceStub(channel)
    tracker = owner.tracker()
    tracker.start()
    good, bad = bearer(tracker.token), bearer(tracker.token[:-1])
    append = mobile_session_service_pb.AppendMessagesRequest

    async def reason(call: grpc.aio.Call) -> tuple[str, str]:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        info = ErrorInfo()
        status = rpc_status.from_call(caught.value)
        assert status is not None
        assert any(detail.Unpack(info) for detail in status.details)
        return caught.value.code().name, info.reason

    start = mobile_session_service_pb.StartSessionRequest
    assert await reason(trackers.StartSession(start())) == ("INVALID_ARGUMENT", "PROJECT_REQUIRED")
    assert await reason(trackers.StartSession(start(project_id=2**40))) == ("NOT_FOUND", "PROJECT_NOT_FOUND")
    web = owner_on(owner.rest, "web").app["appKey"]
    assert await reason(trackers.StartSession(start(project_key=web))) == ("PERMISSION_DENIED", "NOT_A_MOBILE_APP")
    assert await reason(trackers.AppendMessages(append(), metadata=bad)) == ("UNAUTHENTICATED", "INVALID_SESSION_TOKEN")
    assert await reason(trackers.AppendMessages(append())) == ("UNAUTHENTICATED", "INVALID_SESSION_TOKEN")
    too_large = append(batch=bytes(1_000_001))
    assert await reason(trackers.AppendMessages(too_large, metadata=good)) == ("INVALID_ARGUMENT", "BATCH_TOO_LARGE")
    for steps, told in (
        ([Step(chunk=JPEG)], ("INVALID_ARGUMENT", "INVALID_UPLOAD")),
        ([Step(file="a"), Step(chunk=b"no picture")], ("INVALID_ARGUMENT", "INVALID_UPLOAD")),
        ([Step(file="a"), *[Step(chunk=bytes(1_000_000))] * 11], ("INVALID_ARGUMENT", "UPLOAD_TOO_LARGE")),
        ([Step(project="of somebody else")], ("UNAUTHENTICATED", "INVALID_SESSION_TOKEN")),
    ):
        assert await reason(trackers.UploadImages(iter(steps), metadata=good)) == told


def test_a_separate_facade_records_and_replays(
    engine: str,
    start_collector: Callable[..., Collector],
    connect: Callable[[str], Rest],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = start_collector(engine, command="serve-grpc", env=UNTHROTTLED)
    with Collector(tmp_path_factory.mktemp("facade"), "serve-rest", "--target", server.grpc) as facade:
        owner = owner_on(connect(facade.rest))
        tracker = owner.tracker("/ingest/v1/mobile", "android")
        tracker.start()
        tracker.note(
            105, now_ms(), type="request", method="GET", url="/a", request="{}", response="no", status=500, duration=7
        )
        assert tracker.flush("i").status_code == 200
        [call] = [message for message in owner.messages(tracker.session_id) if message["type"] == 105]
        assert call["fields"] == {
            "type": "request", "method": "GET", "url": "/a", "request": "{}", "response": "no", "status": 500, "duration": 7,
        }  # fmt: skip
        large = JPEG + bytes(4_000_000)
        shots = frames_of([(now_ms(), large), (now_ms() + 1, PNG)])
        assert tracker.upload([("a.gz", shots)]).status_code == 200
        [first, _] = owner.get(f"/api/sessions/{tracker.session_id}/images")["images"]
        path = f"/api/sessions/{tracker.session_id}/images/{first['name']}"
        assert owner.rest.http.get(path, headers=owner.account.headers).content == large
        assert tracker.upload([("a.gz", b"no picture")]).status_code == 400
        assert tracker.post("i", b"x", token="x").status_code == 401
