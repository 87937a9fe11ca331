"""Tests of telling what varies in a text from what names the fault."""

import pytest
from hypothesis import given, strategies as st

from server.ingest.grouping.masks import mask_message, mask_path

UUID = "550e8400-e29b-41d4-a716-446655440000"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("User 4711 not found", "User <number> not found"),
        ("took 512ms, 1,024.5 of 2:03", "took <number>ms, <number> of <number>"),
        ("order_12345 order-9 item99999", "order_<number> order-<number> item<number>"),
        (f"No row {UUID}!", "No row <uuid>!"),
        (f"evt_{UUID} gone", "<token> gone"),
        ("at 0x7ffee3a1 in 3f2a1bc9d8", "at <hex> in <hash>"),
        ("session_o4aibmo7lsmwrwamtb9 lost", "<token> lost"),
        ("GET https://h.test/a/1?x=2 failed", "GET <url> failed"),
        ("sent to ann.b+c@mail.test", "sent to <email>"),
        ("Cannot read properties of null (reading 'x')", "Cannot read properties of null (reading 'x')"),
        ("utf8 is not h5 in Vue3", "utf8 is not h5 in Vue3"),
        ("Minified React error #418; visit x", "Minified React error #418; visit x"),
        ("Request failed with status code 404", "Request failed with status code 404"),
        ("someVeryLongFunctionNameWithoutAnyDigits()", "someVeryLongFunctionNameWithoutAnyDigits()"),
        ("订单 17 失败", "订单 <number> 失败"),
        ("", ""),
    ],
)
def test_mask_message_replaces_only_what_varies(message, expected):
    assert mask_message(message) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/orders", "/api/orders"),
        ("/api/orders/123/items/7", "/api/orders/:id/items/:id"),
        (f"/u/{UUID}", "/u/:id"),
        ("/blob/3f2a1bc9d8e7/raw", "/blob/:id/raw"),
        ("/s/session_o4aibmo7lsmwrwamtb9", "/s/:id"),
        ("/v1/pay", "/v1/pay"),
        ("/app.3.js", "/app.3.js"),
        ("/deadbeef/cafe", "/deadbeef/cafe"),
        ("/", "/"),
        ("//1", "//:id"),
    ],
)
def test_mask_path_makes_a_template(path, expected):
    assert mask_path(path) == expected


def test_mask_message_looks_at_a_bounded_beginning():
    assert mask_message("a" * 5000) == "a" * 2048
    assert mask_message("7 " * 1_000_000) == mask_message("8 " * 2_000)


@given(st.lists(st.integers(0, 10**12), min_size=3, max_size=3), st.lists(st.uuids(version=4), min_size=2, max_size=2))
def test_mask_message_is_stable_under_other_numbers_and_ids(numbers, ids):
    first, second, third = numbers
    message = f"Order {first} of user {ids[0]} has {second} items, not {third}; see trace {ids[1]}"
    assert mask_message(message) == ("Order <number> of user <uuid> has <number> items, not <number>; see trace <uuid>")
