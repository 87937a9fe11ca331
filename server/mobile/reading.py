"""What one batch tells of its session, read once when it arrives."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from server.mobile.beats import FREEZE_MS, HEARTBEATS, MARK, Beat, Beats, beat, beats_of
from server.mobile.codec import Batch, BatchStatus, Message, Messages, decode_batch, is_android, wanted
from server.mobile.messages import (
    BATCH_META,
    CLICK,
    CRASH,
    METADATA,
    NETWORK_CALL,
    PERFORMANCE,
    USER_ANONYMOUS_ID,
    USER_ID,
    Layout,
)
from server.mobile.signals import Crash, NetworkCall, crashes, failed_network_calls
from server.mobile.walk import skip_fields
from server.mobile.wire import read_string, read_uint

MAX_INT64: Final = 2**63 - 1
MAX_CALLS: Final = 500
"""Failed network calls of one batch that become events; a batch covers five seconds."""

_V1_7_0_ONLY: Final = 99
"""A message type that only the layout of v1.7.0 has."""

_TOUCHES: Final = wanted(HEARTBEATS - {PERFORMANCE})
_MEASUREMENTS: Final = wanted({PERFORMANCE})
_TOLD: Final = wanted({METADATA, USER_ID, USER_ANONYMOUS_ID, CRASH})
_CALLS: Final = wanted({NETWORK_CALL})


@dataclass(frozen=True, slots=True)
class Said:
    """Something the app said of its session, and when."""

    time_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a batch holds. Times are as devices wrote them, at most MAX_INT64, so that any column can hold them."""

    layout: Layout
    status: BatchStatus
    fault: str
    messages: int
    counts: Mapping[int, int]
    first_ms: int | None
    last_ms: int | None
    # The latest time that is not ahead of the server's clock.
    alive_ms: int | None
    # When its first message other than the meta was made: whose time a late batch fell in.
    fell_ms: int | None
    user_id: Said | None
    anonymous_id: Said | None
    metadata: Mapping[str, Said]
    crashes: tuple[Crash, ...]
    failed_calls: tuple[NetworkCall, ...]
    beats: Beats


def decode(data: bytes, platform: str) -> tuple[Batch, Layout]:
    """The batch in the layout that reads it whole, today's if both or neither do.

    The bytes do not name their layout and v1.7.0 laid out three types otherwise, but every message tells its length: read in
    the wrong layout those do not fit. Android came after v1.7.0.
    """
    batch = decode_batch(data, platform=platform)
    if is_android(platform) or (batch.status is BatchStatus.COMPLETE and _V1_7_0_ONLY not in batch.skipped):
        return batch, Layout.CURRENT
    old = decode_batch(data, platform=platform, layout=Layout.V1_7_0)
    if old.status is BatchStatus.COMPLETE and not old.skipped:
        return old, Layout.V1_7_0
    return batch, Layout.CURRENT


def read(data: bytes, platform: str, *, with_calls: bool, latest_ms: int) -> Reading:
    """What a session learns from a batch; failed network calls, the first MAX_CALLS, only where they are wanted.

    Times after `latest_ms` are a wrong clock's.
    """
    batch, layout = decode(data, platform)
    messages = batch.messages
    told = messages.of(_TOLD)
    times = messages.times()
    earliest, latest = (min(times), max(times)) if times else (None, None)
    is_plausible = latest is not None and latest <= latest_ms
    crashed = tuple(crashes(told))
    return Reading(
        layout=layout,
        status=batch.status,
        fault=batch.fault or "",
        messages=len(messages),
        counts=messages.counts(),
        first_ms=_storable(earliest),
        last_ms=_storable(latest),
        alive_ms=latest if is_plausible else max(filter(latest_ms.__ge__, times), default=None),
        fell_ms=_fell_ms(batch, crashed),
        user_id=_latest(told, USER_ID),
        anonymous_id=_latest(told, USER_ANONYMOUS_ID),
        metadata=_metadata(told),
        crashes=crashed,
        failed_calls=tuple(islice(failed_network_calls(messages.of(_CALLS)), MAX_CALLS)) if with_calls else (),
        beats=beats_of((*_touches(messages, data), *_measurements(messages, data))),
    )


def _fell_ms(batch: Batch, crashed: Sequence[Crash]) -> int | None:
    return _storable(crashed[0].timestamp_ms if crashed else batch.messages.first_but(BATCH_META))


def _storable(time_ms: int | None) -> int | None:
    return None if time_ms is None else min(time_ms, MAX_INT64)


def _touches(messages: Messages, data: bytes) -> Iterator[Beat]:
    """What was tapped or written to. Both layouts have these types alike; of their fields only what a beat keeps is read."""
    times, indexes = messages.times(), messages.indexes()
    for position in messages.positions(_TOUCHES):
        type_id, start = messages.type_at(position), messages.start(position)
        if type_id == CLICK:
            label, at = read_string(data, start)
            x, at = read_uint(data, at)
            y, _ = read_uint(data, at)
            yield Beat(times[position], indexes[position], type_id, label, x, y)
        else:
            label, _ = read_string(data, skip_fields(data, start, "sb"))
            yield Beat(times[position], indexes[position], type_id, label)


def _measurements(messages: Messages, data: bytes) -> list[Beat]:
    """Measurements, most of what there is, and marks. Of the former the first and the last will do if no freeze fits between."""
    positions = messages.positions(_MEASUREMENTS)
    marks: list[Beat] = []
    if MARK in data:
        at = [position for position in positions if messages.begins(position, MARK)]
        marks = [beat(messages[position]) for position in at]
        positions = sorted(set(positions).difference(at))
    if not positions:
        return marks
    times, indexes = messages.times(), messages.indexes()
    measured = [times[position] for position in positions]
    first, last = min(measured), max(measured)
    if last - first < FREEZE_MS:
        ends = measured.index(first), len(measured) - 1 - measured[::-1].index(last)
        positions = sorted({positions[end] for end in ends})
    return [*marks, *(Beat(times[position], indexes[position], PERFORMANCE) for position in positions)]


def _latest(told: Iterable[Message], type_id: int) -> Said | None:
    said = [
        # v1.7.0 calls the id a value.
        Said(min(message.timestamp_ms, MAX_INT64), str(message.fields.get("id", message.fields.get("value", ""))))
        for message in told
        if message.type == type_id
    ]
    return max(said, key=lambda one: one.time_ms, default=None)


def _metadata(told: Iterable[Message]) -> dict[str, Said]:
    found: dict[str, Said] = {}
    for message in told:
        if message.type == METADATA:
            said = Said(min(message.timestamp_ms, MAX_INT64), str(message.fields["value"]))
            known = found.get(str(message.fields["key"]))
            if known is None or said.time_ms >= known.time_ms:
                found[str(message.fields["key"])] = said
    return found
