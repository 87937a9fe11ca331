"""A dry run of another version: what it joins, what it splits, and that nothing else notices it."""

from types import SimpleNamespace

import pytest

from server.ingest.grouping import VERSIONS, explain, fingerprint_by, group, v1
from server.ingest.grouping.inputs import Input
from server.ingest.grouping.preview import Preview
from tests.unit.ingest.events import make_event


def message_inputs(event):
    return [Input("message", event.message, event.message)]


@pytest.fixture
def v2(monkeypatch):
    """A version that goes by the message alone and masks nothing in it."""
    version = SimpleNamespace(
        VERSION="v2",
        error_inputs=message_inputs,
        error_fingerprint=lambda event: f"v2:{event.message}",
        request_inputs=v1.request_inputs,
        request_fingerprint=v1.request_fingerprint,
        masked=lambda _given: [],
    )
    monkeypatch.setitem(VERSIONS, "v2", version)
    return "v2"


def error(message, **fields):
    return make_event(message=message, **fields)


def outcome(preview):
    return preview.issues, preview.events, preview.joined, preview.split


def test_a_version_joins_issues_and_splits_others(v2):
    preview = Preview(v2)
    preview.add(1, [error("Order 1 gone"), error("Order 2 gone")])
    preview.add(2, [error("Boom", error_type="a")])
    preview.add(3, [error("Boom", error_type="b")])
    preview.add(4, [error("Alone")])
    assert outcome(preview) == (4, 5, 2, 1)


def test_issues_that_are_merged_are_not_joined_again(v2):
    preview = Preview(v2)
    preview.add(1, [error("Boom", error_type="a")])
    preview.add(1, [error("Boom", error_type="b")])
    assert outcome(preview) == (2, 2, 0, 0)


def test_issues_without_events_are_not_looked_at(v2):
    preview = Preview(v2)
    preview.add(1, [])
    assert outcome(preview) == (0, 0, 0, 0)


def test_the_version_that_made_the_issues_changes_nothing():
    preview = Preview(v1.VERSION)
    preview.add(1, [error("Order 1 gone"), error("Order 2 gone")])
    preview.add(2, [error("Boom")])
    assert outcome(preview) == (2, 3, 0, 0)


def test_issues_of_an_old_version_do_not_notice_a_new_one(v2):
    event = error("Order 1 gone")
    assert group(event).version == "v1"
    assert explain(event, "v1").fingerprint == fingerprint_by(event, "v1") == group(event).fingerprint
    assert explain(event, v2).fingerprint == "v2:Order 1 gone"
    assert explain(error("x", fingerprint="js:1"), v2).version == "sdk"
