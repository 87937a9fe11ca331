"""Tests that the search over bytes misses nothing that the scrub would mask, and passes over ordinary events."""

import re

import pytest
from google.protobuf import struct_pb2
from healthguard.v1 import event_pb2 as event_pb
from hypothesis import example, given, settings, strategies as st

from server.ingest import scrub_names
from server.ingest.limits import MAX_DEPTH
from server.ingest.scrub import scrub
from server.ingest.scrub_signs import may_need_scrub
from tests.unit.ingest.events import make_event
from tests.unit.ingest.test_scrub_text import MASKED

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP"
SECRET_NAMES = sorted(scrub_names._SECRET_WORDS | scrub_names._SECRET_NAMES | set(scrub_names._SECRET_ENDINGS))
PIECES = [
    *SECRET_NAMES, "sessionid", "sess", "ion", "İ", "i", "d", "\u212a", "to", "en", "coo", "ie", "author", "zation",
    "phps", "ess", "user", "a", "3", "ü", "京", "-", "_", ".", "[", "]", "%20", "%3D", "%3d", "%3F", "%26", "&", "=",
    '"', "'", '\\"', "\\", ":", " : ", "?", "#", "//", "http:", "@", "bearer ", "Bearer+", "BEARER%20", "x" * 16, JWT,
    "eyJ", "basic ", "digest ", "\n", "\t", "\0", "\x12", "\x1f", "\x85", "\xa0", "\u2003", " ", "{", "}", ",", "1",
    "[Filtered]",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
NAMES = TEXTS | st.lists(st.sampled_from(PIECES[:30]), max_size=4).map("".join).flatmap(
    lambda name: st.sampled_from([name, name.upper(), name.title(), "_".join(name), f"{name}\n", f"{'n' * 130}{name}"])
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.just(1.5) | TEXTS,
    lambda children: st.lists(children, max_size=2) | st.dictionaries(NAMES, children, max_size=2),
    max_leaves=4,
)
DATA = st.dictionaries(NAMES, VALUES, max_size=3)


def is_sign(event: event_pb.Event) -> bool:
    return may_need_scrub(event.SerializeToString())


def nested(kinds: list[str], inside: struct_pb2.Value) -> event_pb.Event:
    """An event whose context holds lists and objects in each other, and `inside` within all of them."""
    event = make_event()
    value = event.context.fields["a"]
    for kind in kinds:
        value = value.list_value.values.add() if kind == "list" else value.struct_value.fields["a"]
    value.CopyFrom(inside)
    return event


@settings(max_examples=500)
@given(field=st.sampled_from(["url", "page_url", "page", "filename", "message", "stack", "error_message"]), text=TEXTS)
def test_no_text_that_scrub_masks_is_passed_over(field: str, text: str) -> None:
    event = make_event(**{field: text})
    sign = is_sign(event)
    assert sign or not scrub(event)


@settings(max_examples=500)
@given(
    data=DATA, holder=st.sampled_from(["context", "request_data", "extra", "device", "crumb", "crumbs", "crumb extra"])
)
@example({"password\n\t": "p"}, "context")
@example({"to\u212aen": 1}, "context")
@example({"sess_to_ken": 1}, "crumb")
def test_no_data_that_scrub_masks_is_passed_over(data: dict, holder: str) -> None:
    event = make_event()
    {
        "context": lambda: event.context,
        "request_data": lambda: event.request_data,
        "extra": lambda: event.extra,
        "device": lambda: event.device_info.extra,
        "crumb": lambda: event.breadcrumb.data,
        "crumbs": lambda: event.breadcrumbs.add().data,
        "crumb extra": lambda: event.breadcrumbs.add().extra,
    }[holder]().update(data)
    sign = is_sign(event)
    assert sign or not scrub(event)


@pytest.mark.parametrize("text", MASKED)
def test_every_known_secret_is_a_sign(text: str) -> None:
    event = make_event()
    event.breadcrumbs.add(message=text)
    assert is_sign(make_event(message=text))
    assert is_sign(event)


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_every_secret_name_is_a_sign(name: str) -> None:
    event = make_event()
    event.request_data.update({name.upper(): "value"})
    assert is_sign(event)


@given(
    kinds=st.lists(st.sampled_from(["list", "object"]), min_size=MAX_DEPTH - 3, max_size=MAX_DEPTH + 2),
    inside=st.sampled_from([None, 1.5, True, False, "", "a", "x" * 300, [], {}, [[]], {"a": {}}, [None]]),
    unknown=st.booleans(),
)
def test_nothing_that_nests_too_deep_is_passed_over(kinds: list[str], inside: object, unknown: bool) -> None:
    value = struct_pb2.ListValue()
    value.append(inside)
    event = nested(kinds, value.values[0])
    if unknown:  # a field that nobody knows is kept beside those that somebody does
        outermost = event.context.fields["a"]
        outermost.MergeFromString(b"\x7a\x01x")
        holder = outermost.list_value if kinds[0] == "list" else outermost.struct_value
        holder.MergeFromString(b"\x7a\x01x")
    sign = is_sign(event)
    assert sign or not scrub(event)


@pytest.mark.parametrize(
    "data",
    [
        {"session": {"id": "s", "page": 3}, "sessions": [1, 2], "session3": "started"},
        {"theme": "design", "panel": "sidebar", "by": "author", "press": "Enter key", "who": ["passenger"]},
        {"plain": [[[1, 2], [3, 4]], {"a": {"b": {"c": {}}}}]},
        {"İstanbul": "İzmir", "mail": "ann@mail.test", "css": "a[href='x']"},
    ],
)
def test_ordinary_data_is_no_sign(data: dict) -> None:
    event = make_event(
        message="Cannot read properties of undefined (reading 'session'): unexpected token '<'",
        stack="\n".join(
            ["Error", *[f"    at Cart.pay (https://shop.test/assets/index-2.js:12:{i}2)" for i in range(99)]]
        ),
        page_url="https://shop.test/cart?tab=coupons&page=2#top",
    )
    event.extra.update(data)
    assert not is_sign(event)


def test_recorded_events_are_a_sign_only_where_they_name_a_secret(sdk_events: list[event_pb.Event]) -> None:
    for event in sdk_events:
        message = event.SerializeToString()
        named = re.search(rb"(?:auth|cookie|password|secret|token)=|authorization\x12", message)
        assert may_need_scrub(message) == (named is not None)
