"""Tests of the verdict on one event and of the time it counts at."""

import math
from collections.abc import Collection

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from healthguard.v1 import event_pb2 as event_pb

from server.ingest.judge import event_time_ms, judge
from tests.unit.ingest.events import NOW_MS, make_event

APP_KEYS = frozenset({"web_key", "web_old"})
DAY_MS = 24 * 60 * 60 * 1000
MAX_AGE_MS = 30 * DAY_MS

TEXT = 1 << 20
BOUNDS = [
    ("event_id", "eventId", 128),
    ("type", "type", 64),
    ("platform", "platform", 64),
    ("session_id", "sessionId", 128),
    ("anonymous_id", "anonymousId", 256),
    ("user_id", "userId", 256),
    ("sdk_version", "sdkVersion", 64),
    ("release", "release", 256),
    ("environment", "environment", 64),
    ("fingerprint", "fingerprint", 256),
    ("error_type", "errorType", 64),
    ("method", "method", 64),
    ("name", "name", 128),
    ("rating", "rating", 64),
    ("page_url", "pageUrl", TEXT),
    ("page", "page", TEXT),
    ("scene", "scene", TEXT),
    ("message", "message", TEXT),
    ("stack", "stack", TEXT),
    ("filename", "filename", TEXT),
    ("url", "url", TEXT),
    ("error_message", "errorMessage", TEXT),
]


def fault_of(event: event_pb.Event, app_keys: Collection[str] = APP_KEYS) -> event_pb.FieldFault | None:
    return judge(event, event.ByteSize(), app_keys)


def verdict(event: event_pb.Event) -> tuple[str, str] | None:
    fault = fault_of(event)
    return (fault.field, fault.code) if fault else None


def test_judge_takes_event_with_nothing_but_the_required_fields():
    assert fault_of(make_event()) is None


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (make_event(event_id=""), ("eventId", "EVENT_ID_REQUIRED")),
        (make_event(type=""), ("type", "TYPE_REQUIRED")),
        (make_event(timestamp=None), ("timestamp", "TIMESTAMP_REQUIRED")),
        (make_event(timestamp=Timestamp(seconds=253_402_300_800)), ("timestamp", "INVALID_TIMESTAMP")),
        (make_event(timestamp=Timestamp(seconds=-62_135_596_801)), ("timestamp", "INVALID_TIMESTAMP")),
        (make_event(timestamp=Timestamp(seconds=1, nanos=-1)), ("timestamp", "INVALID_TIMESTAMP")),
        (make_event(timestamp=Timestamp(seconds=1, nanos=1_000_000_000)), ("timestamp", "INVALID_TIMESTAMP")),
        (make_event(app_key="other"), ("appKey", "APP_KEY_MISMATCH")),
        (make_event(app_key=""), ("appKey", "APP_KEY_MISMATCH")),
        (make_event(breadcrumbs=[event_pb.Breadcrumb()] * 501), ("breadcrumbs", "TOO_LONG")),
        (event_pb.Event(), ("eventId", "EVENT_ID_REQUIRED")),
    ],
)
def test_judge_names_field_and_reason_of_a_fault(event, expected):
    assert verdict(event) == expected


@pytest.mark.parametrize(("field", "json_name", "limit"), BOUNDS)
def test_judge_takes_text_at_its_bound_and_rejects_one_more(field, json_name, limit):
    assert verdict(make_event(**{field: "é" * limit})) is None
    assert verdict(make_event(**{field: "é" * (limit + 1)})) == (json_name, "TOO_LONG")


def test_judge_bounds_every_text_an_event_has():
    strings = {field.name for field in event_pb.Event.DESCRIPTOR.fields if field.type == field.TYPE_STRING}
    assert strings - {"app_key"} == {field for field, _, _ in BOUNDS}


def test_judge_takes_fields_that_fit_each_but_not_together():
    event = make_event(**{field: "x" * limit for field, _, limit in BOUNDS if limit < TEXT})
    assert verdict(event) is None


def test_judge_answers_the_first_fault_of_the_door_before_its_own():
    first = event_pb.FieldFault(field="message", code="WRONG_TYPE", message="message must be text")
    event = event_pb.Event(faults=[first, event_pb.FieldFault(field="url", code="WRONG_TYPE")])
    assert fault_of(event) == first


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "log", "platform": "toaster", "rating": "fine", "environment": "staging"},
        {"value": math.nan, "duration": math.inf},
        {"duration": -1.0, "status": -1},
        {"message": "a\0b", "user_id": "\0"},
        {"message": "", "fingerprint": "", "session_id": ""},
        {"timestamp": Timestamp()},
        {"timestamp": Timestamp(seconds=-1, nanos=995_000_000)},
        {"app_key": "web_key"},
        {"app_key": "web_old"},
        {"breadcrumbs": [event_pb.Breadcrumb()] * 500},
    ],
)
def test_judge_tolerates_what_a_store_can_hold(fields):
    assert verdict(make_event(**fields)) is None


def test_judge_takes_everything_that_sdks_sent(sdk_events):
    assert [fault_of(event, {event.app_key}) for event in sdk_events] == [None] * len(sdk_events)


@pytest.mark.parametrize(
    ("client_ms", "expected"),
    [
        (NOW_MS, NOW_MS),
        (NOW_MS + 5 * 60_000, NOW_MS + 5 * 60_000),
        (NOW_MS + 5 * 60_000 + 1, NOW_MS),
        (NOW_MS - MAX_AGE_MS, NOW_MS - MAX_AGE_MS),
        (NOW_MS - MAX_AGE_MS - 1, NOW_MS),
        (0, NOW_MS),
        (-5, NOW_MS),
    ],
)
def test_event_time_is_the_clients_only_where_plausible(client_ms, expected):
    event = make_event()
    event.timestamp.FromMilliseconds(client_ms)
    assert event_time_ms(event, NOW_MS, MAX_AGE_MS) == expected


def test_event_time_rounds_down_to_milliseconds():
    event = make_event(timestamp=Timestamp(seconds=NOW_MS // 1000, nanos=1_999_999))
    assert event_time_ms(event, NOW_MS, MAX_AGE_MS) == NOW_MS + 1
    before_1970 = make_event(timestamp=Timestamp(seconds=-1, nanos=999_999))
    assert event_time_ms(before_1970, 0, DAY_MS) == -1000
