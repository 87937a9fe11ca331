"""Timelines of many batches: in order of time, whole, without what came twice, and page by page the same."""

from hypothesis import given, strategies as st

from server.mobile.codec import Message, decode_batch, encode_batch
from server.mobile.reading import MAX_INT64
from server.mobile.timeline import Source, timeline

LOG = 103


def batch(*lines):
    """A batch of log lines given as (time, text), numbered by their place."""
    return encode_batch([Message(0, LOG, "", at, {"severity": "info", "content": text}) for at, text in lines])


def sources(batches):
    found = []
    for seq, data in enumerate(batches):
        messages = decode_batch(data).messages
        if len(messages):
            first = min(MAX_INT64, *(time for time, _ in messages.places()))
            found.append(Source(seq, first, lambda messages=messages: messages))
    return sorted(found, key=lambda source: (source.first_ms, source.seq))


def read(batches, **bounds):
    bounds = {"start_ms": 0, "end_ms": 2**64 - 1} | bounds
    return list(timeline(sources(batches), **bounds))


def told(batches, **bounds):
    return [(message.timestamp_ms, message.fields["content"]) for _, message in read(batches, **bounds)]


lines = st.lists(
    st.tuples(st.integers(0, 20) | st.integers(2**63, 2**64 - 1), st.sampled_from("ab")), min_size=1, max_size=8
)


@given(st.lists(lines, max_size=6))
def test_each_message_stands_there_as_often_as_one_batch_has_it(batches):
    found = told([batch(*each) for each in batches])
    assert [time for time, _ in found] == sorted(time for time, _ in found)
    for line in {line for each in batches for line in each}:
        assert found.count(line) == max(each.count(line) for each in batches)


@given(st.lists(lines, max_size=6), st.integers(1, 5))
def test_pages_join_to_the_whole(batches, size):
    batches = [batch(*each) for each in batches]
    whole = read(batches)
    joined, after = [], None
    while page := read(batches, after=after)[:size]:
        joined += page
        after = page[-1][0]
    assert joined == whole


@given(st.lists(lines, max_size=6), st.integers(0, 20), st.integers(0, 20))
def test_a_stretch_is_what_lies_in_it(batches, start, end):
    batches = [batch(*each) for each in batches]
    inside = [line for line in told(batches) if start <= line[0] <= end]
    assert told(batches, start_ms=start, end_ms=end) == inside


def test_batches_are_read_only_as_far_as_asked():
    def never():
        raise AssertionError("nobody asked for it")

    first = decode_batch(batch((1, "a"), (2, "b"))).messages
    line = timeline([Source(0, 1, lambda: first), Source(1, 3, never)], start_ms=0, end_ms=10)
    assert next(line)[1].timestamp_ms == 1
    assert next(line)[1].timestamp_ms == 2
