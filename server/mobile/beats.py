"""Signs of life: the few messages of a batch that rage taps and freezes are told from, kept beside it.

Taps, freezes and their like reach over the ends of batches, and batches arrive in any order. With its beats at hand a
new batch can be judged together with its neighbours without reading theirs again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from server.mobile.codec import Message
from server.mobile.messages import PERFORMANCE
from server.mobile.signals import FREEZE_MS, HEARTBEATS
from server.mobile.wire import write_string

MAX_BEATS: Final = 2_000
"""Beats kept of one batch. A person makes some ten taps a second, and a batch covers five seconds."""

MAX_BEAT_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999; what claims to be later is noise."""

_BACKGROUND: Final = "background"
MARK: Final = write_string(_BACKGROUND)
"""How the fields of a mark begin on the wire."""


@dataclass(frozen=True, slots=True)
class Beats:
    """The beats of one batch in order of time; whether the last mark among them said that the app is away, and what was
    touched last, None where nothing says so.
    """

    messages: Sequence[Message]
    in_background: bool | None
    touched: str | None

    @property
    def first_ms(self) -> int | None:
        """When the first was."""
        return self.messages[0].timestamp_ms if self.messages else None

    @property
    def last_ms(self) -> int | None:
        """When the last was."""
        return self.messages[-1].timestamp_ms if self.messages else None


def beats_of(messages: Iterable[Message]) -> Beats:
    """The beats among the messages."""
    ordered = sorted(
        (message for message in messages if message.type in HEARTBEATS and message.timestamp_ms <= MAX_BEAT_MS),
        key=lambda message: (message.timestamp_ms, message.index),
    )
    marks = [message for message in ordered if _is_mark(message)]
    labels = [str(message.fields["label"]) for message in ordered if message.fields.get("label")]
    in_background = marks[-1].fields.get("value") == 1 if marks else None
    return Beats(_thinned(ordered)[:MAX_BEATS], in_background, labels[-1] if labels else None)


def pack(beats: Beats) -> bytes:
    """The beats as they are stored."""
    return orjson.dumps([[m.index, m.type, m.timestamp_ms, m.fields] for m in beats.messages])


def unpack(packed: bytes) -> list[Message]:
    """The messages that were packed; their names are not kept."""
    return [Message(index, type_id, "", time_ms, fields) for index, type_id, time_ms, fields in orjson.loads(packed)]


def opening(time_ms: int, *, in_background: bool, touched: str) -> Message:
    """A beat to put before a stretch of them, which tells how things stood when it began: away or not, touched what."""
    return Message(0, PERFORMANCE, "", time_ms, {"name": _BACKGROUND, "value": int(in_background), "label": touched})


def _is_mark(message: Message) -> bool:
    return message.type == PERFORMANCE and message.fields.get("name") == _BACKGROUND


def _thinned(ordered: list[Message]) -> list[Message]:
    """Without measurements that lie so close between two kept beats that no freeze could begin or end at them."""
    kept: list[Message] = []
    for place, message in enumerate(ordered):
        is_plain = message.type == PERFORMANCE and not _is_mark(message)
        following = ordered[place + 1].timestamp_ms if place + 1 < len(ordered) else None
        if is_plain and kept and following is not None and following - kept[-1].timestamp_ms < FREEZE_MS:
            continue
        kept.append(message)
    return kept
