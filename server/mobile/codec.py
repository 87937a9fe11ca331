"""Reads a batch as mobile trackers send it, keeping whatever can be kept, and writes one as they would."""

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import compress
from typing import overload

from server.mobile.messages import NETWORK_CALL, Head, Layout, MessageType, all_types
from server.mobile.walk import Walk, skip_fields, walk
from server.mobile.wire import (
    WireFault,
    read_boolean,
    read_int,
    read_string,
    read_uint,
    write_int,
    write_string,
    write_uint,
)

FieldValue = str | int | bool
_READERS: dict[str, Callable[[bytes, int], tuple[FieldValue, int]]] = {
    "u": read_uint,
    "i": read_int,
    "s": read_string,
    "b": read_boolean,
}


Wanted = bytes
"""Types of messages, as `wanted` gives them."""


def wanted(types: Collection[int]) -> Wanted:
    """These types, in the form in which messages are looked for: one byte for each type there is."""
    return bytes(type_id in types for type_id in range(256))


class BatchStatus(StrEnum):
    """How much of a batch could be read."""

    # Every byte is accounted for; unknown messages may have been stepped over.
    COMPLETE = "complete"
    # Messages inside it are unreadable, those around them are kept.
    DAMAGED = "damaged"
    # What lies behind `consumed` is lost.
    DAMAGED_TAIL = "damaged_tail"
    # Not one message could be read.
    UNDECODABLE = "undecodable"


# Not frozen: that triples what it costs to build one.
@dataclass(slots=True)
class Message:
    """One message: its place in the session, its type, and its fields under their JSON names.

    `index` and `timestamp_ms` are whatever the tracker wrote, anything from 0 to 2**64 - 1.
    """

    index: int
    type: int
    name: str
    timestamp_ms: int
    fields: dict[str, FieldValue]


class Messages(Sequence[Message]):
    """The messages of a batch in the order sent, each built when it is asked for."""

    def __init__(self, data: bytes, found: Walk, layout: Layout, *, swaps_bodies: bool) -> None:
        self._data = data
        self._found = found
        self._rows = all_types(layout)
        self._swaps_bodies = swaps_bodies

    def __len__(self) -> int:
        return len(self._found.types)

    @overload
    def __getitem__(self, position: int) -> Message: ...
    @overload
    def __getitem__(self, position: slice) -> list[Message]: ...
    def __getitem__(self, position: int | slice) -> Message | list[Message]:
        if isinstance(position, slice):
            return [self._at(place) for place in range(len(self))[position]]
        return self._at(range(len(self))[position])

    def __iter__(self) -> Iterator[Message]:
        found = self._found
        return map(self._message, found.types, found.starts, found.ends, found.indexes, found.times)

    def of(self, wanted: "Wanted") -> list[Message]:
        """The messages of the wanted types; no other is built."""
        return [self._at(position) for position in self.positions(wanted)]

    def positions(self, wanted: "Wanted") -> list[int]:
        """Where the messages of the wanted types stand; none is built."""
        # In C alone: a batch holds thousands of messages, of which a few are wanted.
        return list(compress(range(len(self)), self._found.types.translate(wanted)))

    def begins(self, position: int, fields: bytes) -> bool:
        """Whether these bytes begin the fields of a message."""
        return self._data.startswith(fields, self._found.starts[position])

    def start(self, position: int) -> int:
        """Where in the batch the fields of a message begin."""
        return self._found.starts[position]

    def counts(self) -> dict[int, int]:
        """How many messages of each type id there are."""
        types = self._found.types
        return {type_id: count for type_id in self._rows if (count := types.count(type_id))}

    def times(self) -> "array[int]":
        """Epoch milliseconds of each message; none is built."""
        return self._found.times

    def first_but(self, type_id: int) -> int | None:
        """Epoch milliseconds of the first message of any other type; None where there is none."""
        return next(
            (time for kind, time in zip(self._found.types, self._found.times, strict=True) if kind != type_id), None
        )

    def indexes(self) -> "array[int]":
        """The index of each message; none is built."""
        return self._found.indexes

    def places(self) -> "Iterator[tuple[int, int]]":
        """Epoch milliseconds and index of each message; none is built."""
        return zip(self._found.times, self._found.indexes, strict=True)

    def type_at(self, position: int) -> int:
        """The type id of a message."""
        return self._found.types[position]

    def raw(self, position: int) -> bytes:
        """The bytes of a message's fields."""
        return self._data[self._found.starts[position] : self._found.ends[position]]

    def _at(self, place: int) -> Message:
        found = self._found
        return self._message(
            found.types[place], found.starts[place], found.ends[place], found.indexes[place], found.times[place]
        )

    def _message(self, type_id: int, start: int, end: int, index: int, timestamp_ms: int) -> Message:
        message_type = self._rows[type_id]
        if type_id == NETWORK_CALL and self._swaps_bodies:
            fields = _android_network_call(self._data[start:end], message_type)
        else:
            fields = _read_fields(self._data, start, message_type)
        return Message(index, type_id, message_type.name, timestamp_ms, fields)


@dataclass(frozen=True, slots=True)
class Batch:
    """What was read from the bytes of one batch."""

    messages: Messages
    # The index of the first message, which for a batch with a meta is its FirstIndex; None when there is no message.
    first_index: int | None
    status: BatchStatus
    # Why the status is not COMPLETE, in words.
    fault: str | None
    # Bytes that are accounted for, from the front.
    consumed: int
    # How many messages of each unknown type id were stepped over.
    skipped: dict[int, int] = field(default_factory=dict)


def is_android(platform: str) -> bool:
    """Whether a session started with this platform is Android: the original takes anything but iOS and nothing for it."""
    return platform.lower() not in {"", "ios"}


def decode_batch(data: bytes, *, platform: str = "ios", layout: Layout = Layout.CURRENT) -> Batch:
    """Read a batch after any content encoding was undone; never raises, whatever the bytes.

    `platform` is the one the session was started with.
    Costs at most three linear passes and, per message, 33 bytes.
    """
    found = walk(data, layout, trust_length=True)
    if found.fault is not None:
        found = _second_opinion(data, layout, found)
    messages = Messages(data, found, layout, swaps_bodies=is_android(platform) and layout is Layout.CURRENT)
    return Batch(
        messages=messages,
        first_index=found.indexes[0] if found.indexes else None,
        status=_status(found, len(data)),
        fault=found.fault,
        consumed=found.consumed,
        skipped=found.skipped,
    )


def _second_opinion(data: bytes, layout: Layout, found: Walk) -> Walk:
    """The better reading of a batch in which following every Length met a fault.

    The original ignores Length, so a batch it would have read whole is read its way: its Lengths were the fault. Otherwise
    messages found behind a fault are believed only if they lead exactly to the end of the batch; when the tail is lost as
    well they may be noise, and only the head before the first fault is kept.
    """
    unframed = walk(data, layout, trust_length=False)
    if unframed.fault is None:
        return unframed
    if found.consumed == len(data) or found.fault_at == found.consumed:
        return found
    head = walk(data[: found.fault_at], layout, trust_length=True)
    head.fault, head.fault_at = found.fault, found.fault_at
    return head


def _status(found: Walk, size: int) -> BatchStatus:
    if found.fault is None:
        return BatchStatus.COMPLETE
    if not found.types:
        return BatchStatus.UNDECODABLE
    return BatchStatus.DAMAGED if found.consumed == size else BatchStatus.DAMAGED_TAIL


def _read_fields(data: bytes, pos: int, message_type: MessageType) -> dict[str, FieldValue]:
    """The fields that lie at `pos`, which the walk has seen to be whole."""
    fields: dict[str, FieldValue] = {}
    value: FieldValue
    for name, kind in message_type.plan:
        # Most fields are one byte or a string of less than 128 bytes; the readers take the rest.
        byte = data[pos]
        if byte > 0x7F or kind in "ib":
            value, pos = _READERS[kind](data, pos)
        elif kind == "s":
            end = pos + 1 + byte
            value, pos = data[pos + 1 : end].decode("utf-8", "replace"), end
        else:
            value, pos = byte, pos + 1
        if name is not None:
            fields[name] = value
    return fields


def _android_network_call(body: bytes, message_type: MessageType) -> dict[str, FieldValue]:
    """The fields of a network call as Android meant them.

    Its tracker writes the response before the request and, since v1.1.4, the status as four big-endian bytes where a
    varint belongs. No real status reaches 65,536, so those begin with two zeros, which as varints would leave bytes over.
    """
    fields = _read_fields(body, 0, message_type)
    fields["request"], fields["response"] = fields["response"], fields["request"]
    numbers = _android_numbers(body)
    if numbers is not None:
        fields["status"], fields["duration"] = numbers
    return fields


def _android_numbers(body: bytes) -> tuple[int, int] | None:
    """Status and duration behind the five strings, if the status is in Android's four-byte form."""
    numbers = body[skip_fields(body, 0, "sssss") :]
    if len(numbers) < 5 or numbers[:2] != b"\0\0":
        return None
    try:
        duration, _ = read_uint(numbers, 4)
    except WireFault:
        return None
    return int.from_bytes(numbers[:4], "big"), duration


def encode_message(
    type_id: int,
    timestamp_ms: int,
    fields: Mapping[str, FieldValue],
    *,
    platform: str = "ios",
    layout: Layout = Layout.CURRENT,
) -> bytes:
    """One message as a tracker of this platform writes it, Android's defects included; `fields` go by their JSON names.

    Raises KeyError for an unknown type or a missing field, ValueError for a number that does not fit.
    """
    message_type = all_types(layout)[type_id]
    if type_id == NETWORK_CALL and layout is Layout.CURRENT and is_android(platform):
        body = _android_network_body(fields)
    else:
        body = b"".join(
            _write(kind, timestamp_ms if name is None else fields[name]) for name, kind in message_type.plan
        )
    head = write_uint(type_id)
    if message_type.head is not Head.NONE:
        head += write_uint(timestamp_ms)
    if message_type.head is Head.TIMESTAMP_LENGTH:
        head += write_uint(len(body))
    return head + body


def encode_batch(messages: Iterable[Message], *, platform: str = "ios", layout: Layout = Layout.CURRENT) -> bytes:
    """The messages one behind the other; indexes are not written, they follow from the batch meta among the messages."""
    return b"".join(
        encode_message(message.type, message.timestamp_ms, message.fields, platform=platform, layout=layout)
        for message in messages
    )


def _write(kind: str, value: FieldValue) -> bytes:
    if kind == "s":
        return write_string(str(value))
    number = int(value)
    if kind == "i":
        # The clock of a web batch is signed, message times are not.
        return write_int(number - 2**64 if number >= 2**63 else number)
    return write_uint(number)


def _android_network_body(fields: Mapping[str, FieldValue]) -> bytes:
    texts = ("type", "method", "url", "response", "request")
    strings = b"".join(write_string(str(fields[name])) for name in texts)
    return strings + int(fields["status"]).to_bytes(4, "big") + write_uint(int(fields["duration"]))
