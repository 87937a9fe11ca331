"""JSON text: strict, with a place for every fault, and forgiving about half emoji."""

import pytest

from rest_facade.json_text import parse_json
from rest_facade.problems import Problem


def refused(text: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        parse_json(text)
    return caught.value


def test_cut_json_tells_line_and_column() -> None:
    problem = refused(b'{"appKey": "k",\n "events": [')
    assert (problem.status, problem.code) == (400, "INVALID_JSON")
    assert "line 2, column 13" in problem.detail


@pytest.mark.parametrize(
    "text", [b"hello", b"[NaN]", b"1e400", b'{"a": 1,}', b'"\xff"', b'"\xed\xa0\x80"', b"   ", b"{} x"]
)
def test_what_is_not_json_is_refused(text: bytes) -> None:
    assert refused(text).code == "INVALID_JSON"


def test_deep_nesting_is_refused() -> None:
    assert refused(b"[" * 100_000).code == "INVALID_JSON"


def test_byte_order_mark_is_skipped() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_nul_is_kept() -> None:
    assert parse_json(b'"a\\u0000b"') == "a\0b"


def test_last_duplicate_key_counts() -> None:
    assert parse_json(b'{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (rb'"cut \ud83d"', "cut \ufffd"),
        (rb'"\udc00 alone"', "\ufffd alone"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\uD83D\uDE00 \ud83d"', "\U0001f600 \ufffd"),
        (rb'"text \\ud83d, \ud83d"', "text \\ud83d, \ufffd"),
        (rb'{"\ud83d": 1}', {"\ufffd": 1}),
    ],
)
def test_lone_surrogate_becomes_the_replacement_character(text: bytes, value: object) -> None:
    assert parse_json(text) == value


def test_place_of_a_fault_is_true_after_a_replacement() -> None:
    assert "line 1, column 12" in refused(rb'["\ud83d", x]').detail
