"""What one batch tells of its session, read once when it arrives."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.mobile.beats import MARK, Beats, beats_of
from server.mobile.codec import Batch, BatchStatus, Message, decode_batch, is_android
from server.mobile.messages import (
    BATCH_META,
    CRASH,
    METADATA,
    NETWORK_CALL,
    PERFORMANCE,
    USER_ANONYMOUS_ID,
    USER_ID,
    Layout,
)
from server.mobile.signals import FREEZE_MS, HEARTBEATS, Crash, NetworkCall, crashes, failed_network_calls

MAX_INT64: Final = 2**63 - 1
_V1_7_0_ONLY: Final = 99
"""A message type that only the layout of v1.7.0 has."""

_TOLD: Final = (HEARTBEATS - {PERFORMANCE}) | {METADATA, USER_ID, USER_ANONYMOUS_ID, CRASH, NETWORK_CALL}


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
    """What a session learns from a batch; failed network calls only where they are wanted.

    Times after `latest_ms` are a wrong clock's.
    """
    batch, layout = decode(data, platform)
    messages = batch.messages
    told, measured = messages.sift(_TOLD if with_calls else _TOLD - {NETWORK_CALL}, PERFORMANCE, unless=MARK)
    times = messages.times()
    earliest, latest = (min(times), max(times)) if times else (None, None)
    crashed = tuple(crashes(told))
    return Reading(
        layout=layout,
        status=batch.status,
        fault=batch.fault or "",
        messages=len(messages),
        counts=messages.counts(),
        first_ms=_storable(earliest),
        last_ms=_storable(latest),
        alive_ms=max(filter(latest_ms.__ge__, times), default=None),
        fell_ms=_fell_ms(batch, crashed),
        user_id=_latest(told, USER_ID),
        anonymous_id=_latest(told, USER_ANONYMOUS_ID),
        metadata=_metadata(told),
        crashes=crashed,
        failed_calls=tuple(failed_network_calls(told)),
        beats=beats_of((*told, *_signs_of_life(measured))),
    )


def _fell_ms(batch: Batch, crashed: Sequence[Crash]) -> int | None:
    return _storable(crashed[0].timestamp_ms if crashed else batch.messages.first_but(BATCH_META))


def _storable(time_ms: int | None) -> int | None:
    return None if time_ms is None else min(time_ms, MAX_INT64)


def _signs_of_life(measured: "Sequence[tuple[int, int]]") -> list[Message]:
    """Measurements, most of what there is, as beats. No freeze fits between two that are near: then the ends will do."""
    if not measured:
        return []
    first, last = min(measured), max(measured)
    kept = {first, last} if last[0] - first[0] < FREEZE_MS else measured
    return [Message(index, PERFORMANCE, "", time_ms, {}) for time_ms, index in kept]


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
