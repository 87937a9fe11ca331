"""What goes to the process that commits arrives there as it was."""

from collections import Counter

from hypothesis import given, strategies as st

from server.store import commit_process
from server.store.dimensions import Dimension
from server.store.events import IssueSeed, NewEvent, Submission
from server.store.performance import Measurement

# Protobuf's strings are UTF-8, so without halves of surrogate pairs; NUL is gone by then, and would be no harm.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
BIG = st.integers(-(2**63), 2**63 - 1)
EVENTS = st.builds(
    NewEvent,
    app_id=BIG,
    event_key=TEXT,
    time_ms=BIG,
    received_ms=BIG,
    kind=st.integers(0, 2),
    release=st.none() | TEXT,
    page=TEXT,
    browser=TEXT,
    device=TEXT,
    user_key=st.none() | BIG,
    payload=st.binary(max_size=100),
    dimension=st.builds(Dimension, TEXT, TEXT, TEXT, TEXT),
    issue=st.none() | st.builds(IssueSeed, TEXT, TEXT, TEXT, TEXT),
    measurement=st.none()
    | st.builds(Measurement, TEXT, st.none() | st.floats(allow_nan=False), TEXT, st.integers(0, 1)),
)
OTHERS = st.dictionaries(st.tuples(TEXT, TEXT), st.integers(1, 1_000)).map(Counter)
SUBMISSIONS = st.builds(Submission, BIG, BIG, st.lists(EVENTS, max_size=5), OTHERS)


@given(SUBMISSIONS)
def test_a_submission_arrives_as_it_was_sent(submission: Submission) -> None:
    arrived = commit_process.unpacked(commit_process.packed(submission))
    assert arrived == submission
    for one, other in zip(arrived.events, submission.events, strict=True):
        assert [type(part) for part in one] == [type(part) for part in other]
