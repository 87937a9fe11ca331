"""JSON events become messages and come back as they were sent; what cannot is a fault of that event alone."""

import json
import math

import pytest
from google.protobuf.message_factory import GetMessageClass
from healthguard.v1 import event_pb2, event_service_pb2, issue_pb2, issue_service_pb2
from hypothesis import given, strategies as st

from rest_facade.contract import load_document, operations
from rest_facade.json_input import MessageReader
from rest_facade.json_output import MessageWriter
from rest_facade.json_text import parse_json

_OPERATIONS = {operation.id: operation for operation in operations(load_document())}
_INGEST, _DETAIL = _OPERATIONS["ingestEvents"], _OPERATIONS["getIssue"]
_READER = MessageReader(_INGEST.rpc.input_type, _INGEST.body)
_WRITER = MessageWriter(_DETAIL.rpc.output_type, _DETAIL.response)


def read(*events: object) -> event_service_pb2.IngestEventsRequest:
    request = GetMessageClass(_INGEST.rpc.input_type)()
    faults = _READER.fill(request, {"appKey": "k", "events": list(events)})
    assert not faults
    return request


def written(request: event_service_pb2.IngestEventsRequest) -> list[dict]:
    """The events as REST shows them; without the two words that are always shown where a test left them out."""
    events = _WRITER.write(issue_service_pb2.GetIssueResponse(events=request.events))["events"]
    return [
        {key: value for key, value in event.items() if value != "" or key not in {"eventId", "type"}}
        for event in events
    ]


def faults_of(event: object) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in read(event).events[0].faults]


def nested(levels: int) -> dict:
    value: dict = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


# Doubles from JSON text; whole numbers a double holds exactly, as JavaScript has no others.
_NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_ANY = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_OBJECTS = st.dictionaries(_TEXT, _ANY, max_size=3)
_TIMES = st.integers(-62_135_596_800_000, 253_402_300_799_999) | _NUMBERS
_UNKNOWN = st.dictionaries(
    st.sampled_from(["extra", "faults", "event_id", "traceId", "", "Übung", "a.b"]), _ANY, max_size=3
)


def _like(strategies: dict) -> st.SearchStrategy[dict]:
    return st.tuples(st.fixed_dictionaries({}, optional=strategies), _UNKNOWN).map(lambda pair: {**pair[1], **pair[0]})


_BREADCRUMB = _like({"type": _TEXT, "message": _TEXT, "timestamp": _NUMBERS, "data": _OBJECTS})
_DEVICE = _like({"model": _TEXT, "screenWidth": _NUMBERS, "userAgent": _TEXT})
_EVENT = _like(
    {
        "eventId": _TEXT.filter(bool),
        "type": _TEXT.filter(bool),
        "timestamp": st.integers(-62_135_596_800_000, 253_402_300_799_999)
        | st.floats(-1e14, 1e14).filter(lambda ms: ms > -6e13),
        "appKey": _TEXT,
        "lineno": _NUMBERS,
        "status": _NUMBERS,
        "duration": _NUMBERS,
        "value": _NUMBERS,
        "success": st.booleans(),
        "stack": _TEXT,
        "context": _OBJECTS,
        "requestData": _OBJECTS,
        "deviceInfo": _DEVICE,
        "breadcrumb": _BREADCRUMB,
        "breadcrumbs": st.lists(_BREADCRUMB, max_size=3),
    }
)


@given(_EVENT)
def test_event_comes_back_equal(event: dict) -> None:
    request = read(event)
    assert not request.events[0].faults
    assert written(request) == [event]


@given(_EVENT)
def test_event_survives_the_wire(event: dict) -> None:
    request = event_service_pb2.IngestEventsRequest.FromString(read(event).SerializeToString())
    assert written(request) == [event]


def test_recorded_events_come_back_equal(golden_dir) -> None:
    lines = (golden_dir / "sdk-traffic.jsonl").read_bytes().splitlines()
    batches = [
        line["request"]["body"]["events"] for line in map(parse_json, lines) if line["kind"] in {"batch", "rejected"}
    ]
    assert len(batches) > 100
    for events in batches:
        # A null is absent by definition.
        assert written(read(*events)) == [
            {key: value for key, value in event.items() if value is not None} for event in events
        ]


@pytest.mark.parametrize("whole", [0, 1, -5, 1795355475472, 1790000000000.0, 5.0])
def test_whole_numbers_stay_whole(whole: float) -> None:
    [event] = written(read({"timestamp": whole, "value": whole, "context": {"n": whole}}))
    assert json.dumps(event) == json.dumps({"timestamp": int(whole), "context": {"n": int(whole)}, "value": int(whole)})


def test_fractions_of_a_millisecond_are_kept() -> None:
    request = read({"timestamp": 1790000000000.5})
    assert request.events[0].timestamp.nanos == 500_000
    assert written(request) == [{"timestamp": 1790000000000.5}]


def test_fraction_finer_than_a_nanosecond_comes_back() -> None:
    assert written(read({"timestamp": 5.123456789012345})) == [{"timestamp": 5.123456789012345}]


@pytest.mark.parametrize("value", [1.5, 2**31, -(2**31) - 1, 1e300])
def test_number_that_int32_cannot_hold_is_kept_beside(value: float) -> None:
    request = read({"lineno": value})
    assert not request.events[0].HasField("lineno")
    assert written(request) == [{"lineno": value}]


@pytest.mark.parametrize(
    "empty", [{"breadcrumbs": []}, {"context": {}}, {"deviceInfo": {}}, {"context": {"a": [], "b": {}}}]
)
def test_empty_values_come_back(empty: dict) -> None:
    assert written(read(empty)) == [empty]


def test_null_is_absent() -> None:
    request = read({"userId": None, "deviceInfo": None, "breadcrumbs": None, "timestamp": None, "success": None})
    assert request.events[0] == event_pb2.Event()


def test_unknown_keys_stay_at_their_level() -> None:
    event = {"deviceInfo": {"model": "m", "x": 1}, "breadcrumbs": [{"type": "t", "y": [None]}], "z": {"deep": True}}
    request = read(event)
    assert request.events[0].device_info.extra["x"] == 1
    assert written(request) == [event]


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        ({"eventId": 1}, ("eventId", "WRONG_TYPE")),
        ({"platform": ["web"]}, ("platform", "WRONG_TYPE")),
        ({"timestamp": "1"}, ("timestamp", "WRONG_TYPE")),
        ({"timestamp": True}, ("timestamp", "WRONG_TYPE")),
        ({"timestamp": 1e20}, ("timestamp", "INVALID_TIMESTAMP")),
        ({"timestamp": 2**70}, ("timestamp", "INVALID_TIMESTAMP")),
        ({"success": "no"}, ("success", "WRONG_TYPE")),
        ({"success": 1}, ("success", "WRONG_TYPE")),
        ({"duration": True}, ("duration", "WRONG_TYPE")),
        ({"lineno": "1"}, ("lineno", "WRONG_TYPE")),
        ({"context": []}, ("context", "WRONG_TYPE")),
        ({"deviceInfo": "x"}, ("deviceInfo", "WRONG_TYPE")),
        ({"deviceInfo": {"screenWidth": "x"}}, ("deviceInfo.screenWidth", "WRONG_TYPE")),
        ({"breadcrumbs": {}}, ("breadcrumbs", "WRONG_TYPE")),
        ({"breadcrumbs": [{}, 1]}, ("breadcrumbs[1]", "WRONG_TYPE")),
        ({"breadcrumbs": [{}, {"timestamp": "x"}]}, ("breadcrumbs[1].timestamp", "WRONG_TYPE")),
        ({"breadcrumb": {"data": 1}}, ("breadcrumb.data", "WRONG_TYPE")),
        (None, ("", "NOT_AN_OBJECT")),
        ("x", ("", "NOT_AN_OBJECT")),
        ([], ("", "NOT_AN_OBJECT")),
    ],
)
def test_wrong_value_is_a_fault_of_its_event(event: object, fault: tuple[str, str]) -> None:
    assert faults_of(event) == [fault]


def test_fault_leaves_the_rest_of_the_event_readable() -> None:
    [event] = read({"eventId": "e", "message": 1}).events
    assert event.event_id == "e"


def test_fault_leaves_the_neighbours_alone() -> None:
    request = read({"eventId": "a"}, 7, {"eventId": "c", "url": 1}, {"eventId": "d"})
    assert [bool(event.faults) for event in request.events] == [False, True, True, False]


def test_breadcrumb_time_out_of_range_is_kept() -> None:
    event = {"breadcrumbs": [{"timestamp": 1e300}]}
    assert faults_of(event) == []
    assert written(read(event)) == [event]


def test_faults_are_bounded() -> None:
    assert len(faults_of({"breadcrumbs": [1] * 10_000})) == 16


@pytest.mark.parametrize("place", ["context", "unknown"])
def test_item_of_24_levels_is_taken_and_decodes(place: str) -> None:
    event = {place: nested(23)}
    request = read(event)
    assert not request.events[0].faults
    decoded = event_service_pb2.IngestEventsRequest.FromString(request.SerializeToString())
    assert written(decoded) == [event]


@pytest.mark.parametrize("place", ["context", "unknown"])
def test_item_of_25_levels_is_a_fault(place: str) -> None:
    assert faults_of({place: nested(24)}) == [(place, "TOO_DEEP")]


def test_lists_nest_as_objects_do() -> None:
    value: list = []
    for _ in range(22):
        value = [value]
    assert faults_of({"context": {"a": value}}) == [("context", "TOO_DEEP")]
    assert faults_of({"context": {"a": value[0]}}) == []


def test_long_key_is_told_short() -> None:
    [(field, code)] = faults_of({"k" * 100_000: nested(24)})
    assert (len(field), code) == (128, "TOO_DEEP")


def test_deepest_breadcrumb_decodes() -> None:
    event = {"breadcrumbs": [{"data": nested(21)}]}
    request = read(event)
    assert not request.events[0].faults
    decoded = event_service_pb2.IngestEventsRequest.FromString(request.SerializeToString())
    assert written(decoded) == [event]


def test_numbers_that_json_cannot_hold_are_still_written() -> None:
    [event] = written(event_service_pb2.IngestEventsRequest(events=[event_pb2.Event(value=math.inf)]))
    assert event["value"] == math.inf


def test_required_fields_show_zeros_and_nulls() -> None:
    issue = _WRITER.write(
        issue_service_pb2.GetIssueResponse(issue=issue_pb2.Issue(status=2, platform_distribution={"web": 3}))
    )["issue"]
    assert issue["eventCount"] == 0
    assert issue["fixedInRelease"] is None
    assert issue["archivedAt"] is None
    assert issue["archived"] is False
    assert issue["status"] == "fixed_pending_release"
    assert issue["platformDistribution"] == {"web": 3}


def test_optional_fields_are_absent_when_unset() -> None:
    operation = _OPERATIONS["ingestEvents"]
    writer = MessageWriter(operation.rpc.output_type, operation.response)
    assert writer.write(event_service_pb2.IngestEventsResponse()) == {"accepted": 0}
