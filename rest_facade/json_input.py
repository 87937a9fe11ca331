"""JSON to protobuf messages, planned once per message type from its descriptor and its schema.

`json_format.ParseDict` asks the descriptors anew for every value and takes 54 us an event; a plan is a dictionary from
JSON key to rule and takes a tenth of that. A plan never raises for what a client sent: it collects faults, so that the
caller may refuse the request or, for items that are judged one by one, just the item.
"""

# ruff: noqa: ANN401 - JSON values and messages of every type pass through here
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from rest_facade.contract import EXTRA, ContractError, Schema, enum_words, json_name, message_type_of
from rest_facade.json_values import MAX_LEVELS, TooDeep, epoch_ms, fill_struct, fill_value, seconds_and_nanos

FAULTS = "faults"
"""The field in which a message that is judged by itself carries what is wrong with it."""

# More faults than anybody reads are not worth their memory: an item may hold a million of them.
_MAX_FAULTS = 16

_INT_BOUNDS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64),
}


class Fault(NamedTuple):
    """Why one value cannot be taken."""

    field: str
    code: str
    message: str


Extra = dict[str, Any]
Put = Callable[[Any, Any, Extra, list[Fault]], None]
"""Puts a JSON value into a message; what the field cannot hold goes to the extra keys or the faults."""


class Rule(NamedTuple):
    """What to do with the value of one key."""

    name: str
    direct: frozenset[type]
    """JSON types that the field takes as they are."""
    put: Put


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

    def read(self, make: Callable[..., Any], value: dict[str, Any]) -> tuple[Any, list[Fault]]:
        """The message that `make` creates from what the object holds, and what could not be taken."""
        rules = self._rules
        direct: dict[str, Any] = {}
        rest: list[tuple[Rule, Any]] = []
        extra: Extra = {}
        faults: list[Fault] = []
        for key, item in value.items():
            rule = rules.get(key)
            if rule is None:
                extra[key] = item
            elif type(item) in rule.direct:
                direct[rule.name] = item
            elif item is not None:
                rest.append((rule, item))
        message = make(**direct)
        for rule, item in rest:
            rule.put(message, item, extra, faults)
        if extra and self.keeps_extra:
            self._keep(message.extra.fields, extra, faults)
        return message, faults

    def _keep(self, fields: Any, extra: Extra, faults: list[Fault]) -> None:
        for key, item in extra.items():
            try:
                fill_value(fields[key], item, self._levels)
            except TooDeep:
                faults.append(_too_deep(key))

    def _rule(self, field: FieldDescriptor, schema: Schema, parent: Schema) -> Rule:
        key = json_name(field)
        if field.is_repeated:
            return Rule(field.name, frozenset(), self._repeated(field, key, schema))
        if field.message_type is not None:
            return Rule(field.name, frozenset(), self._message(field, key, schema, parent))
        return Rule(field.name, _direct_types(field), self._scalar(field, key))

    def _scalar(self, field: FieldDescriptor, key: str) -> Put:
        if field.cpp_type in _INT_BOUNDS:
            return _put_whole_number(field.name, key, *_INT_BOUNDS[field.cpp_type], keeps_extra=self.keeps_extra)
        if field.enum_type is not None:
            return _put_word(field, key)
        return _put_nothing(key, _described(field))

    def _message(self, field: FieldDescriptor, key: str, schema: Schema, parent: Schema) -> Put:
        message_type = message_type_of(field)
        full_name = message_type.full_name
        if full_name == "google.protobuf.Timestamp":
            movable = self.keeps_extra and key not in parent.get("required", ())
            return _put_timestamp(field.name, key, movable=movable, keeps_extra=self.keeps_extra)
        if full_name == "google.protobuf.Struct":
            return _put_struct(field.name, key, self._levels)
        return _put_object(field.name, key, MessageReader(message_type, schema, self._levels))

    def _repeated(self, field: FieldDescriptor, key: str, schema: Schema) -> Put:
        if field.message_type is None:
            return _put_scalars(field, key, _direct_types(field), keeps_extra=self.keeps_extra)
        if field.message_type.GetOptions().map_entry:
            raise ContractError(f"{field.full_name}: maps cannot be read from JSON")
        if schema.get("x-judged-per-item"):
            return _put_judged(field.name, key, MessageReader(field.message_type, schema["items"]))
        reader = MessageReader(field.message_type, schema["items"], self._levels - 1)
        return _put_objects(field.name, key, reader, keeps_extra=self.keeps_extra)


def _direct_types(field: FieldDescriptor) -> frozenset[type]:
    kinds: dict[int, frozenset[type]] = {
        FieldDescriptor.CPPTYPE_STRING: frozenset({str}),
        FieldDescriptor.CPPTYPE_BOOL: frozenset({bool}),
        FieldDescriptor.CPPTYPE_DOUBLE: frozenset({int, float}),
    }
    if field.cpp_type in _INT_BOUNDS or field.enum_type is not None:
        return frozenset()
    if field.type == FieldDescriptor.TYPE_BYTES or field.cpp_type not in kinds:
        raise ContractError(f"{field.full_name}: this type cannot be read from JSON")
    return kinds[field.cpp_type]


def _described(field: FieldDescriptor) -> str:
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return "a string"
    return "true or false" if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL else "a number"


def _wrong_type(key: str, wanted: str) -> Fault:
    return Fault(key, "WRONG_TYPE", f"{key} has to be {wanted}.")


def _too_deep(key: str) -> Fault:
    return Fault(key, "TOO_DEEP", f"{key} is nested deeper than {MAX_LEVELS} levels.")


def _put_nothing(key: str, wanted: str) -> Put:
    def put(_message: Any, _value: Any, _extra: Extra, faults: list[Fault]) -> None:
        faults.append(_wrong_type(key, wanted))

    return put


def _put_whole_number(name: str, key: str, low: int, high: int, *, keeps_extra: bool) -> Put:
    def put(message: Any, value: Any, extra: Extra, faults: list[Fault]) -> None:
        kind = type(value)
        if kind is not int and kind is not float:
            faults.append(_wrong_type(key, "a number"))
        elif low <= value < high and value == int(value):
            setattr(message, name, int(value))
        elif keeps_extra:
            extra[key] = value
        else:
            faults.append(Fault(key, "OUT_OF_RANGE", f"{key} has to be a whole number from {low} to {high - 1}."))

    return put


def _put_word(field: FieldDescriptor, key: str) -> Put:
    numbers = {word: number for number, word in enum_words(field).items() if number}
    wanted = "one of " + ", ".join(numbers)

    def put(message: Any, value: Any, _extra: Extra, faults: list[Fault]) -> None:
        number = numbers.get(value) if type(value) is str else None
        if number is None:
            faults.append(_wrong_type(key, wanted))
        else:
            setattr(message, field.name, number)

    return put


def _put_timestamp(name: str, key: str, *, movable: bool, keeps_extra: bool) -> Put:
    """A time out of range moves to the extra keys where the message may do without it.

    A fraction finer than a nanosecond (only near 1970 do doubles have any) stays in the extra keys as well, where the
    writer prefers it: every number comes back as it was sent.
    """

    def put(message: Any, value: Any, extra: Extra, faults: list[Fault]) -> None:
        kind = type(value)
        if kind is not int and kind is not float:
            faults.append(_wrong_type(key, "a number of milliseconds since 1970"))
            return
        parts = seconds_and_nanos(value)
        if parts is None:
            if movable:
                extra[key] = value
            else:
                faults.append(Fault(key, "INVALID_TIMESTAMP", f"{key} has to lie in the years 1 to 9999."))
            return
        timestamp = getattr(message, name)
        timestamp.seconds, timestamp.nanos = parts
        if parts == (0, 0):
            timestamp.SetInParent()
        if kind is float and keeps_extra and epoch_ms(timestamp) != value:
            extra[key] = value

    return put


def _put_struct(name: str, key: str, levels: int) -> Put:
    def put(message: Any, value: Any, _extra: Extra, faults: list[Fault]) -> None:
        if type(value) is not dict:
            faults.append(_wrong_type(key, "an object"))
            return
        struct = getattr(message, name)
        struct.SetInParent()
        try:
            fill_struct(struct.fields, value, levels - 1)
        except TooDeep:
            faults.append(_too_deep(key))

    return put


def _put_object(name: str, key: str, reader: MessageReader) -> Put:
    def put(message: Any, value: Any, _extra: Extra, faults: list[Fault]) -> None:
        if type(value) is not dict:
            faults.append(_wrong_type(key, "an object"))
            return
        _, found = reader.read(partial(_fill, getattr(message, name)), value)
        if found:
            faults.extend(fault._replace(field=f"{key}.{fault.field}") for fault in found)

    return put


def _fill(child: Any, **direct: Any) -> Any:
    child.SetInParent()
    for name, value in direct.items():
        setattr(child, name, value)
    return child


def _put_objects(name: str, key: str, reader: MessageReader, *, keeps_extra: bool) -> Put:
    def put(message: Any, value: Any, extra: Extra, faults: list[Fault]) -> None:
        if type(value) is not list:
            faults.append(_wrong_type(key, "an array"))
            return
        if not value and keeps_extra:
            extra[key] = value
        add = getattr(message, name).add
        for index, item in enumerate(value):
            if type(item) is not dict:
                faults.append(_wrong_type(f"{key}[{index}]", "an object"))
                continue
            _, found = reader.read(add, item)
            if found:
                faults.extend(fault._replace(field=f"{key}[{index}].{fault.field}") for fault in found)

    return put


def _put_scalars(field: FieldDescriptor, key: str, direct: frozenset[type], *, keeps_extra: bool) -> Put:
    def put(message: Any, value: Any, extra: Extra, faults: list[Fault]) -> None:
        if type(value) is not list or any(type(item) not in direct for item in value):
            faults.append(_wrong_type(key, f"an array, each item {_described(field)}"))
            return
        if not value and keeps_extra:
            extra[key] = value
        getattr(message, field.name).extend(value)

    return put


def _put_judged(name: str, key: str, reader: MessageReader) -> Put:
    """Items that carry their own faults: one that cannot be read is still an item, and its neighbours are unharmed."""

    def put(message: Any, value: Any, _extra: Extra, faults: list[Fault]) -> None:
        if type(value) is not list:
            faults.append(_wrong_type(key, "an array"))
            return
        add = getattr(message, name).add
        for item in value:
            if type(item) is dict:
                child, found = reader.read(add, item)
            else:
                child, found = add(), [Fault("", "NOT_AN_OBJECT", "The event has to be an object.")]
            if found:
                _tell(child, found)

    return put


def _tell(message: Message, found: list[Fault]) -> None:
    add = getattr(message, FAULTS).add
    for fault in found[:_MAX_FAULTS]:
        add(field=fault.field, code=fault.code, message=fault.message)
