"""Tests of what is masked in an event, and above all of what is not."""

import pytest
from google.protobuf import json_format
from healthguard.v1 import event_pb2 as event_pb
from hypothesis import given, strategies as st

from server.ingest.limits import MAX_DEPTH
from server.ingest.scrub import scrub
from tests.unit.ingest.events import make_event

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r"

PIECES = [
    "token", "password", "Authorization", "cookie", "Bearer ", "Basic ", JWT, "[Filtered]", "%5BFiltered%5D", "https:",
    "//", "@", "=", "&", "?", "#", "%3D", "%3F", ":", '"', "'", "\\", "abc", " ", "\n", "İ",
]  # fmt: skip

JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.text(max_size=20)),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from(["token", "name", "headers", "Cookie", "a"]) | st.text(max_size=6), children)
    ),
    max_leaves=10,
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(PIECES),
        max_size=12,
    ).map("".join),
)


def context_after_scrub(context: dict[str, object]) -> tuple[dict[str, object], int]:
    event = make_event()
    event.context.update(context)
    masked = scrub(event)
    return json_format.MessageToDict(event.context), masked


@pytest.mark.parametrize("field", ["url", "page_url", "page", "filename"])
def test_scrub_masks_secrets_in_every_address(field):
    event = make_event(**{field: "https://u:p@shop.test/a?token=abc&x=%20#access_token=d e&y=1"})
    assert scrub(event) == 3
    assert getattr(event, field) == "https://[Filtered]@shop.test/a?token=[Filtered]&x=%20#access_token=[Filtered]&y=1"


@pytest.mark.parametrize("field", ["message", "stack", "error_message"])
def test_scrub_masks_secrets_in_every_text(field):
    event = make_event(**{field: f"GET https://h.test/?api_key=k1&b=2 with Bearer xyz and {JWT} failed"})
    assert scrub(event) == 3
    assert getattr(event, field) == (
        "GET https://h.test/?api_key=[Filtered]&b=2 with Bearer [Filtered] and [Filtered] failed"
    )


def test_scrub_masks_free_data_at_every_depth():
    context = {
        "user": {"name": "Ann", "password": "p", "cards": [{"cardNumber": 4111111111111111, "brand": "v"}]},
        "headers": {"Authorization": "Bearer x", "X-Api-Key": "k", "Accept": "*/*"},
        "cookies": {"theme": "dark"},
        "urls": ["/a?refreshToken=r&page=2"],
        "hasToken": True,
        "token": None,
    }
    expected = {
        "user": {
            "name": "Ann",
            "password": "[Filtered]",
            "cards": [{"cardNumber": "[Filtered]", "brand": "v"}],
        },
        "headers": {"Authorization": "[Filtered]", "X-Api-Key": "[Filtered]", "Accept": "*/*"},
        "cookies": "[Filtered]",
        "urls": ["/a?refreshToken=[Filtered]&page=2"],
        "hasToken": True,
        "token": None,
    }
    assert context_after_scrub(context) == (expected, 6)


def test_scrub_reaches_every_place_that_holds_free_data():
    event = make_event()
    crumb = event.breadcrumbs.add(message="GET /a?token=t")
    holders = [event.context, event.request_data, event.extra, event.device_info.extra, crumb.data, crumb.extra]
    holders += [event.breadcrumb.data, event.breadcrumb.extra]
    for holder in holders:
        holder.update({"secret": "s", "url": "/x?token=t"})
    assert scrub(event) == 1 + 2 * len(holders)
    assert crumb.message == "GET /a?token=[Filtered]"
    for holder in holders:
        assert dict(holder) == {"secret": "[Filtered]", "url": "/x?token=[Filtered]"}


def test_scrub_never_touches_ids_and_identities():
    identities = dict.fromkeys(
        ["event_id", "app_key", "session_id", "anonymous_id", "user_id", "fingerprint", "release", "name", "type"],
        f"token=abc {JWT}",
    )
    event = make_event(**identities)
    assert scrub(event) == 0
    assert event == make_event(**identities)


def test_scrub_leaves_masked_values_byte_for_byte():
    event = make_event(url="https://h.test/?token=%5BFiltered%5D&a=%5b", message="password=[Filtered]")
    event.context.update({"token": "[Filtered]", "authorization": "%5BFiltered%5D", "password": ""})
    before = event.SerializeToString(deterministic=True)
    assert scrub(event) == 0
    assert event.SerializeToString(deterministic=True) == before


def test_scrub_masks_what_nests_too_deep_to_be_read_again():
    event = make_event()
    value = event.context.fields["level"]
    for _ in range(5 * MAX_DEPTH):
        value = value.struct_value.fields["level"]
    value.string_value = "bottom"
    assert scrub(event) == 1
    kept = event_pb.Event.FromString(event.SerializeToString())
    assert scrub(kept) == 0
    assert str(kept.context).count("level") == MAX_DEPTH
    assert "bottom" not in str(kept.context)


def test_scrub_changes_recorded_events_only_where_their_pages_carry_a_token(sdk_events):
    for event in sdk_events:
        before = event_pb.Event.FromString(event.SerializeToString())
        masked = scrub(event)
        assert masked == before.page_url.count("?token=abc") + before.filename.count("?token=abc")
        for field in ("page_url", "filename"):
            if event.HasField(field):
                setattr(event, field, getattr(event, field).replace("?token=[Filtered]", "?token=abc"))
        assert event == before


@given(texts=st.lists(TEXTS, min_size=4, max_size=4), data=st.dictionaries(st.text(max_size=6), JSON_VALUES))
def test_scrub_twice_is_scrub_once(texts, data):
    event = make_event(message=texts[0], url=texts[1], stack=texts[2])
    event.breadcrumbs.add(message=texts[3])
    event.context.update(data)
    scrub(event)
    once = event.SerializeToString(deterministic=True)
    assert scrub(event) == 0
    assert event.SerializeToString(deterministic=True) == once


# Without any of these characters a text has neither pair nor member nor address nor bearer in it.
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="=@:%eE")))
def test_scrub_leaves_events_without_secrets_alone(text):
    event = make_event(message=text, url=text, page_url=text, stack=text)
    event.context.update({"plain": text, "list": [text, 1, True, None]})
    before = event.SerializeToString(deterministic=True)
    assert scrub(event) == 0
    assert event.SerializeToString(deterministic=True) == before
