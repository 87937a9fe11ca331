"""What the batch reader promises beyond the golden vectors, and that it survives whatever it is sent."""

import tracemalloc
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from server.mobile.codec import BatchStatus, Message, decode_batch, encode_batch, encode_message, wanted
from server.mobile.messages import Layout
from server.mobile.walk import MAX_MESSAGES, _Walker, walk
from server.mobile.wire import write_string, write_uint
from tests.unit.mobile.strategies import batches, damaged

NOW_MS = 1_710_417_074_123
META = encode_message(107, NOW_MS, {"firstIndex": 50})
ONE = encode_message(103, NOW_MS + 1, {"severity": "info", "content": "one"})
TWO = encode_message(103, NOW_MS + 2, {"severity": "info", "content": "two"})
CALL = {
    "type": "request",
    "method": "GET",
    "url": "https://e.x/a",
    "request": "asked",
    "response": "told",
    "status": 503,
    "duration": 300,
}


def framed(type_id, body, length=None):
    """A message with fields of our choosing, and a Length of our choosing."""
    return write_uint(type_id) + write_uint(NOW_MS) + write_uint(len(body) if length is None else length) + body


def kept(batch):
    return [(message.type, message.index) for message in batch.messages]


@given(st.data(), st.sampled_from(Layout), st.sampled_from(["ios", "android", "", "Android"]))
@settings(max_examples=200, deadline=None)
def test_batch_survives_the_round_trip(data, layout, platform):
    sent = data.draw(batches(layout))
    batch = decode_batch(encode_batch(sent, platform=platform, layout=layout), platform=platform, layout=layout)
    assert list(batch.messages) == sent
    assert (batch.status, batch.first_index) == (BatchStatus.COMPLETE, sent[0].index)


@given(batches(clients_only=True), st.data())
@settings(max_examples=200, deadline=None)
def test_cut_batch_keeps_every_message_before_the_cut(sent, data):
    encoded = encode_batch(sent)
    cut = data.draw(st.integers(0, len(encoded)))
    ends = [len(encode_batch(sent[: count + 1])) for count in range(len(sent))]
    batch = decode_batch(encoded[:cut])
    assert list(batch.messages) == [message for message, end in zip(sent, ends, strict=True) if end <= cut]
    assert batch.consumed == max([0, *(end for end in ends if end <= cut)])
    assert (batch.status is BatchStatus.COMPLETE) is (batch.consumed == cut)


def test_no_input_of_twenty_thousand_breaks_the_reader(batch_vectors):
    rng = Random(20_000)
    intact = [bytes.fromhex(vector["hex"]) for vector in batch_vectors.values()]
    for _ in range(20_000):
        data = damaged(rng.choice(intact), rng)
        batch = decode_batch(data, platform=rng.choice(("ios", "android")), layout=rng.choice(list(Layout)))
        messages = list(batch.messages)
        assert 0 <= batch.consumed <= len(data)
        assert len(batch.messages) == len(messages) == sum(batch.messages.counts().values())
        assert (batch.status is BatchStatus.COMPLETE) is (batch.fault is None)
        assert (batch.status is BatchStatus.UNDECODABLE) is (batch.fault is not None and not messages)
        assert all(0 <= message.index < 2**64 and 0 <= message.timestamp_ms < 2**64 for message in messages)


@pytest.mark.parametrize(
    "unit",
    [
        b"\x5b\x00",  # a session end, the shortest message there is
        b"\x5e\x00\x01\x00",  # an empty user id
        b"\x63\x00\x00",  # an unknown message
        b"\x67\x00\x02\x00\x80",  # one fault after the other
        b"\xff",
        b"\x67\x00\xff\xff\xff\xff\x7f",  # a Length far past the end
        ONE,
    ],
)
def test_hostile_batch_takes_a_small_multiple_of_its_size(unit):
    data = unit * (100_000 // len(unit))
    tracemalloc.start()
    batch = decode_batch(data)
    for _ in batch.messages:
        pass
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Twenty bytes a byte for messages of two bytes, which no tracker writes; the limit on messages bounds the rest at 5 MB.
    assert peak_bytes < 24 * len(data)


@given(st.data(), st.sampled_from(Layout), st.integers())
@settings(max_examples=300, deadline=None)
def test_messages_in_one_go_are_those_taken_one_by_one(data, layout, seed):
    sent = damaged(encode_batch(data.draw(batches(layout)), layout=layout), Random(seed))
    for trust_length in (True, False):
        found = walk(sent, layout, trust_length=trust_length)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_Walker, "_stretch", lambda self, pos, most: pos)
            assert found == walk(sent, layout, trust_length=trust_length)


def test_batch_of_too_many_messages_keeps_the_first_ones():
    batch = decode_batch(META + ONE * MAX_MESSAGES)
    assert len(batch.messages) == MAX_MESSAGES
    assert (batch.status, batch.consumed) == (BatchStatus.DAMAGED_TAIL, len(META) + len(ONE) * (MAX_MESSAGES - 1))


@pytest.mark.parametrize("length", [0, 3, 9_999])
def test_wrong_length_is_ignored_when_the_fields_lead_to_the_end(length):
    body = ONE[-9:]
    batch = decode_batch(META + framed(103, body, length) + TWO)
    assert kept(batch) == [(107, 50), (103, 51), (103, 52)]
    assert batch.status is BatchStatus.COMPLETE


def test_unreadable_message_costs_no_neighbour():
    batch = decode_batch(META + ONE + framed(97, b"\xff" * 12) + TWO)
    assert kept(batch) == [(107, 50), (103, 51), (103, 53)]
    assert (batch.status, batch.consumed) == (BatchStatus.DAMAGED, len(META + ONE + TWO) + 20)


def test_messages_behind_a_fault_are_not_believed_when_the_tail_is_lost_too():
    batch = decode_batch(META + ONE + framed(97, b"\xff" * 12) + TWO + TWO[:-1])
    assert kept(batch) == [(107, 50), (103, 51)]
    assert (batch.status, batch.consumed) == (BatchStatus.DAMAGED_TAIL, len(META + ONE))


def test_unknown_types_are_counted():
    batch = decode_batch(META + framed(99, b"abc") + framed(150, b"") + ONE + framed(99, b""))
    assert kept(batch) == [(107, 50), (103, 53)]
    assert (batch.status, batch.skipped) == (BatchStatus.COMPLETE, {99: 2, 150: 1})


def test_implausible_type_ends_the_batch():
    batch = decode_batch(META + ONE + framed(1_024, b"") + TWO)
    assert kept(batch) == [(107, 50), (103, 51)]
    assert (batch.status, batch.fault) == (BatchStatus.DAMAGED_TAIL, "implausible message type 1024")


@pytest.mark.parametrize(
    "body", [b"<html>502 Bad Gateway</html>", b"\x00", b"\xff" * 40, b'{"a":1}', b"\x51\x01", b"\x50\x80"]
)
def test_what_is_no_batch_is_undecodable(body):
    batch = decode_batch(body)
    assert (list(batch.messages), batch.status, batch.first_index) == ([], BatchStatus.UNDECODABLE, None)
    assert batch.fault


def test_dangling_type_byte_is_flagged_and_costs_nothing():
    batch = decode_batch(META + ONE + b"\x80")
    assert kept(batch) == [(107, 50), (103, 51)]
    assert (batch.status, batch.consumed) == (BatchStatus.DAMAGED_TAIL, len(META + ONE))


def test_type_written_too_long_is_still_that_type():
    assert kept(decode_batch(META + b"\xe7\x00" + ONE[1:])) == [(107, 50), (103, 51)]


@pytest.mark.parametrize(("layout", "indexes"), [(Layout.CURRENT, [1, 2]), (Layout.V1_7_0, [0, 1])])
def test_batch_without_meta_counts_from_its_layouts_start(layout, indexes):
    assert [message.index for message in decode_batch(ONE + TWO, layout=layout).messages] == indexes


def test_index_wraps_as_an_unsigned_number():
    meta = encode_message(107, NOW_MS, {"firstIndex": 2**64 - 1})
    assert [message.index for message in decode_batch(meta + ONE + TWO).messages] == [2**64 - 1, 0, 1]


def test_server_messages_are_read_among_the_others():
    start = {name: name for name in ("trackerVersion", "revID", "userUUID", "userOS", "userOSVersion", "userDevice")}
    start |= {"projectID": 7, "userDeviceType": "mobile", "userCountry": "DE"}
    bounds = [f"{bound}{measure}" for measure in ("FPS", "CPU", "Memory", "Battery") for bound in ("min", "avg", "max")]
    aggregate = {"timestampStart": 1, "timestampEnd": 2} | {name: value for value, name in enumerate(bounds)}
    issue = {"type": "anr", "contextString": "Buy", "context": "", "payload": "{}"}
    sent = [
        Message(50, 107, "MobileBatchMeta", NOW_MS, {"firstIndex": 50}),
        Message(51, 90, "MobileSessionStart", NOW_MS + 5, start),
        Message(52, 111, "MobileIssueEvent", NOW_MS + 6, issue),
        # It has no time of its own, so it gets that of its batch.
        Message(53, 110, "MobilePerformanceAggregated", NOW_MS, aggregate),
        Message(54, 91, "MobileSessionEnd", NOW_MS + 7, {}),
    ]
    assert list(decode_batch(encode_batch(sent)).messages) == sent


@pytest.mark.parametrize("status", [0, 200, 255, 256, 503, 999])
def test_android_call_is_cured_in_both_generations(status):
    call = CALL | {"status": status}
    since_v114 = encode_message(105, NOW_MS, call, platform="android")
    swapped = call | {"request": call["response"], "response": call["request"]}
    before_v114 = encode_message(105, NOW_MS, swapped, platform="ios")
    batch = decode_batch(META + since_v114 + before_v114 + ONE, platform="android")
    assert [message.fields for message in batch.messages.of(wanted({105}))] == [call, call]
    assert kept(batch)[-1] == (103, 53)


def test_ios_call_is_left_as_it_is():
    batch = decode_batch(META + encode_message(105, NOW_MS, CALL), platform="ios")
    assert batch.messages[1].fields == CALL


def test_android_status_behind_an_unreadable_duration_reads_plainly():
    batch = decode_batch(framed(105, write_string("") * 5 + b"\0\0\1\xf4\x80"), platform="android")
    assert (batch.messages[0].fields["status"], batch.messages[0].fields["duration"]) == (0, 0)


def test_messages_are_a_sequence():
    messages = decode_batch(META + ONE + TWO).messages
    assert [message.fields.get("content") for message in messages[1:]] == ["one", "two"]
    assert messages[-1] == list(messages)[2]
    assert messages.counts() == {107: 1, 103: 2}
    with pytest.raises(IndexError):
        messages[3]


@pytest.mark.parametrize("data", [b"\x50\x02\x03\x00" + ONE, b"\x50\x02\x03\x00" + b"\x00\x07" + ONE])
def test_web_batch_of_the_oldest_kind_numbers_by_page(data):
    batch = decode_batch(data)
    assert batch.first_index == (2 << 32) + 3
    assert kept(batch)[-1] == (103, (2 << 32) + 3 + len(batch.messages) - 1)


def test_sized_web_batch_keeps_what_surrounds_a_fault():
    meta = b"\x51\x01\x00\x0a\x00\x00"
    tag, fault = b"\x78\x01\x00\x00\x0a", b"\x78\x01\x00\x00\x80"
    batch = decode_batch(meta + fault + tag)
    assert (kept(batch), batch.status) == ([(81, 10), (120, 12)], BatchStatus.DAMAGED)
    batch = decode_batch(meta + tag + tag[:-1])
    assert (kept(batch), batch.status) == ([(81, 10), (120, 11)], BatchStatus.DAMAGED_TAIL)


def test_encoder_refuses_what_no_message_holds():
    with pytest.raises(KeyError):
        encode_message(99, NOW_MS, {})
    with pytest.raises(KeyError):
        encode_message(103, NOW_MS, {"severity": "info"})
    with pytest.raises(ValueError, match="unsigned"):
        encode_message(102, NOW_MS, {"name": "fps", "value": -1})
