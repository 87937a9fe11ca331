"""Every golden batch reads as OpenReplay reads it, or better where OpenReplay loses it."""

import pytest

from server.mobile import wire
from server.mobile.codec import BatchStatus, decode_batch, encode_batch
from server.mobile.messages import Layout

COMPLETE, DAMAGED, DAMAGED_TAIL = BatchStatus.COMPLETE, BatchStatus.DAMAGED, BatchStatus.DAMAGED_TAIL

# The whole set of vectors where we answer something else than OpenReplay: what we keep as (type, index), how the batch is
# flagged, and why that is better for whoever looks at the session.
BETTER = {
    # A field added by a newer tracker is surplus inside its Length; the original reads it as a message and rejects all.
    "extra_field_inside_length": ([(107, 17), (100, 18), (103, 19)], COMPLETE),
    # The messages before the cut are whole; the original rejects them with it.
    "truncated_in_string": ([(107, 18), (103, 19)], DAMAGED_TAIL),
    # Unknown messages are stepped over and keep their index; the original rejects the batch.
    "unknown_id_99_no_size": ([(107, 20), (103, 21), (103, 23)], COMPLETE),
    "unknown_id_150_two_byte_type": ([(107, 21)], COMPLETE),
    # One unreadable number costs its message, not the batch.
    "varint_overflow_10th_byte": ([(107, 22)], DAMAGED),
    # Android's status is read as Android wrote it.
    "android_network_status_500_alone": ([(107, 32), (105, 33)], COMPLETE),
    # The unknown message has a size, so the known one behind it is readable; the original stops.
    "web_batch_v1_unknown_sized_nofilter": ([(81, 10), (120, 11), (120, 13)], COMPLETE),
    # Read by today's layout, as for an app whose setting is wrong: the meta is kept and the rest flagged.
    "v170_layouts": ([(107, 40)], DAMAGED),
}
# Read in part by the original, and by us likewise.
IN_PART = {"second_meta_after_first_index_gt_1": DAMAGED_TAIL}

READERS = {
    "uint": wire.read_uint,
    "int": wire.read_int,
    "boolean": wire.read_boolean,
    "string": wire.read_string,
    "size": wire.read_size,
    "index": wire.read_index,
    "json": wire.read_json,
}


def read(vector, layout=Layout.CURRENT):
    platform = "android" if vector["name"].startswith("android") else "ios"
    return decode_batch(bytes.fromhex(vector["hex"]), platform=platform, layout=layout)


def test_vectors_that_read_differently_are_exactly_the_table(batch_vectors, as_listed):
    different = {
        name
        for name, vector in batch_vectors.items()
        if list(read(vector).messages) != [as_listed(message) for message in vector.get("decoded", [])]
    }
    assert different == set(BETTER)


def test_batch_keeps_what_is_listed_and_what_the_table_adds(batch_vector, as_listed):
    batch = read(batch_vector)
    listed = [as_listed(message) for message in batch_vector.get("decoded", [])]
    as_is = ([(message.type, message.index) for message in listed], IN_PART.get(batch_vector["name"], COMPLETE))
    kept, status = BETTER.get(batch_vector["name"], as_is)
    assert batch.messages[: len(listed)] == listed
    assert [(message.type, message.index) for message in batch.messages] == kept
    assert batch.status is status
    assert (batch.fault is None) is (status is COMPLETE)


def test_android_network_call_reads_as_intended(batch_vectors):
    vector = batch_vectors["android_network_status_500_alone"]
    call = read(vector).messages[1]
    assert call.fields == {name.lower(): value for name, value in vector["intended"].items()}


def test_batch_of_v170_reads_by_its_own_layout(batch_vectors, as_listed):
    # The original gives every message the time of its batch; ours keep their own, which the vector lists among the fields.
    vector = batch_vectors["v170_layouts"]
    batch = read(vector, Layout.V1_7_0)
    assert list(batch.messages) == [as_listed(message) for message in vector["decoded_v1.7.0"]]
    assert batch.status is COMPLETE


def test_v170_layout_numbers_messages_as_v170_did(batch_vectors):
    # Where v1.7.0 itself lost its place it has nothing to teach.
    recorded = {
        name: vector["at_v1.7.0"]["messages"]
        for name, vector in batch_vectors.items()
        if vector["at_v1.7.0"]["error"] is None and name != "extra_field_inside_length"
    }
    ours = {
        name: [[message.type, message.index] for message in read(batch_vectors[name], Layout.V1_7_0).messages]
        for name in recorded
    }
    assert len(recorded) == 9
    assert ours == recorded


def test_decoded_batch_encodes_to_the_same_bytes(batch_vectors):
    # Go strings keep bytes that are no UTF-8, ours cannot.
    verified = {
        name: vector["hex"]
        for name, vector in batch_vectors.items()
        if "go_head_reencode_identical" in vector["verified_by"] and name != "log_invalid_utf8"
    }
    assert len(verified) == 9
    assert {name: encode_batch(read(batch_vectors[name]).messages).hex() for name in verified} == verified


def test_primitive_reads_as_listed(primitive_vector):
    reader, data = READERS[primitive_vector["primitive"]], bytes.fromhex(primitive_vector["hex"])
    if "error" in primitive_vector:
        with pytest.raises(wire.WireFault):
            reader(data, 0)
    else:
        assert reader(data, 0) == (primitive_vector["decoded"], len(data))
