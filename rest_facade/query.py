"""Text from path and query to the fields of a request message, planned per parameter."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from rest_facade.contract import ContractError, Schema, enum_words, json_name
from rest_facade.json_values import seconds_and_nanos
from rest_facade.paths import decode_parameter
from rest_facade.problems import Violation

# More parameters than any operation has; bounds the work that a query string can ask for.
_MAX_PARAMETERS = 100

DEFAULT_REASON = "INVALID_ARGUMENT"

# The StringNumericLiteral of ECMAScript, without Infinity: dashboards print numbers with JavaScript.
_JS_NUMBER = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+", re.ASCII
)
_JS_RADIX = {"x": 16, "o": 8, "b": 2}

# No number that is meant needs more digits; int() of a long text takes quadratic time.
_MAX_DIGITS = 64

_ABSENT = object()

Convert = Callable[[str], object]
"""The value of a text, or _ABSENT; raises ValueError."""


class ParameterReader:
    """Plan for the parameters of one operation."""

    def __init__(self, descriptor: Descriptor, parameters: tuple[Schema, ...]) -> None:
        """Plans the parameters; raises ContractError where one is no field of the request message."""
        fields = {json_name(field): field for field in descriptor.fields}
        for parameter in parameters:
            if parameter["name"] not in fields:
                raise ContractError(f"{descriptor.full_name} has no field for the parameter {parameter['name']}")
        planned = [(parameter, fields[parameter["name"]]) for parameter in parameters]
        self._path = {item["name"]: (field.name, item) for item, field in planned if item["in"] == "path"}
        self._query = {
            item["name"]: (field.name, _conversion(field, item), item)
            for item, field in planned
            if item["in"] == "query"
        }

    def read(self, path: Mapping[str, str], query: bytes) -> tuple[dict[str, Any], list[Violation]]:
        """Fields of the request message, and what is wrong with the text; raises Problem for a broken path.

        Unknown parameters are ignored: dashboards send one filter to every route.
        """
        fields: dict[str, Any] = {}
        violations: list[Violation] = []
        for name, (field_name, parameter) in self._path.items():
            text = decode_parameter(path[name])
            if len(text) > parameter["schema"].get("maxLength", len(text)):
                violations.append(_violation(parameter))
            fields[field_name] = text
        if query and self._query:
            self._read_query(query, fields, violations)
        return fields, violations

    def _read_query(self, query: bytes, fields: dict[str, Any], violations: list[Violation]) -> None:
        try:
            given = parse_qs(query.decode("latin-1"), keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
        except ValueError:
            violations.append(Violation("", DEFAULT_REASON, f"There are more than {_MAX_PARAMETERS} parameters."))
            return
        for name, (field_name, convert, parameter) in self._query.items():
            texts = given.get(name)
            if texts is None:
                continue
            try:
                value = convert(_only(texts))
            except ValueError:
                violations.append(_violation(parameter))
            else:
                if value is not _ABSENT:
                    fields[field_name] = value


def _only(texts: list[str]) -> str:
    if len(texts) != 1 or "\0" in texts[0]:
        raise ValueError
    return texts[0]


def _violation(parameter: Schema) -> Violation:
    name = parameter["name"]
    words = parameter["schema"].get("enum")
    text = f"{name} has to be one of {', '.join(words)}." if words else f"{name} is not valid."
    return Violation(name, parameter.get("x-reason", DEFAULT_REASON), text)


def _conversion(field: FieldDescriptor, parameter: Schema) -> Convert:
    if not field.is_repeated:
        return _scalar(field)
    if parameter.get("style", "form") != "form" or parameter.get("explode", True):
        raise ContractError(
            f"{field.full_name}: a list is read from the query with style form and without explode only"
        )
    return partial(_list, _scalar(field))


def _scalar(field: FieldDescriptor) -> Convert:
    if field.message_type is not None and field.message_type.full_name == "google.protobuf.Timestamp":
        return _timestamp
    if field.enum_type is not None:
        numbers = {word: number for number, word in enum_words(field).items() if number}
        return lambda text: _word(numbers, text)
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return str
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return _truth
    if field.cpp_type in {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64}:
        bits = 31 if field.cpp_type == FieldDescriptor.CPPTYPE_INT32 else 63
        return lambda text: _whole_number(text, 2**bits)
    raise ContractError(f"{field.full_name}: this type cannot be read from the query")


def _truth(text: str) -> object:
    if text not in {"true", "false", ""}:
        raise ValueError
    return text == "true" if text else _ABSENT


def _list(convert: Convert, text: str) -> object:
    values = [convert(item) for item in text.split(",")] if text else []
    return [value for value in values if value is not _ABSENT]


def _word(numbers: Mapping[str, int], text: str) -> int:
    if text not in numbers:
        raise ValueError
    return numbers[text]


def _whole_number(text: str, bound: int) -> object:
    number = _js_number(text)
    if number is None:
        return _ABSENT
    if number != number // 1 or not -bound <= number < bound:
        raise ValueError
    return int(number)


def _timestamp(text: str) -> object:
    number = _js_number(text)
    if number is None:
        return _ABSENT
    parts = seconds_and_nanos(number) if number == number // 1 else None
    if parts is None:
        raise ValueError
    return {"seconds": parts[0], "nanos": parts[1]}


def _js_number(text: str) -> float | None:
    """What `Number(text)` is in JavaScript, where it is finite; None for blank text. Raises ValueError."""
    text = text.strip().strip("\ufeff")
    if not text:
        return None
    if len(text) > _MAX_DIGITS or not _JS_NUMBER.fullmatch(text):
        raise ValueError
    radix = _JS_RADIX.get(text[1:2].lower())
    number = float(int(text[2:], radix) if radix else text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError
    return number
