"""What to do with the JSON value of one field: put it where it belongs, keep it beside, or say what is wrong with it."""

# ruff: noqa: ANN401 - JSON values and messages of every type pass through here
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from rest_facade.contract import ContractError, enum_words, json_name
from rest_facade.json_values import MAX_LEVELS, TooDeep, epoch_ms, fill_struct, seconds_and_nanos

FAULTS = "faults"
"""The field in which a message that is judged by itself carries what is wrong with it."""

# More faults than anybody reads are not worth their memory: an item may hold a million of them.
_MAX_FAULTS = 16

# As much of a key as a client needs to find it.
_TOLD_CHARS = 128

INT_BOUNDS = {
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


_NOT_AN_OBJECT = Fault("", "NOT_AN_OBJECT", "The item has to be an object.")

Extra = dict[str, Any]
Put = Callable[[Any, Any, Extra, list[Fault]], None]
"""Puts a JSON value into a message; what the field cannot hold goes to the extra keys or the faults."""


class Rule(NamedTuple):
    """What to do with the value of one key."""

    name: str
    direct: frozenset[type]
    """JSON types that the field takes as they are, or refuses with a ValueError."""
    put: Put
    """For all other values, and those refused."""


class Reader(Protocol):
    """The plan of the message type inside a field."""

    def fill(self, message: Any, value: dict[str, Any]) -> list[Fault]:
        """As MessageReader.fill."""


def direct_types(field: FieldDescriptor) -> frozenset[type]:
    """JSON types that a scalar field takes without a look at the value; raises ContractError for types JSON does not have."""
    kinds: dict[int, frozenset[type]] = {
        FieldDescriptor.CPPTYPE_STRING: frozenset({str}),
        FieldDescriptor.CPPTYPE_BOOL: frozenset({bool}),
        FieldDescriptor.CPPTYPE_DOUBLE: frozenset({int, float}),
    }
    if field.cpp_type in INT_BOUNDS or field.enum_type is not None:
        return frozenset()
    if field.type == FieldDescriptor.TYPE_BYTES or field.cpp_type not in kinds:
        raise ContractError(f"{field.full_name}: this type cannot be read from JSON")
    return kinds[field.cpp_type]


def described(field: FieldDescriptor) -> str:
    """The type of a scalar field in words."""
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return "a string"
    return "true or false" if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL else "a number"


def _wrong_type(key: str, wanted: str) -> Fault:
    return Fault(key, "WRONG_TYPE", f"{key} has to be {wanted}.")


def too_deep(key: str) -> Fault:
    """The fault of a value that nests too deep for protobuf to decode; the key may be one that a client made up."""
    key = key[:_TOLD_CHARS]
    return Fault(key, "TOO_DEEP", f"{key} is nested deeper than {MAX_LEVELS} levels.")


def put_nothing(key: str, wanted: str) -> Put:
    """For fields that take every value of the right type directly: what arrives here has another."""

    def put(_message: Any, _value: Any, _extra: Extra, faults: list[Fault]) -> None:
        faults.append(_wrong_type(key, wanted))

    return put


def put_whole_number(name: str, key: str, low: int, high: int, *, keeps_extra: bool) -> Put:
    """Whole numbers from `low` up to, but not including, `high`; others are kept beside where the message can."""

    def put(message: Any, value: Any, extra: Extra, faults: list[Fault]) -> None:
        if type(value) is not int and type(value) is not float:
            faults.append(_wrong_type(key, "a number"))
        elif low <= value < high and value == int(value):
            setattr(message, name, int(value))
        elif keeps_extra:
            extra[key] = value
        else:
            faults.append(Fault(key, "OUT_OF_RANGE", f"{key} has to be a whole number from {low} to {high - 1}."))

    return put


def put_word(field: FieldDescriptor, key: str) -> Put:
    """Enum values by their word."""
    numbers = {word: number for number, word in enum_words(field).items() if number}
    wanted = "one of " + ", ".join(numbers)

    def put(message: Any, value: Any, _extra: Extra, faults: list[Fault]) -> None:
        number = numbers.get(value) if type(value) is str else None
        if number is None:
            faults.append(_wrong_type(key, wanted))
        else:
            setattr(message, field.name, number)

    return put


def put_timestamp(name: str, key: str, *, movable: bool, keeps_extra: bool) -> Put:
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
        if kind is float and keeps_extra and epoch_ms(timestamp) != value:
            extra[key] = value

    return put


def put_struct(name: str, key: str, levels: int) -> Put:
    """Free objects."""

    def put(message: Any, value: Any, _extra: Extra, faults: list[Fault]) -> None:
        if type(value) is not dict:
            faults.append(_wrong_type(key, "an object"))
            return
        struct = getattr(message, name)
        if not value:
            struct.SetInParent()
        try:
            fill_struct(struct.fields, value, levels - 1)
        except TooDeep:
            faults.append(too_deep(key))

    return put


def put_field_mask(field: FieldDescriptor, key: str) -> Put:
    """JSON names of fields with commas between them, as proto JSON has it; what is no field is the RPC's to judge."""
    parent = field.containing_type
    if parent is None:
        raise ContractError(f"{field.full_name} is no field of a message")
    names = dict(_paths(parent))

    def put(message: Any, value: Any, _extra: Extra, faults: list[Fault]) -> None:
        if type(value) is not str:
            faults.append(_wrong_type(key, "names with commas between them"))
            return
        paths = (path.strip() for path in value.split(","))
        getattr(message, field.name).paths.extend(names.get(path, path) for path in paths if path)

    return put


def _paths(message_type: Descriptor, json_above: str = "", above: str = "") -> Iterator[tuple[str, str]]:
    """Path in JSON and path in the contract of each field, and of the fields of our own messages in it."""
    for field in message_type.fields:
        json_path, path = json_above + json_name(field), above + field.name
        yield json_path, path
        child = None if field.is_repeated else field.message_type
        if child is not None and child.file.package == message_type.file.package:
            yield from _paths(child, f"{json_path}.", f"{path}.")


def put_object(name: str, key: str, reader: Reader) -> Put:
    """A message inside a message; its faults are told with the path to them."""

    def put(message: Any, value: Any, _extra: Extra, faults: list[Fault]) -> None:
        if type(value) is not dict:
            faults.append(_wrong_type(key, "an object"))
            return
        child = getattr(message, name)
        child.SetInParent()
        found = reader.fill(child, value)
        if found:
            faults.extend(fault._replace(field=f"{key}.{fault.field}") for fault in found)

    return put


def put_objects(name: str, key: str, reader: Reader, *, keeps_extra: bool) -> Put:
    """A list of messages; an empty one, which protobuf cannot tell from none, is kept beside."""

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
            found = reader.fill(add(), item)
            if found:
                faults.extend(fault._replace(field=f"{key}[{index}].{fault.field}") for fault in found)

    return put


def put_scalars(field: FieldDescriptor, key: str, direct: frozenset[type], *, keeps_extra: bool) -> Put:
    """A list of scalars, likewise; raises ContractError for types that need a look at each value."""
    if not direct:
        raise ContractError(f"{field.full_name}: a list of this type cannot be read from JSON")

    def put(message: Any, value: Any, extra: Extra, faults: list[Fault]) -> None:
        if type(value) is not list or any(type(item) not in direct for item in value):
            faults.append(_wrong_type(key, f"an array, each item {described(field)}"))
            return
        if not value and keeps_extra:
            extra[key] = value
        getattr(message, field.name).extend(value)

    return put


def put_judged(name: str, key: str, reader: Reader) -> Put:
    """Items that carry their own faults: one that cannot be read is still an item, and its neighbours are unharmed."""

    def put(message: Any, value: Any, _extra: Extra, faults: list[Fault]) -> None:
        if type(value) is not list:
            faults.append(_wrong_type(key, "an array"))
            return
        add = getattr(message, name).add
        for item in value:
            child = add()
            found = reader.fill(child, item) if type(item) is dict else [_NOT_AN_OBJECT]
            if found:
                _tell(child, found)

    return put


def _tell(message: Message, found: list[Fault]) -> None:
    add = getattr(message, FAULTS).add
    for fault in found[:_MAX_FAULTS]:
        add(field=fault.field, code=fault.code, message=fault.message)
