"""Recorded sessions over HTTP on both engines: started, sent, read back."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from server.mobile.codec import Message
from server.mobile.messages import json_name
from tests.client import Rest
from tests.mobile.conftest import Owner, owner_on
from tests.mobile.tracker import CLICK, LOG, PERFORMANCE
from tests.sample import now_ms

Json = dict[str, Any]
PREFIXES = ("/v1/ios", "/v1/mobile", "/ingest/v1/ios", "/ingest/v1/mobile")


def shown(message: Message) -> Json:
    """A message as the timeline shows it."""
    return {
        "index": message.index,
        "type": message.type,
        "name": message.name,
        "timestamp": message.timestamp_ms,
        "fields": message.fields,
    }


def in_time(messages: list[Message]) -> list[Json]:
    return [shown(message) for message in sorted(messages, key=lambda m: (m.timestamp_ms, m.index))]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("call", ["append", "i"])
def test_a_session_reads_back_as_it_was_sent(owner: Owner, prefix: str, call: str) -> None:
    tracker = owner.tracker(prefix)
    answer = tracker.start()
    assert answer.status_code == 200, answer.text
    began = now_ms()
    for batch in range(3):
        for place in range(5):
            tracker.note(LOG, began + batch * 100 + place, severity="info", content=f"line {place} of {batch}")
        answer = tracker.flush(call)
        assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")
    assert owner.messages(tracker.session_id) == in_time(tracker.sent)
    assert owner.messages(tracker.session_id, page_size=4) == in_time(tracker.sent)


def test_start_answers_what_trackers_ask_for(owner: Owner) -> None:
    said = owner.tracker().start().json()
    assert said == {
        "token": said["token"],
        "imagesHashList": [],
        "userUUID": said["userUUID"],
        "beaconSizeLimit": 1_000_000,
        "sessionID": said["sessionID"],
        "quality": "low",
        "fps": 1,
        "projectID": str(owner.app["projectId"]),
        "framesSupport": True,
    }
    assert int(said["sessionID"]) > 2**53


def test_start_takes_the_fields_of_every_generation(owner: Owner) -> None:
    body = {
        "projectID": owner.app["projectId"],
        "trackerVersion": "0.9",
        "revID": "2.1.0",
        "userUUID": "0c2e4b2a-3a39-4f0d-9d0b-0d7a4f2f9a11",
        "userOSVersion": "17.1",
        "userDevice": "iPhone15,2",
        "userDeviceType": 1,
        "performance": None,
        "performances": {"physicalMemory": 4096},
        "timezone": "UTC+02:00",
        "deviceMemory": 4096000,
        "doNotRecord": False,
        "condition": None,
        "width": 390.5,
        "height": 844,
        "somethingNew": [1, {"deep": True}],
    }
    answer = owner.rest.http.post("/v1/ios/start", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["userUUID"] == body["userUUID"]
    found = owner.session(answer.json()["sessionID"])
    assert found["session"]["release"] == "2.1.0"
    assert found["session"]["deviceType"] == "mobile"
    assert found["start"]["userDeviceType"] == 1
    assert found["start"]["performances"] == {"physicalMemory": 4096}
    assert found["start"]["width"] == 390.5
    assert found["start"]["somethingNew"] == [1, {"deep": True}]


@pytest.mark.parametrize("media_type", [None, "application/x-www-form-urlencoded", "application/json; charset=utf-8"])
def test_start_is_json_under_any_name(owner: Owner, media_type: str | None) -> None:
    headers = {} if media_type is None else {"content-type": media_type}
    body = json.dumps({"projectKey": owner.app["appKey"]}).encode()
    assert owner.rest.http.post("/v1/mobile/start", content=body, headers=headers).status_code == 200


def test_start_is_refused_for_a_reason(rest: Rest, owner: Owner) -> None:
    def answer(**body: Any) -> tuple[int, str]:
        found = rest.http.post("/v1/ios/start", json=body)
        return found.status_code, found.json()["code"]

    web = owner_on(rest, "web")
    assert answer(trackerVersion="1.0.14") == (400, "PROJECT_REQUIRED")
    assert answer(projectKey=None, projectID=None) == (400, "PROJECT_REQUIRED")
    assert answer(projectKey="nobody's") == (404, "PROJECT_NOT_FOUND")
    assert answer(projectID=2**40) == (404, "PROJECT_NOT_FOUND")
    assert answer(projectID=-1) == (404, "PROJECT_NOT_FOUND")
    assert answer(projectKey=web.app["appKey"]) == (403, "NOT_A_MOBILE_APP")


def test_a_live_token_goes_on_with_its_session(owner: Owner) -> None:
    tracker = owner.tracker()
    first = tracker.start().json()
    again = tracker.start(token=first["token"], userUUID=None).json()
    assert again == first
    other = owner_on(owner.rest).tracker()
    assert other.start(token=first["token"]).json()["sessionID"] != first["sessionID"]
    assert tracker.start(token=first["token"][:-1]).json()["sessionID"] != first["sessionID"]


def test_bad_tokens_are_told_to_start_anew(owner: Owner) -> None:
    tracker = owner.tracker()
    token = tracker.start().json()["token"]
    swapped = token[:-2] + token[-1] + token[-2]
    for bad in ("x", token[:-1], token + "1", swapped if swapped != token else token[1:], "a.b.c.d.e"):
        for call in ("append", "i", "late"):
            answer = tracker.post(call, b"", token=bad)
            assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_SESSION_TOKEN")
            assert answer.headers["www-authenticate"] == "Bearer"
        assert tracker.upload([("a.jpeg", b"")], token=bad).status_code == 401


def test_a_batch_sent_again_is_stored_once(owner: Owner) -> None:
    tracker = owner.tracker()
    tracker.start()
    tracker.note(LOG, now_ms(), severity="info", content="once")
    batch = tracker._batch()
    for compress in (True, False, True):
        assert tracker.post("i", batch, compress=compress).status_code == 200
    assert owner.messages(tracker.session_id) == in_time(tracker.sent)
    assert owner.session(tracker.session_id)["session"]["counters"]["batches"] == 1


def test_messages_put_back_and_sent_again_are_shown_once(owner: Owner) -> None:
    tracker = owner.tracker()
    tracker.start()
    began = now_ms()
    for place in range(3):
        tracker.note(LOG, began + place // 2, severity="info", content="the same line")
    assert tracker.flush(lose_answer=True).status_code == 200
    tracker.note(LOG, began + 5, severity="info", content="a new line")
    tracker.flush()
    lines = [message for message in owner.messages(tracker.session_id) if message["type"] == LOG]
    assert [(line["timestamp"] - began, line["fields"]["content"]) for line in lines] == [
        (0, "the same line"),
        (0, "the same line"),
        (1, "the same line"),
        (5, "a new line"),
    ]


def test_batches_may_overtake_each_other(owner: Owner) -> None:
    tracker = owner.tracker()
    tracker.start()
    began = now_ms()
    batches = []
    for number in range(4):
        tracker.note(LOG, began + number * 10, severity="info", content=str(number))
        batches.append(tracker._batch())
        tracker.flushed += 2
        tracker.waiting.clear()
    for batch in reversed(batches):
        assert tracker.post("append", batch).status_code == 200
    assert owner.messages(tracker.session_id) == in_time(tracker.sent)
    stretch = owner.messages(tracker.session_id, start=began + 10, end=began + 20)
    assert [message["fields"]["content"] for message in stretch if message["type"] == LOG] == ["1", "2"]


def test_every_vector_reads_as_listed(owner: Owner, golden_dir: Path) -> None:
    vectors = json.loads((golden_dir / "openreplay-vectors.json").read_text())
    for vector in vectors:
        if vector["kind"] != "batch" or "decoded" not in vector or "error" in vector or "web" in vector["name"]:
            continue
        if vector["name"] == "server_generated":
            continue  # no tracker sends these
        tracker = owner.tracker()
        tracker.start()
        assert tracker.post("append", bytes.fromhex(vector["hex"])).status_code == 200
        listed = [
            {
                "index": message["index"],
                "type": message["type"],
                "timestamp": message["timestamp"],
                "fields": {
                    json_name(name): value
                    for name, value in message["fields"].items()
                    if name not in {"Timestamp", "Length"}
                },
            }
            for message in vector["decoded"]
        ]
        listed.sort(key=lambda message: (message["timestamp"], message["index"]))
        found = owner.messages(tracker.session_id)
        assert [{key: m[key] for key in ("index", "type", "timestamp", "fields")} for m in found] == listed, vector[
            "name"
        ]


def test_what_cannot_be_read_is_kept_and_flagged(owner: Owner) -> None:
    tracker = owner.tracker()
    tracker.start()
    noise = b"\xff" * 100
    assert tracker.post("append", noise, compress=False).status_code == 200
    assert tracker.post("append", b"").status_code == 200
    found = owner.session(tracker.session_id)["session"]["counters"]
    assert (found["batches"], found["damagedBatches"], found["messages"]) == (1, 1, 0)
    [batch] = owner.get(f"/api/sessions/{tracker.session_id}/batches")["batches"]
    assert (batch["status"], batch["sizeBytes"]) == ("undecodable", 100)
    raw = owner.rest.http.get(
        f"/api/sessions/{tracker.session_id}/batches/{batch['name']}", headers=owner.account.headers
    )
    assert (raw.content, raw.headers["content-type"]) == (noise, "application/octet-stream")


def test_a_cut_gzip_keeps_its_head(owner: Owner) -> None:
    tracker = owner.tracker()
    tracker.start()
    for place in range(400):
        tracker.note(LOG, now_ms() + place, severity="info", content=f"{place * 7919 % 1000:x} line {place}")
    whole = gzip.compress(tracker._batch())
    answer = tracker.post("append", whole[: len(whole) // 2], compress=False)
    assert answer.status_code == 200
    found = owner.messages(tracker.session_id)
    assert 50 < len(found) < 401
    head = [message for message in in_time(tracker.sent) if message["index"] < len(found)]
    assert found == head
    assert owner.session(tracker.session_id)["session"]["counters"]["damagedBatches"] == 1


def test_batches_are_bounded(owner: Owner) -> None:
    tracker = owner.tracker()
    tracker.start()
    assert tracker.post("append", bytes(1_000_000), compress=False).status_code == 200
    assert tracker.post("append", bytes(1_000_001), compress=False).status_code == 413
    bomb = gzip.compress(bytes(50_000_000))
    answer = tracker.post("append", bomb, compress=False)
    assert (answer.status_code, answer.json()["code"]) == (413, "BATCH_TOO_LARGE")


def test_lists_are_filtered(owner: Owner) -> None:
    calm, crashed = owner.tracker(), owner.tracker("/v1/mobile", "android", userDevice="Pixel 8")
    calm.start()
    calm.note(94, now_ms(), id="ann")
    calm.note(92, now_ms(), key="plan", value="gold")
    calm.flush()
    crashed.start()
    crashed.post("i", crashed.crash(now_ms()))
    ids = lambda **filters: {session["id"] for session in owner.sessions(**filters)}  # noqa: E731
    assert ids() == {calm.session_id, crashed.session_id}
    assert ids(user="ann") == {calm.session_id}
    assert ids(user=crashed.user_uuid) == {crashed.session_id}
    assert ids(device="Pixel 8") == {crashed.session_id}
    assert ids(platform="android") == {crashed.session_id}
    assert ids(hasCrash="true") == {crashed.session_id}
    assert ids(hasCrash="false") == {calm.session_id}
    assert ids(hasSignal="true") == set()
    assert ids(start=now_ms() + 60_000) == set()
    [first] = owner.get("/api/sessions", appKey=owner.app["appKey"], pageSize=1)["sessions"]
    page = owner.get("/api/sessions", appKey=owner.app["appKey"], pageSize=1)
    [second] = owner.get("/api/sessions", appKey=owner.app["appKey"], pageSize=1, pageToken=page["nextPageToken"])[
        "sessions"
    ]
    assert {first["id"], second["id"]} == ids()
    found = owner.session(calm.session_id)["session"]
    assert (found["userId"], found["metadata"]) == ("ann", {"plan": "gold"})


def test_sessions_of_others_do_not_exist(owner: Owner) -> None:
    tracker = owner.tracker()
    tracker.start()
    tracker.note(LOG, now_ms(), severity="info", content="mine")
    tracker.flush()
    stranger = owner.rest.register()
    for path in ("", "/messages", "/images", "/images/x", "/screenshot", "/batches", "/batches/x"):
        answer = owner.rest.http.get(f"/api/sessions/{tracker.session_id}{path}", headers=stranger.headers)
        none = owner.rest.http.get(f"/api/sessions/123{path}", headers=stranger.headers)
        assert (answer.status_code, answer.json()) == (404, none.json())
    assert owner.rest.get(stranger, "/api/sessions")["sessions"] == []


def test_rage_taps_and_freezes_reach_over_batches(owner: Owner) -> None:
    tracker = owner.tracker()
    began = now_ms() - 200_000
    tracker.start(timestamp=began)
    batches = []
    for taps in ((0, 100), (200, 5_000), (80_000,)):
        for at in taps:
            tracker.note(CLICK, began + at, label="Buy", x=1, y=2)
        tracker.note(PERFORMANCE, began + taps[-1] + 1, name="fps", value=60)
        batches.append(tracker._batch())
        tracker.flushed += len(tracker.waiting) + 1
        tracker.waiting.clear()
    for batch in (batches[0], batches[2], batches[1]):
        assert tracker.post("append", batch).status_code == 200
    signals = owner.session(tracker.session_id)["signals"]
    assert [(s["kind"], s["startedAt"] - began, s["endedAt"] - began, s["count"]) for s in signals] == [
        ("rage_taps", 0, 200, 3),
        ("freeze", 5_001, 80_000, 1),
    ]
    [found] = owner.sessions(hasSignal="true")
    assert (found["counters"]["rageTaps"], found["counters"]["freezes"]) == (1, 1)
    assert found["counters"]["taps"] == 5


def test_conditions_are_none(owner: Owner) -> None:
    for prefix in ("", "/ingest"):
        answer = owner.rest.http.get(f"{prefix}/v1/mobile/conditions/{owner.app['projectId']}")
        assert (answer.status_code, answer.json()) == (200, {"conditions": []})


def test_a_session_that_is_not_to_be_recorded_is_not_listed(owner: Owner) -> None:
    tracker = owner.tracker()
    assert tracker.start(doNotRecord=True).status_code == 200
    assert owner.sessions() == []
    tracker.note(LOG, now_ms(), severity="info", content="all the same")
    tracker.flush()
    assert [session["id"] for session in owner.sessions()] == [tracker.session_id]
