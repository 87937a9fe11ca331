"""JSON to protobuf messages, planned once per message type from its descriptor and its schema.

`json_format.ParseDict` asks the descriptors anew for every value and takes 54 us an event; a plan is a dictionary from
JSON key to rule and takes a tenth of that. A plan never raises for what a client sent: it collects faults, so that the
caller may refuse the request or, for items that are judged one by one, just the item.
"""

# ruff: noqa: ANN401 - JSON values and messages of every type pass through here
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from rest_facade import json_rules
from rest_facade.contract import EXTRA, ContractError, Schema, json_name, message_type_of
from rest_facade.json_rules import Extra, Fault, Put, Rule
from rest_facade.json_values import MAX_LEVELS, TooDeep, fill_value

_WHOLE = frozenset({int})


class MessageReader:
    """Plan for one message type: reads a JSON object into a new message."""

    def __init__(self, descriptor: Descriptor, schema: Schema, levels: int = MAX_LEVELS) -> None:
        """Plans the properties of the schema that are fields; `levels` is how deep the object's values may nest."""
        self.keeps_extra = EXTRA in descriptor.fields_by_name
        self._levels = levels - 1
        self._rules = {
            json_name(field): self._rule(field, schema["properties"][json_name(field)], schema)
            for field in descriptor.fields
            if json_name(field) in schema.get("properties", {}) and field.name != EXTRA
        }

    def fill(self, message: Any, value: dict[str, Any]) -> list[Fault]:
        """Puts what the object holds into the new message; returns what could not be taken."""
        rules = self._rules
        extra: Extra = {}
        faults: list[Fault] = []
        for key, item in value.items():
            rule = rules.get(key)
            if rule is None:
                extra[key] = item
                continue
            name, direct, put = rule
            if type(item) in direct:
                try:
                    setattr(message, name, item)
                except ValueError:  # a whole number beyond what the field holds
                    put(message, item, extra, faults)
            elif item is not None:
                put(message, item, extra, faults)
        if extra and self.keeps_extra:
            self._keep(message.extra.fields, extra, faults)
        return faults

    def _keep(self, fields: Any, extra: Extra, faults: list[Fault]) -> None:
        for key, item in extra.items():
            try:
                fill_value(fields[key], item, self._levels)
            except TooDeep:
                faults.append(json_rules.too_deep(key))

    def _rule(self, field: FieldDescriptor, schema: Schema, parent: Schema) -> Rule:
        key = json_name(field)
        if field.is_repeated:
            return Rule(field.name, frozenset(), self._repeated(field, key, schema))
        if field.message_type is not None:
            return Rule(field.name, frozenset(), self._message(field, key, schema, parent))
        direct = _WHOLE if field.cpp_type in json_rules.INT_BOUNDS else json_rules.direct_types(field)
        return Rule(field.name, direct, self._scalar(field, key))

    def _scalar(self, field: FieldDescriptor, key: str) -> Put:
        if field.cpp_type in json_rules.INT_BOUNDS:
            return json_rules.put_whole_number(
                field.name, key, *json_rules.INT_BOUNDS[field.cpp_type], keeps_extra=self.keeps_extra
            )
        if field.enum_type is not None:
            return json_rules.put_word(field, key)
        return json_rules.put_nothing(key, json_rules.described(field))

    def _message(self, field: FieldDescriptor, key: str, schema: Schema, parent: Schema) -> Put:
        message_type = message_type_of(field)
        full_name = message_type.full_name
        if full_name == "google.protobuf.Timestamp":
            movable = self.keeps_extra and key not in parent.get("required", ())
            return json_rules.put_timestamp(field.name, key, movable=movable, keeps_extra=self.keeps_extra)
        if full_name == "google.protobuf.Struct":
            return json_rules.put_struct(field.name, key, self._levels)
        if full_name == "google.protobuf.FieldMask":
            return json_rules.put_field_mask(field, key)
        return json_rules.put_object(field.name, key, MessageReader(message_type, schema, self._levels))

    def _repeated(self, field: FieldDescriptor, key: str, schema: Schema) -> Put:
        if field.message_type is None:
            return json_rules.put_scalars(field, key, json_rules.direct_types(field), keeps_extra=self.keeps_extra)
        if field.message_type.GetOptions().map_entry:
            raise ContractError(f"{field.full_name}: maps cannot be read from JSON")
        if schema.get("x-judged-per-item"):
            return json_rules.put_judged(field.name, key, MessageReader(field.message_type, schema["items"]))
        reader = MessageReader(field.message_type, schema["items"], self._levels - 1)
        return json_rules.put_objects(field.name, key, reader, keeps_extra=self.keeps_extra)
