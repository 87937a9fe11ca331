"""What a session's messages say of its health and its user: crashes, failed calls, rage taps, freezes, marks, identity.

Everything here takes decoded messages or beats in any order, because trackers resend and batches overtake each other, and orders
them by their own time where order matters. Type ids are the same in all layouts; fields that a layout lacks read as empty.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from server.mobile.beats import FREEZE_MS, Beat, by_time
from server.mobile.codec import Message
from server.mobile.messages import (
    CLICK,
    CRASH,
    METADATA,
    NETWORK_CALL,
    PERFORMANCE,
    USER_ANONYMOUS_ID,
    USER_ID,
)

# OpenReplay's detector asks for gaps *over* 300 ms, so that four taps a minute apart rage and three quick ones do not.
RAGE_TAP_GAP_MS: Final = 300
RAGE_TAPS: Final = 3
_IDENTITY: Final = frozenset({METADATA, USER_ID, USER_ANONYMOUS_ID})
# A marker between the parts of a key that none of them can hold: 0xff never occurs in UTF-8.
_PART_END: Final = b"\xff"


@dataclass(frozen=True, slots=True)
class Crash:
    """A crash as the tracker reported it."""

    index: int
    timestamp_ms: int
    name: str
    reason: str
    stacktrace: str

    @property
    def key(self) -> str:
        """What two uploads of one crash share, as 32 hex digits: not the index, not the session, both of which change.

        A crash arrives by append and again by late, under the next session's token. Two devices may still crash alike in
        the same millisecond: whoever deduplicates by this key must add the device or user.
        """
        digest = hashlib.sha256(str(self.timestamp_ms).encode())
        for part in (self.name, self.reason, self.stacktrace):
            digest.update(_PART_END + part.encode())
        return digest.hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class NetworkCall:
    """A request the app made; status 0 means that no answer came."""

    index: int
    timestamp_ms: int
    method: str
    url: str
    status: int
    duration_ms: int
    request: str
    response: str

    @property
    def failed(self) -> bool:
        """Whether the call counts as a failed request."""
        return self.status == 0 or self.status >= 400


@dataclass(frozen=True, slots=True)
class PerformanceMark:
    """A measurement or a change of state, such as `mainThreadCPU` 37 or `background` 1."""

    index: int
    timestamp_ms: int
    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose session it is, as far as the app has said; empty where it has not.

    Android's tracker reports an anonymous id as a user id, so there the two cannot be told apart.
    """

    user_id: str
    anonymous_id: str
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class RageTaps:
    """A run of quick taps on one thing."""

    index: int
    start_ms: int
    end_ms: int
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time without any sign of life, while the app was in the foreground; `label` is what was last touched."""

    start_ms: int
    end_ms: int
    label: str


def crashes(messages: Iterable[Message]) -> Iterator[Crash]:
    """The crashes, in the order of the messages."""
    for message in messages:
        if message.type == CRASH:
            name, reason, stack = (_text(message, field) for field in ("name", "reason", "stacktrace"))
            yield Crash(message.index, message.timestamp_ms, name, reason, stack)


def network_calls(messages: Iterable[Message]) -> Iterator[NetworkCall]:
    """All requests the app made, in the order of the messages; what v1.7.0 calls body is the request."""
    for message in messages:
        if message.type == NETWORK_CALL:
            yield NetworkCall(
                index=message.index,
                timestamp_ms=message.timestamp_ms,
                method=_text(message, "method"),
                url=_text(message, "url"),
                status=_number(message, "status"),
                duration_ms=_number(message, "duration"),
                request=_text(message, "request") or _text(message, "body"),
                response=_text(message, "response"),
            )


def failed_network_calls(messages: Iterable[Message]) -> Iterator[NetworkCall]:
    """The requests that got no answer or a status of 400 and over."""
    return (call for call in network_calls(messages) if call.failed)


def performance_marks(messages: Iterable[Message]) -> Iterator[PerformanceMark]:
    """The performance marks, in the order of the messages."""
    for message in messages:
        if message.type == PERFORMANCE:
            name, value = _text(message, "name"), _number(message, "value")
            yield PerformanceMark(message.index, message.timestamp_ms, name, value)


def identity(messages: Iterable[Message]) -> Identity:
    """What the app said last about whose session it is."""
    last_ids = {USER_ID: "", USER_ANONYMOUS_ID: ""}
    metadata: dict[str, str] = {}
    for message in _in_time(message for message in messages if message.type in _IDENTITY):
        if message.type == METADATA:
            metadata[_text(message, "key")] = _text(message, "value")
        else:
            # v1.7.0 calls the id a value.
            last_ids[message.type] = _text(message, "id") or _text(message, "value")
    return Identity(last_ids[USER_ID], last_ids[USER_ANONYMOUS_ID], metadata)


def rage_taps(beats: Iterable[Beat]) -> list[RageTaps]:
    """Each run of at least three taps on one non-empty label with less than 300 ms between neighbours, once.

    A tap that came twice, as after a retry, is one tap: it has the same time and place, whatever its index.
    """
    taps = {(tap.time_ms, tap.label, tap.x, tap.y): tap for tap in beats if tap.type == CLICK}
    runs: list[list[Beat]] = []
    label, until_ms = "", 0
    for tap in sorted(taps.values(), key=by_time):
        if runs and tap.label == label and tap.time_ms < until_ms:
            runs[-1].append(tap)
        else:
            runs.append([tap])
        label, until_ms = tap.label, tap.time_ms + RAGE_TAP_GAP_MS
    return [
        RageTaps(run[0].number, run[0].time_ms, run[-1].time_ms, run[0].label, len(run))
        for run in runs
        if len(run) >= RAGE_TAPS and run[0].label
    ]


def freezes(beats: Iterable[Beat], *, end_ms: int | None = None) -> list[Freeze]:
    """The times of at least a minute between two beats, or between the last one and `end_ms`.

    Time spent in the background is no freeze: trackers pause there. `end_ms` is when the session is known to have been
    alive last, by whatever message; without it nothing is said about the time behind the last beat.
    """
    found: list[Freeze] = []
    last_ms: int | None = None
    label = ""
    in_background = False
    for beat in sorted(beats, key=by_time):
        if last_ms is not None and not in_background and beat.time_ms - last_ms >= FREEZE_MS:
            found.append(Freeze(last_ms, beat.time_ms, label))
        last_ms, label = beat.time_ms, beat.label or label
        if beat.away is not None:
            in_background = beat.away
    if last_ms is not None and end_ms is not None and not in_background and end_ms - last_ms >= FREEZE_MS:
        found.append(Freeze(last_ms, end_ms, label))
    return found


def _in_time(messages: Iterable[Message]) -> list[Message]:
    return sorted(messages, key=lambda message: (message.timestamp_ms, message.index))


def _text(message: Message, field: str) -> str:
    value = message.fields.get(field, "")
    return value if isinstance(value, str) else ""


def _number(message: Message, field: str) -> int:
    value = message.fields.get(field, 0)
    return value if isinstance(value, int) else 0
