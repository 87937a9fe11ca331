"""Signals are read from a session's messages as people mean them."""

import orjson
import pytest

from server.mobile.beats import Beat, beat, beats_of, pack, unpack
from server.mobile.codec import Message, decode_batch, encode_message, wanted
from server.mobile.messages import Layout
from server.mobile.signals import (
    Crash,
    Freeze,
    Identity,
    PerformanceMark,
    RageTaps,
    crashes,
    failed_network_calls,
    freezes,
    identity,
    network_calls,
    performance_marks,
    rage_taps,
)

START_MS = 1_710_417_000_000


def tapped(at_ms):
    return Message(at_ms, 100, "MobileClickEvent", START_MS + at_ms, {"label": "Buy", "x": 1, "y": 2})


def measured(at_ms, name="fps", value=60):
    return Message(at_ms, 102, "MobilePerformanceEvent", START_MS + at_ms, {"name": name, "value": value})


def tap(at_ms, label="Buy", index=None, x=1):
    return Beat(START_MS + at_ms, at_ms if index is None else index, 100, label, x, 2)


def mark(*args):
    return beat(measured(*args))


def call(status, index=1):
    fields = {"type": "request", "method": "GET", "url": "https://e.x/a", "request": "q", "response": "r"}
    return Message(index, 105, "MobileNetworkCall", START_MS, fields | {"status": status, "duration": 12})


@pytest.mark.parametrize(
    ("times", "counts"),
    [
        ([0, 299, 598], [3]),
        ([0, 300, 600], []),  # a gap of 300 ms is no hurry
        ([0, 100], []),
        ([0, 100, 200, 300, 1_000, 1_100, 1_200], [4, 3]),
        ([200, 0, 100], [3]),  # batches overtake each other
        ([0, 60_000, 120_000, 180_000], []),  # where OpenReplay finds rage
    ],
)
def test_rage_is_three_quick_taps(times, counts):
    assert [rage.count for rage in rage_taps(tap(at_ms) for at_ms in times)] == counts


def test_rage_names_what_was_tapped_when():
    taps = [tap(0), tap(100), tap(250), mark(260)]
    assert rage_taps(taps) == [RageTaps(0, START_MS, START_MS + 250, "Buy", 3)]


@pytest.mark.parametrize("labels", [["Buy", "Buy", "Pay"], ["", "", ""], ["Buy", "Pay", "Buy", "Pay", "Buy"]])
def test_rage_needs_one_label_that_is_known(labels):
    assert rage_taps(tap(at * 50, label) for at, label in enumerate(labels)) == []


def test_taps_sent_twice_are_no_rage():
    taps = [tap(0, index=1), tap(100, index=2), tap(0, index=11), tap(100, index=12)]
    assert rage_taps(taps) == []


def test_golden_taps_at_350_ms_are_no_rage(batch_vectors):
    batch = decode_batch(bytes.fromhex(batch_vectors["tap_rage_three_clicks"]["hex"]))
    assert rage_taps(map(beat, batch.messages.of(wanted({100})))) == []


def test_freeze_is_a_minute_without_heartbeat():
    session = [tap(0), mark(59_999), mark(119_999), mark(180_000)]
    assert freezes(session) == [
        Freeze(START_MS + 59_999, START_MS + 119_999, "Buy"),
        Freeze(START_MS + 119_999, START_MS + 180_000, "Buy"),
    ]


def test_freeze_until_the_end_is_seen_when_the_end_is_known():
    assert freezes([tap(0)]) == []
    assert freezes([tap(0)], end_ms=START_MS + 60_000) == [Freeze(START_MS, START_MS + 60_000, "Buy")]
    assert freezes([tap(0)], end_ms=START_MS + 59_999) == []
    assert freezes([], end_ms=START_MS) == []


def test_background_is_no_freeze():
    session = [tap(0), mark(10, "background", 1), mark(20), mark(100_000, "background", 0), mark(200_000)]
    assert freezes(session) == [Freeze(START_MS + 100_000, START_MS + 200_000, "Buy")]
    assert freezes(session[:3], end_ms=START_MS + 90_000) == []


def test_beats_come_back_as_they_were_packed():
    kept = beats_of([tap(5), mark(10, "background", 1), mark(20), Beat(START_MS + 7, 3, 101, "Name")])
    assert unpack(pack(kept)) == kept.ordered
    assert (kept.in_background, kept.touched) == (True, "Name")


def test_beats_that_were_packed_as_messages_are_still_read():
    stored = [[1, 100, 5, {"label": "Buy", "x": 7, "y": 8}], [2, 102, 6, {"name": "background", "value": 0}]]
    assert unpack(orjson.dumps(stored)) == [Beat(5, 1, 100, "Buy", 7, 8), Beat(6, 2, 102, away=False)]


def test_crash_carries_its_parts(batch_vectors):
    batch = decode_batch(bytes.fromhex(batch_vectors["crash_no_meta_late_upload"]["hex"]))
    stack = "0 CoreFoundation 0x1\n1 App 0x2\n2 dyld 0x3"
    reason = "index 5 beyond bounds [0 .. 2]"
    assert list(crashes(batch.messages)) == [Crash(1, 1_710_417_074_123, "NSRangeException", reason, stack)]


def test_crash_key_is_that_of_the_crash_and_not_of_the_upload():
    by_append, by_late = Crash(17, 5, "A", "b", "c"), Crash(1, 5, "A", "b", "c")
    assert by_append.key == by_late.key
    others = [
        Crash(1, 6, "A", "b", "c"),
        Crash(1, 5, "Ab", "", "c"),
        Crash(1, 5, "A", "bc", ""),
        Crash(1, 5, "A", "", "bc"),
    ]
    assert len({crash.key for crash in [by_late, *others]}) == 5


@pytest.mark.parametrize(("status", "failed"), [(0, True), (200, False), (399, False), (400, True), (599, True)])
def test_call_fails_by_status(status, failed):
    assert [found.status for found in failed_network_calls([call(status), tapped(0)])] == ([status] if failed else [])


def test_call_of_v170_reads_with_todays_words():
    fields = {"duration": 9, "headers": "{}", "body": "b", "url": "u", "success": False, "method": "GET", "status": 500}
    sent = encode_message(105, START_MS, fields, layout=Layout.V1_7_0)
    (found,) = network_calls(decode_batch(sent, layout=Layout.V1_7_0).messages)
    assert (found.method, found.url, found.status, found.duration_ms, found.request) == ("GET", "u", 500, 9, "b")


def test_performance_marks_carry_name_and_value():
    assert list(performance_marks([tapped(0), measured(5)])) == [PerformanceMark(5, START_MS + 5, "fps", 60)]


def test_identity_is_what_was_said_last(batch_vectors):
    batch = decode_batch(bytes.fromhex(batch_vectors["all_client_messages"]["hex"]))
    assert identity(batch.messages) == Identity("user-42", "anon-7", {"plan": "pro"})
    logged_out = Message(99, 94, "MobileUserID", START_MS + 10**9, {"id": ""})
    assert identity([logged_out, *batch.messages]).user_id == ""
    assert identity([tapped(0)]) == Identity("", "", {})


def test_identity_of_v170_reads_its_values():
    sent = encode_message(94, START_MS, {"value": "user-1"}, layout=Layout.V1_7_0)
    assert identity(decode_batch(sent, layout=Layout.V1_7_0).messages).user_id == "user-1"
