"""Protobuf messages to JSON objects, planned once per message type from its descriptor and its schema.

What appears follows from the schema: a property in `required` always does (zero, empty, or null where `nullable`),
others do when they are set. Keys kept in a message's `extra` come back at the level they came from.
"""

# ruff: noqa: ANN401 - JSON values and messages of every type pass through here
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from rest_facade.contract import EXTRA, ContractError, Schema, enum_words, json_name, message_type_of
from rest_facade.json_values import epoch_ms, plain_number, struct_to_json

Convert = Callable[[Any], Any]


class MessageWriter:
    """Plan for one message type: writes a message as a JSON object.

    Asking a message for the fields that are set takes a third of the time of asking for each field that could be.
    """

    def __init__(self, descriptor: Descriptor, schema: Schema) -> None:
        """Plans the properties of the schema; raises ContractError where one is no field."""
        fields = {json_name(field): field for field in descriptor.fields}
        required = frozenset(schema.get("required", ()))
        self._extra = EXTRA in descriptor.fields_by_name
        self._absent: dict[str, Any] = {}
        self._present: dict[int, tuple[str, Convert]] = {}
        for key, prop in schema["properties"].items():
            if key not in fields:
                raise ContractError(f"{descriptor.full_name} has no field for the property {key}")
            field = fields[key]
            convert = _field_conversion(field, prop)
            self._present[field.number] = key, convert
            if key in required and (not field.has_presence or prop.get("nullable")):
                self._absent[key] = None if field.has_presence else _absent(field, convert)

    def write(self, message: Any) -> dict[str, Any]:
        """The JSON object that stands for the message, for reading only."""
        out = self._absent.copy()
        for field, value in message.ListFields():
            planned = self._present.get(field.number)
            if planned is not None:
                key, convert = planned
                out[key] = convert(value)
        if self._extra and message.HasField(EXTRA):
            out.update(struct_to_json(message.extra))
        return out


def _field_conversion(field: FieldDescriptor, schema: Schema) -> Convert:
    if _is_map(field):
        return _map_conversion(field)
    if field.is_repeated:
        convert = _conversion(field, schema.get("items", {}))
        return lambda values: [convert(value) for value in values]
    return _conversion(field, schema)


def _absent(field: FieldDescriptor, convert: Convert) -> Any:
    """What a required property shows where its field is not set."""
    if field.is_repeated:
        return {} if _is_map(field) else []
    return convert(field.default_value)


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _map_conversion(field: FieldDescriptor) -> Convert:
    """Maps are written as objects; their values as they are, or as what a union holds."""
    value = message_type_of(field).fields_by_name["value"]
    if value.message_type is None:
        return dict
    convert = _union(value.message_type)
    return lambda values: {name: convert(item) for name, item in values.items()}


def _union(message_type: Descriptor) -> Convert:
    """Writes a message that is one choice among scalars as the one that is set."""
    choices = message_type.oneofs
    if len(choices) != 1 or len(choices[0].fields) != len(message_type.fields):
        raise ContractError(f"{message_type.full_name}: only unions can be the values of a map")
    name = choices[0].name
    return lambda message: getattr(message, message.WhichOneof(name) or "", None)


def _conversion(field: FieldDescriptor, schema: Schema) -> Convert:
    if field.message_type is not None:
        return _message_conversion(field, schema)
    if field.enum_type is not None:
        words = enum_words(field)
        return lambda number: words.get(number, str(number))
    if field.cpp_type in {FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT}:
        return plain_number
    if field.type == FieldDescriptor.TYPE_BYTES:
        raise ContractError(f"{field.full_name}: bytes cannot be written as JSON")
    return _same


def _message_conversion(field: FieldDescriptor, schema: Schema) -> Convert:
    message_type = message_type_of(field)
    if message_type.full_name == "google.protobuf.Timestamp":
        return epoch_ms
    if message_type.full_name == "google.protobuf.Struct":
        return struct_to_json
    return MessageWriter(message_type, schema).write


def _same(value: Any) -> Any:
    return value
