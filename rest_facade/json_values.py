"""JSON values that protobuf knows as messages of their own: epoch milliseconds as Timestamp, objects as Struct."""

from collections.abc import Mapping
from typing import Any

from google.protobuf import struct_pb2
from google.protobuf.timestamp_pb2 import Timestamp

MAX_LEVELS = 24
"""Nesting that an item may have. Protobuf decodes 100 nested messages and one JSON object inside a Struct costs three."""

# 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, what a Timestamp may hold.
_MIN_SECONDS = -62_135_596_800
_MAX_SECONDS = 253_402_300_799

# Doubles below this that are whole numbers are shown as such, so that 1 comes back as 1 and not as 1.0.
_EXACT = float(2**53)


class TooDeep(Exception):
    """A value is nested deeper than MAX_LEVELS."""


def seconds_and_nanos(epoch_ms: float) -> tuple[int, int] | None:
    """Splits epoch milliseconds into what a Timestamp holds, to the nearest nanosecond; None out of its range."""
    if isinstance(epoch_ms, int):
        seconds, milliseconds = divmod(epoch_ms, 1000)
        nanos = milliseconds * 1_000_000
    elif _MIN_SECONDS * 1000 <= epoch_ms < (_MAX_SECONDS + 1) * 1000:
        whole = int(epoch_ms // 1)
        seconds, milliseconds = divmod(whole, 1000)
        nanos = milliseconds * 1_000_000 + round((epoch_ms - whole) * 1_000_000)
        if nanos == 1_000_000_000:
            seconds, nanos = seconds + 1, 0
    else:
        return None
    if not _MIN_SECONDS <= seconds <= _MAX_SECONDS:
        return None
    return seconds, nanos


def epoch_ms(timestamp: Timestamp) -> int | float:
    """Epoch milliseconds of a Timestamp; a whole number where it holds whole milliseconds."""
    milliseconds, rest = divmod(timestamp.nanos, 1_000_000)
    whole = timestamp.seconds * 1000 + milliseconds
    return whole + rest / 1_000_000 if rest else whole


def plain_number(number: float) -> int | float:
    """The number as JSON shows it: whole where it is whole."""
    if -_EXACT < number < _EXACT and number == int(number):
        return int(number)
    return number


def fill_struct(fields: Any, mapping: Mapping[str, Any], levels: int) -> None:  # noqa: ANN401 - upb's map has no public type
    """Puts a JSON object into the `fields` of a Struct, in place: 2.5 times as fast as building Values and merging them.

    `levels` is how deep the values may still nest. Raises TooDeep.
    """
    for key, value in mapping.items():
        kind = type(value)
        # Most values are of these kinds; a call for each would take half as long again.
        if kind is str:
            fields[key].string_value = value
        elif kind is int or kind is float:
            fields[key].number_value = value
        else:
            fill_value(fields[key], value, levels)


def fill_value(target: struct_pb2.Value, value: Any, levels: int) -> None:  # noqa: ANN401 - any JSON value
    """Puts a JSON value into an empty Value; `levels` as in fill_struct. Raises TooDeep."""
    kind = type(value)
    if kind is str:
        target.string_value = value
    elif kind is bool:
        target.bool_value = value
    elif kind is int or kind is float:
        target.number_value = value
    elif value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif levels <= 0:
        raise TooDeep
    elif kind is dict:
        struct = target.struct_value
        struct.SetInParent()
        fill_struct(struct.fields, value, levels - 1)
    else:
        items = target.list_value
        items.SetInParent()
        add = items.values.add
        for item in value:
            fill_value(add(), item, levels - 1)


def struct_to_json(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The JSON object that a Struct holds."""
    return {key: _value_to_json(value) for key, value in struct.fields.items()}


def _value_to_json(value: struct_pb2.Value) -> Any:  # noqa: ANN401 - any JSON value
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        return plain_number(value.number_value)
    if kind == "bool_value":
        return value.bool_value
    if kind == "struct_value":
        return struct_to_json(value.struct_value)
    if kind == "list_value":
        return [_value_to_json(item) for item in value.list_value.values]
    return None
