"""Finds where the messages of a batch lie, in one pass, without building any of them.

The result is some arrays of numbers, so that a hostile batch of two-byte messages costs some bytes each and not some
Python objects each, and so that whoever wants only the crashes pays only for the crashes.
"""

from array import array
from dataclasses import dataclass, field
from struct import Struct, error as StructError  # noqa: N812 -- it is one
from typing import Final, NoReturn

from server.mobile.messages import (
    BATCH_META,
    WEB_BATCH_META,
    WEB_BATCH_METADATA,
    WEB_TIMESTAMP,
    Head,
    Layout,
    MessageType,
    all_types,
    mobile_types,
)
from server.mobile.wire import MAX_STRING_BYTES, MAX_UINT, WireFault, read_int, read_size, read_uint

# Trackers flush at 400,000 bytes and refuse to hold more than 500,000; the smallest message they really write has 13.
MAX_MESSAGES: Final = 131_072
# Ids in use end at 120. A larger one is noise read as a message, and every id stepped over is counted in memory.
MAX_TYPE_ID: Final = 1_023
# A number of so many bytes fits 64 bits whatever they are.
_SURE_UINT_BYTES: Final = 9
_WEB_METAS: Final = (WEB_BATCH_META, WEB_BATCH_METADATA)

# How nearly all messages begin: type, low and high bytes of a timestamp of six, and a Length, or the first byte of one.
_HEAD: Final = Struct("<BHIB")
_TIMED: Final = 7  # bytes: the type and a timestamp of six
# The bits that say of the two low bytes of a number that others follow.
_LOW_MORE: Final = 0x8080
# What of a field's first byte, while it is below 0x80, counts the bytes behind it: all of a string's, none of the others'.
_STEPS: Final = {"s": -1, "u": 0, "b": 0x80}
_BOOLEAN: Final = _STEPS["b"]
_KINDS: Final = {step: kind for kind, step in _STEPS.items()}


def _numbers() -> "array[int]":
    return array("Q")


@dataclass(slots=True)
class Walk:
    """What one pass over a batch found; each column has one number a message."""

    types: bytearray = field(default_factory=bytearray)
    # Where its fields begin and end in the batch.
    starts: "array[int]" = field(default_factory=_numbers)
    ends: "array[int]" = field(default_factory=_numbers)
    indexes: "array[int]" = field(default_factory=_numbers)
    # Epoch milliseconds.
    times: "array[int]" = field(default_factory=_numbers)
    # How often each unknown id was stepped over.
    skipped: dict[int, int] = field(default_factory=dict)
    # The first fault, and where its message begins.
    fault: str | None = None
    fault_at: int = 0
    # Bytes accounted for; less than the batch when its tail is lost.
    consumed: int = 0

    def add(self, type_id: int, start: int, end: int, index: int, time_ms: int) -> None:
        """Note a message."""
        self.types.append(type_id)
        self.starts.append(start)
        self.ends.append(end)
        self.indexes.append(index)
        self.times.append(time_ms)


@dataclass(frozen=True, slots=True)
class Rules:
    """Which types a batch may hold and how its messages are numbered."""

    types: dict[int, MessageType]
    # For each type of one byte, one number a field; None for all but the ordinary ones: those with a Length that do
    # nothing to the walk itself.
    ordinary: list[tuple[int, ...] | None]
    # Today's trackers count the batch meta as a message and everything else from 1; v1.7.0 does neither.
    counts_meta: bool


class _TailLost(Exception):
    """Nothing behind this place can be read."""


def _rules(types: dict[int, MessageType], layout: Layout) -> Rules:
    ordinary: list[tuple[int, ...] | None] = [None] * 256
    for row in types.values():
        if row.head is Head.TIMESTAMP_LENGTH and row.id != BATCH_META:
            ordinary[row.id] = tuple(_STEPS[kind] for kind in row.kinds)
    return Rules(types, ordinary, counts_meta=layout is Layout.CURRENT)


_MOBILE_RULES = {layout: _rules(mobile_types(layout), layout) for layout in Layout}
# The metas that open a web batch mean nothing anywhere else in it.
_WEB_RULES = {
    layout: _rules({i: row for i, row in all_types(layout).items() if i not in _WEB_METAS}, layout) for layout in Layout
}


def walk(data: bytes, layout: Layout, *, trust_length: bool) -> Walk:
    """Find the messages of a batch.

    With `trust_length` a message ends where its Length says: surplus is ignored, unknown types are stepped over, and an
    unreadable message is stepped over as a fault. Without it a message ends behind its last known field, as every reader
    of the original has it, and the first oddity ends the walk.
    """
    is_web = len(data) > 0 and data[0] in _WEB_METAS
    rules = (_WEB_RULES if is_web else _MOBILE_RULES)[layout]
    walker = _Walker(data, rules, trust_length=trust_length)
    try:
        if is_web and walker.web_meta():
            walker.sized_messages()
        else:
            walker.messages()
    except _TailLost:
        pass
    return walker.found


def skip_fields(data: bytes, pos: int, kinds: str) -> int:
    """Where fields of these kinds end, which may lie behind the data; raises WireFault or IndexError."""
    # Every field of every message passes here: one branch for a byte alone, and calls only for what is rare.
    for kind in kinds:
        first = data[pos]
        pos += 1
        if first < 0x80:
            if kind == "s":
                pos += first
        elif kind == "s":
            pos = _skip_long_string(data, pos - 1)
        elif kind != "b":
            start = pos - 1
            while data[pos] > 0x7F:
                pos += 1
            pos += 1
            if pos - start > _SURE_UINT_BYTES:
                read_uint(data, start)
    return pos


def _skip_long_string(data: bytes, pos: int) -> int:
    """Where a string ends whose length has more than a byte."""
    length, pos = read_uint(data, pos)
    if length > MAX_STRING_BYTES:
        raise WireFault(f"string of {length} bytes is over {MAX_STRING_BYTES}")
    return pos + length


def _refuse(reason: str) -> NoReturn:
    raise WireFault(reason)


def _reason(error: WireFault | IndexError) -> str:
    return "cut inside a message" if isinstance(error, IndexError) else str(error)


class _Walker:
    """The state of one walk over one batch."""

    def __init__(self, data: bytes, rules: Rules, *, trust_length: bool) -> None:
        self.found = Walk()
        self._data = data
        self._rules = rules
        self._trust_length = trust_length
        self._first_index = 1 if rules.counts_meta else 0
        self._next_index = self._first_index
        # The time of messages that carry none of their own.
        self._clock = 0

    def messages(self) -> None:
        """Step through messages that follow each other with nothing between."""
        data, ordinary, found = self._data, self._rules.ordinary, self.found
        size, pos, patience = len(data), found.consumed, MAX_MESSAGES
        while pos < size and patience:
            if ordinary[data[pos]] is not None:
                known = len(found.types)
                pos = self._stretch(pos, patience)
                patience -= len(found.types) - known
            if pos < size and patience:
                pos = self._one(pos)
                patience -= 1
        self._end(pos)

    def _stretch(self, pos: int, most: int) -> int:
        """Take in up to `most` ordinary messages without a fault; where the first begins that is for `_one` to judge.

        Every message of every batch passes here, and every field of it: hence one loop, and calls only for what is rare.
        """
        data, ordinary, found, size = self._data, self._rules.ordinary, self.found, len(self._data)
        add_type, add_time = found.types.append, found.times.append
        add_start, add_end = found.starts.append, found.ends.append
        known = len(found.types)
        tail, base, trust_length = -1, 0, self._trust_length
        try:
            for _ in range(most):
                type_id, low, high, length = _HEAD.unpack_from(data, pos)
                steps = ordinary[type_id]
                if steps is None:
                    break
                if high == tail and low & _LOW_MORE == _LOW_MORE:
                    # Neighbours share all but the lowest 14 bits of their six-byte timestamps for 16 seconds.
                    timestamp, start = base + (low & 0x7F) + (low >> 1 & 0x3F80), pos + _HEAD.size
                else:
                    timestamp, start = read_uint(data, pos + 1)
                    length = data[start]
                    if start == pos + _TIMED:
                        tail, base = high, timestamp - timestamp % 2**14
                    start += 1
                if length > 0x7F:
                    length, start = read_uint(data, start - 1)
                at, end = start, start + length
                for step in steps:
                    first = data[at]
                    if first < 0x80:
                        at += 1 + (first & step)
                    elif (second := data[at + 1]) < 0x80 and step != _BOOLEAN:
                        at += 2 + ((first & 0x7F | second << 7) & step)
                    else:
                        at = skip_fields(data, at, _KINDS[step])
                end = end if trust_length else at
                if at > end or end > size:
                    break
                add_type(type_id)
                add_start(start)
                add_end(end)
                add_time(timestamp)
                pos = end
        except (WireFault, IndexError, StructError):
            pass  # `_one` finds it again, and a word for it
        self._number(len(found.types) - known)
        return pos

    def _number(self, messages: int) -> None:
        """Give so many messages their indexes."""
        first, after = self._next_index, self._next_index + messages
        self.found.indexes.extend(
            range(first, after) if after <= MAX_UINT else (i & MAX_UINT for i in range(first, after))
        )
        self._next_index = after & MAX_UINT

    def sized_messages(self) -> None:
        """Step through messages of a web batch, each behind its type and a three-byte size."""
        data, types = self._data, self._rules.types
        pos = self.found.consumed
        for _ in range(MAX_MESSAGES):
            if pos >= len(data):
                break
            start = pos
            try:
                type_id, pos = read_uint(data, pos)
                size, pos = read_size(data, pos)
            except WireFault as error:
                raise self._tail_lost(start, str(error)) from error
            end = pos + size
            if end > len(data):
                raise self._tail_lost(start, "message is longer than what is left of the batch")
            row = types.get(type_id)
            if row is None:
                self._count_unknown(type_id, start)
            else:
                self._sized(row, start, pos, end)
            self._next_index += 1
            pos = end
        self._end(pos)

    def web_meta(self) -> bool:
        """Read the message that opens a web batch; whether a size precedes each of those behind it."""
        data, start = self._data, 1
        try:
            version, pos = read_uint(data, start) if data[0] == WEB_BATCH_METADATA else (0, start)
            page, pos = read_uint(data, pos)
            first, pos = read_uint(data, pos)
            timestamp, pos = read_int(data, pos)
            if data[0] == WEB_BATCH_METADATA:
                pos = skip_fields(data, pos, "s")
            if pos > len(data):
                _refuse("cut inside a string")
        except (WireFault, IndexError) as error:
            raise self._tail_lost(0, _reason(error)) from error
        self._clock = timestamp & MAX_UINT
        index = (page << 32) + first & MAX_UINT
        self.found.add(data[0], start, pos, index, self._clock)
        # For version 0 the original rewinds, so that the next message gets the index of the meta once more.
        rewinds = data[0] == WEB_BATCH_METADATA and version == 0
        self._next_index = index if rewinds else index + 1 & MAX_UINT
        self.found.consumed = pos
        return version > 0

    def _one(self, start: int) -> int:
        """Take in a message, whatever it is; where the next begins."""
        data = self._data
        try:
            type_id, pos = read_uint(data, start)
            row = self._rules.types.get(type_id)
            if row is None:
                end = self._unknown(type_id, start, pos)
            else:
                timestamp, pos, declared_end = self._head(row, pos)
                fields_end = skip_fields(data, pos, row.kinds)
                end = fields_end if declared_end is None or not self._trust_length else declared_end
                if fields_end > end:
                    _refuse("fields are longer than their message")
                if end > len(data):
                    _refuse("message is longer than what is left of the batch")
                self._take(row.id, timestamp, pos, end, start)
        except (WireFault, IndexError) as error:
            end = self._step_over_fault(start, _reason(error))
        self._next_index = self._next_index + 1 & MAX_UINT
        return end

    def _take(self, type_id: int, timestamp: int, pos: int, end: int, start: int) -> None:
        """Record a message; a batch meta sets the numbering for those behind it, a web timestamp their time."""
        index = self._next_index
        if type_id == BATCH_META:
            if index > self._first_index:
                raise self._tail_lost(start, "a second batch meta inside the batch")
            index, _ = read_uint(self._data, pos)
            self._next_index = index if self._rules.counts_meta else index - 1
        if type_id in (BATCH_META, WEB_TIMESTAMP):
            self._clock = timestamp
        self.found.add(type_id, pos, end, index, timestamp)

    def _head(self, row: MessageType, pos: int) -> tuple[int, int, int | None]:
        """What stands before the fields: the time, where they begin and, if the message says so, where they end."""
        if row.head is Head.NONE:
            return self._clock, pos, None
        timestamp, pos = read_uint(self._data, pos)
        if row.head is Head.TIMESTAMP:
            return timestamp, pos, None
        length, pos = read_uint(self._data, pos)
        return timestamp, pos, pos + length

    def _sized(self, row: MessageType, start: int, pos: int, end: int) -> None:
        """Record a message of a web batch, which ends where its size says."""
        try:
            timestamp, pos, _ = self._head(row, pos)
            if skip_fields(self._data, pos, row.kinds) > end:
                _refuse("fields are longer than their message")
        except (WireFault, IndexError) as error:
            self._note_fault(start, _reason(error))
        else:
            self._take(row.id, timestamp, pos, end, start)

    def _unknown(self, type_id: int, start: int, pos: int) -> int:
        """Step over a message of unknown type, believing its Length."""
        _, pos = read_uint(self._data, pos)
        length, pos = read_uint(self._data, pos)
        if pos + length > len(self._data):
            raise self._tail_lost(start, f"unknown message type {type_id} is longer than what is left of the batch")
        self._count_unknown(type_id, start)
        return pos + length

    def _count_unknown(self, type_id: int, start: int) -> None:
        if type_id > MAX_TYPE_ID:
            raise self._tail_lost(start, f"implausible message type {type_id}")
        if not self._trust_length:
            raise self._tail_lost(start, f"unknown message type {type_id}")
        self.found.skipped[type_id] = self.found.skipped.get(type_id, 0) + 1

    def _step_over_fault(self, start: int, reason: str) -> int:
        """Note a fault and find the message behind it by the Length of the faulty one; loses the tail if that fails."""
        self._note_fault(start, reason)
        data = self._data
        try:
            type_id, pos = read_uint(data, start)
            row = self._rules.types.get(type_id)
            if row is not None and row.head is Head.TIMESTAMP_LENGTH:
                _, pos = read_uint(data, pos)
                length, pos = read_uint(data, pos)
                if pos + length <= len(data):
                    return pos + length
        except WireFault as error:
            raise self._tail_lost(start, str(error)) from error
        raise self._tail_lost(start, reason)

    def _note_fault(self, start: int, reason: str) -> None:
        if self.found.fault is None:
            self.found.fault, self.found.fault_at = reason, start
        if not self._trust_length:
            raise self._tail_lost(start, reason)

    def _tail_lost(self, start: int, reason: str) -> _TailLost:
        """What to raise to end the walk here."""
        if self.found.fault is None:
            self.found.fault, self.found.fault_at = reason, start
        self.found.consumed = start
        return _TailLost()

    def _end(self, pos: int) -> None:
        """The walk came to the end of the batch or of its patience."""
        if pos < len(self._data):
            raise self._tail_lost(pos, f"more than {MAX_MESSAGES} messages")
        self.found.consumed = pos
