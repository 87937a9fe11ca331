"""JSON text to values: strict, fast, and forgiving in the one point where real SDKs send broken text."""

import re
from typing import Any

import orjson

from rest_facade.problems import Problem, invalid_json

_BOM = b"\xef\xbb\xbf"

# Walks over every escape sequence, so that the backslash of `\\ud800` (an escaped backslash and plain text) is not
# mistaken for the beginning of a surrogate. Group 1 is a surrogate without its partner.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def parse_json(text: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a JSON text in UTF-8; of duplicate keys the last counts.

    Strings cut in the middle of an emoji end in half a surrogate pair, which neither UTF-8 nor protobuf can hold. Web SDKs
    really send them and would send them again for ever, so U+FFFD takes their place. Raises Problem with line and column
    for everything else that is not JSON, numbers beyond a double included.
    """
    text = text.removeprefix(_BOM)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        repaired = _ESCAPE.sub(_replace_lone_surrogate, text)
        if repaired == text:
            raise _problem(error) from None
    try:
        return orjson.loads(repaired)
    except orjson.JSONDecodeError as error:
        raise _problem(error) from None


def _replace_lone_surrogate(match: re.Match[bytes]) -> bytes:
    # As long as what it replaces, so that line and column of a later fault stay true.
    return b"\\ufffd" if match[1] else match[0]


def _problem(error: orjson.JSONDecodeError) -> Problem:
    return invalid_json(f"{error.msg} at line {error.lineno}, column {error.colno}")
