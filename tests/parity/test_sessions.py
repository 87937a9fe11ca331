"""Recorded mobile sessions: begun, filled and shown alike through every door."""

import gzip
from dataclasses import dataclass

import pytest

from server.mobile.codec import Message, encode_batch, encode_message
from server.mobile.messages import CLICK, CRASH, Layout, all_types
from tests.mobile.tracker import JPEG, LOG, NETWORK, PNG, frames_of, tar_of
from tests.parity.driver import Driver, Json
from tests.parity.test_scenarios import new_tenant, refusal
from tests.sample import now_ms

INVALID_TOKEN = ("UNAUTHENTICATED", "INVALID_SESSION_TOKEN")


@dataclass(frozen=True)
class Recording:
    """A session that has begun, and the owner of its app."""

    driver: Driver
    owner: str
    app: Json
    token: str
    id: str

    async def messages(self, page_size: int = 1_000, **filters: object) -> list[Json]:
        """The whole timeline, page by page."""
        found: list[Json] = []
        position: Json = {}
        while True:
            page = await self.driver.session_messages(self.owner, self.id, pageSize=page_size, **filters, **position)
            found += page["messages"]
            if not page.get("nextPageToken"):
                return found
            position = {"pageToken": page["nextPageToken"]}

    async def counters(self) -> Json:
        counters: Json = (await self.driver.session(self.owner, self.id))["session"]["counters"]
        return counters


async def record(driver: Driver, type: str = "ios", **fields: object) -> Recording:
    """A new owner with a new app, and a session of it."""
    tenant = await new_tenant(driver)
    app = (await driver.create_app(tenant.token, "Phone", type))["app"]
    said = await driver.start_session(projectKey=app["appKey"], **fields)
    return Recording(driver, tenant.token, app, said["token"], said["sessionID"])


@pytest.fixture
async def recording(driver: Driver) -> Recording:
    return await record(driver)


def batch(first: int, *messages: tuple[int, int, Json], platform: str = "ios") -> bytes:
    """A batch as trackers write it, with its meta in front."""
    names = all_types(Layout.CURRENT)
    meta = (107, messages[0][1] if messages else now_ms(), {"firstIndex": first})
    return encode_batch(
        (
            Message(first + place, type_id, names[type_id].name, time_ms, fields)
            for place, (type_id, time_ms, fields) in enumerate((meta, *messages))
        ),
        platform=platform,
    )


def line(time_ms: int, content: str) -> tuple[int, int, Json]:
    return LOG, time_ms, {"severity": "info", "content": content}


def crash(time_ms: int) -> bytes:
    return encode_message(CRASH, time_ms, {"name": "SIGSEGV", "reason": "at 0x0", "stacktrace": "0 Shop 0x1 pay"})


async def test_start_answers_what_trackers_ask_for(driver: Driver, recording: Recording) -> None:
    uuid = "0c2e4b2a-3a39-4f0d-9d0b-0d7a4f2f9a11"
    said = await driver.start_session(
        projectID=recording.app["projectId"], userUUID=uuid, somethingNew=[1, {"a": True}]
    )
    assert said == {
        "token": said["token"],
        "imagesHashList": [],
        "userUUID": uuid,
        "beaconSizeLimit": 1_000_000,
        "sessionID": said["sessionID"],
        "quality": "low",
        "fps": 1,
        "projectID": str(recording.app["projectId"]),
        "framesSupport": True,
    }
    resumed = await driver.start_session(projectID=recording.app["projectId"], token=said["token"])
    assert resumed == said
    kept = (await driver.session(recording.owner, said["sessionID"]))["start"]
    assert kept["somethingNew"] == [1, {"a": True}]


async def test_start_is_refused_for_a_reason(driver: Driver, recording: Recording) -> None:
    web = (await driver.create_app(recording.owner, "Site", "web"))["app"]
    closed = (await driver.create_app(recording.owner, "Closed", "android"))["app"]
    await driver.update_app(recording.owner, closed["id"], settings={"captureRate": 0})
    for fields, expected in (
        ({}, ("INVALID_ARGUMENT", "PROJECT_REQUIRED")),
        ({"projectKey": "nobody's"}, ("NOT_FOUND", "PROJECT_NOT_FOUND")),
        ({"projectID": 2**40}, ("NOT_FOUND", "PROJECT_NOT_FOUND")),
        ({"projectKey": web["appKey"]}, ("PERMISSION_DENIED", "NOT_A_MOBILE_APP")),
        ({"projectKey": closed["appKey"]}, ("PERMISSION_DENIED", "NOT_SAMPLED")),
    ):
        assert await refusal(driver.start_session(**fields)) == expected


async def test_batches_read_back_as_they_were_sent(recording: Recording) -> None:
    driver, at = recording.driver, now_ms()
    first = batch(0, line(at, "one"), line(at + 1, "two"))
    second = batch(3, line(at + 2, "three"), (CLICK, at + 3, {"label": "Buy", "x": 1, "y": 2}))
    for sent in (second, first, gzip.compress(first), second):
        await driver.append(recording.token, sent)
    whole = await recording.messages()
    assert [message["index"] for message in whole if message["type"] != 107] == [1, 2, 4, 5]
    assert whole[-1] == {
        "index": 5,
        "type": CLICK,
        "name": "MobileClickEvent",
        "timestamp": at + 3,
        "fields": {"label": "Buy", "x": 1, "y": 2},
    }
    assert await recording.messages(page_size=1) == whole
    stretch = await recording.messages(start=at + 1, end=at + 2)
    assert [message["fields"]["content"] for message in stretch if message["type"] == LOG] == ["two", "three"]
    counters = await recording.counters()
    assert (counters["batches"], counters["messages"], counters["damagedBatches"]) == (2, 6, 0)
    assert counters["taps"] == 1


async def test_raw_batches_are_exported_byte_for_byte(recording: Recording) -> None:
    driver = recording.driver
    sent = [batch(0, line(now_ms(), "good")), b"\xff" * 100]
    for one in sent:
        await driver.append(recording.token, one)
    page = await driver.session_batches(recording.owner, recording.id, pageSize=1)
    rest = await driver.session_batches(recording.owner, recording.id, pageSize=1, pageToken=page["nextPageToken"])
    listed = page["batches"] + rest["batches"]
    assert [one["status"] for one in listed] == ["complete", "undecodable"]
    found = [await driver.session_batch(recording.owner, recording.id, one["name"]) for one in listed]
    assert found == [("application/octet-stream", one) for one in sent]
    assert await refusal(driver.session_batch(recording.owner, recording.id, "x")) == ("NOT_FOUND", "BATCH_NOT_FOUND")


async def test_an_android_call_is_cured(driver: Driver) -> None:
    recording = await record(driver, "android", platform="android")
    call = {
        "type": "request", "method": "GET", "url": "/a", "request": "{}", "response": "no", "status": 500, "duration": 7,
    }  # fmt: skip
    await driver.append(recording.token, batch(0, (NETWORK, now_ms(), call), platform="android"))
    [found] = [message["fields"] for message in await recording.messages() if message["type"] == NETWORK]
    assert found == call


async def test_a_crash_is_one_event_that_leads_to_its_session_and_back(recording: Recording) -> None:
    driver, one = recording.driver, crash(now_ms())
    await driver.append(recording.token, one)
    await driver.append(recording.token, one, late=True)
    [issue] = (await driver.issues(recording.owner, appKey=recording.app["appKey"]))["issues"]
    [event] = (await driver.issue_events(recording.owner, issue["id"]))["events"]
    assert (issue["eventCount"], event["replay"]["sessionId"]) == (1, recording.id)
    detail = await driver.session(recording.owner, recording.id)
    assert detail["issueIds"] == [issue["id"]]
    assert [signal["kind"] for signal in detail["signals"]] == ["crash"]
    assert detail["session"]["counters"]["crashes"] == 1
    filters = {"appKey": recording.app["appKey"], "hasCrash": True}
    [listed] = (await driver.sessions(recording.owner, **filters))["sessions"]
    assert listed == detail["session"]


async def test_screenshots_are_shown_at_their_instants(recording: Recording) -> None:
    driver, at = recording.driver, now_ms()
    key = recording.app["appKey"]
    await driver.upload(recording.token, [("a", tar_of(at, [(at, JPEG)])), ("b", frames_of([(at + 10, PNG)]))], key)
    await driver.upload(recording.token, [("a", tar_of(at, [(at, JPEG)]))])
    listed = (await driver.session_images(recording.owner, recording.id))["images"]
    assert [(one["takenAt"], one["contentType"]) for one in listed] == [(at, "image/jpeg"), (at + 10, "image/png")]
    found = [await driver.session_image(recording.owner, recording.id, one["name"]) for one in listed]
    assert found == [("image/jpeg", JPEG), ("image/png", PNG)]
    assert (await driver.session_screenshot(recording.owner, recording.id, at + 9))[1] == JPEG
    assert (await driver.session_screenshot(recording.owner, recording.id))[1] == PNG
    missing = driver.session_screenshot(recording.owner, recording.id, at - 1)
    assert await refusal(missing) == ("NOT_FOUND", "IMAGE_NOT_FOUND")


async def test_a_large_picture_passes_every_door(recording: Recording) -> None:
    large = JPEG + bytes(4_000_000)
    await recording.driver.upload(recording.token, [("a", large)])
    assert await recording.driver.session_screenshot(recording.owner, recording.id) == ("image/jpeg", large)


async def test_uploads_are_taken_whole_or_refused(recording: Recording) -> None:
    driver = recording.driver
    for files, project, expected in (
        ([("good", JPEG), ("bad", b"no picture")], "", ("INVALID_ARGUMENT", "INVALID_UPLOAD")),
        ([(str(place), JPEG) for place in range(101)], "", ("INVALID_ARGUMENT", "UPLOAD_TOO_LARGE")),
        ([("good", JPEG)], "of somebody else", INVALID_TOKEN),
    ):
        assert await refusal(driver.upload(recording.token, files, project)) == expected
    assert (await driver.session_images(recording.owner, recording.id))["images"] == []


async def test_bad_tokens_are_refused_on_every_call(recording: Recording) -> None:
    driver = recording.driver
    for token in (None, "x", recording.token[:-1], recording.owner):
        assert await refusal(driver.append(token, crash(now_ms()))) == INVALID_TOKEN
        assert await refusal(driver.append(token, crash(now_ms()), late=True)) == INVALID_TOKEN
        assert await refusal(driver.upload(token, [("a", JPEG)])) == INVALID_TOKEN
    assert (await recording.counters())["batches"] == 0


async def test_a_batch_has_a_limit(recording: Recording) -> None:
    bomb = gzip.compress(bytes(20_000_000))
    assert await refusal(recording.driver.append(recording.token, bomb)) == ("INVALID_ARGUMENT", "BATCH_TOO_LARGE")


async def test_totals_tell_how_many_sessions_crashed(recording: Recording) -> None:
    driver, owner, key = recording.driver, recording.owner, recording.app["appKey"]
    await driver.append(
        recording.token, encode_message(CRASH, now_ms(), dict.fromkeys(("name", "reason", "stacktrace"), "x"))
    )
    await driver.start_session(projectKey=key, timestamp=now_ms() - 3_600_000)
    assert await driver.session_totals(owner, appKey=key) == {"sessions": 2, "crashedSessions": 1}
    assert await driver.session_totals(owner, appKey=key, end=now_ms() - 1_800_000) == {
        "sessions": 1,
        "crashedSessions": 0,
    }
    stranger = await new_tenant(driver)
    assert await driver.session_totals(stranger.token, appKey=key) == {"sessions": 0, "crashedSessions": 0}


async def test_sessions_of_others_do_not_exist(recording: Recording) -> None:
    driver, id = recording.driver, recording.id
    stranger = (await new_tenant(driver)).token
    for call in (driver.session, driver.session_messages, driver.session_images, driver.session_batches):
        assert (
            await refusal(call(stranger, id))
            == await refusal(call(stranger, "1"))
            == ("NOT_FOUND", "SESSION_NOT_FOUND")
        )
    assert await refusal(driver.session_screenshot(stranger, id)) == ("NOT_FOUND", "SESSION_NOT_FOUND")
    assert (await driver.sessions(stranger))["sessions"] == []


async def test_there_are_no_conditions(driver: Driver, recording: Recording) -> None:
    assert await driver.conditions(str(recording.app["projectId"])) == {"conditions": []}


async def test_deleting_an_app_ends_its_sessions_at_once(recording: Recording) -> None:
    driver = recording.driver
    await driver.append(recording.token, crash(now_ms()))
    await driver.delete_app(recording.owner, recording.app["id"])
    assert await refusal(driver.append(recording.token, crash(now_ms()))) == INVALID_TOKEN
    assert await refusal(driver.session(recording.owner, recording.id)) == ("NOT_FOUND", "SESSION_NOT_FOUND")
