"""Kinds of fields that later messages of the contract may have, tried on messages that protobuf brings along."""

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.message import Message
from healthguard.v1 import app_service_pb2

from rest_facade.contract import ContractError
from rest_facade.json_input import MessageReader
from rest_facade.json_output import MessageWriter


def schema(*names: str) -> dict:
    return {"properties": {name: {"items": {"properties": {}}} for name in names}}


def read(kind: type[Message], value: dict) -> tuple[Message, list[tuple[str, str]]]:
    message = kind()
    faults = MessageReader(kind.DESCRIPTOR, schema(*value)).fill(message, value)
    return message, [(fault.field, fault.code) for fault in faults]


def test_word_becomes_an_enum_value() -> None:
    message, faults = read(descriptor_pb2.FieldDescriptorProto, {"type": "sint64", "label": "repeated"})
    assert faults == []
    assert (message.type, message.label) == (
        descriptor_pb2.FieldDescriptorProto.TYPE_SINT64,
        descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED,
    )
    written = MessageWriter(message.DESCRIPTOR, schema("type", "label")).write(message)
    assert written == {"type": "sint64", "label": "repeated"}


@pytest.mark.parametrize("value", ["SINT64", "", 18, True, ["sint64"]])
def test_other_values_of_an_enum_are_faults(value: object) -> None:
    assert read(descriptor_pb2.FieldDescriptorProto, {"type": value})[1] == [("type", "WRONG_TYPE")]


def test_list_of_texts_is_read_and_written() -> None:
    message, faults = read(descriptor_pb2.FileDescriptorProto, {"dependency": ["a", "b"]})
    assert (list(message.dependency), faults) == (["a", "b"], [])
    assert MessageWriter(message.DESCRIPTOR, schema("dependency")).write(message) == {"dependency": ["a", "b"]}


@pytest.mark.parametrize("value", ["a", ["a", 1], {}])
def test_other_values_of_a_list_are_faults(value: object) -> None:
    assert read(descriptor_pb2.FileDescriptorProto, {"dependency": value})[1] == [("dependency", "WRONG_TYPE")]


def test_number_out_of_range_is_a_fault_where_nothing_keeps_it() -> None:
    assert read(descriptor_pb2.FieldDescriptorProto, {"number": 2**31})[1] == [("number", "OUT_OF_RANGE")]


@pytest.mark.parametrize(
    ("kind", "name"),
    [(descriptor_pb2.UninterpretedOption, "stringValue"), (descriptor_pb2.FileDescriptorProto, "publicDependency")],
)
def test_field_that_json_cannot_fill_stops_the_program(kind: type[Message], name: str) -> None:
    with pytest.raises(ContractError, match="cannot be read from JSON"):
        MessageReader(kind.DESCRIPTOR, schema(name))


def test_property_without_a_field_stops_the_program() -> None:
    with pytest.raises(ContractError, match="no field"):
        MessageWriter(descriptor_pb2.FileDescriptorProto.DESCRIPTOR, schema("nope"))


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("", []),
        ("name", ["name"]),
        (" name , settings ,", ["name", "settings"]),
        (
            "settings.retentionDays,settings.rateLimitEventsPerS",
            ["settings.retention_days", "settings.rate_limit_events_per_s"],
        ),
        ("retentionDays,settings.,noSuch", ["retentionDays", "settings.", "noSuch"]),
    ],
)
def test_mask_names_fields_and_fields_of_their_messages(text: str, paths: list[str]) -> None:
    message, faults = read(app_service_pb2.UpdateAppRequest, {"updateMask": text})
    assert (list(message.update_mask.paths), faults) == (paths, [])
