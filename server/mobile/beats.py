"""Signs of life: the few messages of a batch that rage taps and freezes are told from, kept beside it.

Taps, freezes and their like reach over the ends of batches, and batches arrive in any order. With its beats at hand a
new batch can be judged together with its neighbours without reading theirs again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, NamedTuple

import orjson

from server.mobile.codec import FieldValue, Message
from server.mobile.messages import CLICK, INPUT, PERFORMANCE
from server.mobile.wire import write_string

HEARTBEATS: Final = frozenset({CLICK, INPUT, PERFORMANCE})
"""What a living app sends all the time: taps, input, and performance samples."""

FREEZE_MS: Final = 60_000
"""How long an app is without a beat that froze."""

MAX_BEATS: Final = 2_000
"""Beats kept of one batch. A person makes some ten taps a second, and a batch covers five seconds."""

MAX_BEAT_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999; what claims to be later is noise."""

_BACKGROUND: Final = "background"
MARK: Final = write_string(_BACKGROUND)
"""How the fields of a mark begin on the wire: the measurement that says whether the app went to the background (1) or came back (0)."""


class Beat(NamedTuple):
    """One sign of life; its first two fields order it among others."""

    time_ms: int
    number: int  # the index of its message
    type: int
    # What was touched, empty for all else; and where, of taps.
    label: str = ""
    x: int | None = None
    y: int | None = None
    # Of a mark, whether the app is away; None of all else.
    away: bool | None = None


by_time: Final = itemgetter(0, 1)


@dataclass(frozen=True, slots=True)
class Beats:
    """The beats of one batch in order of time; whether the last mark among them said that the app is away, and what was
    touched last, None where nothing says so.
    """

    ordered: Sequence[Beat]
    in_background: bool | None
    touched: str | None

    @property
    def first_ms(self) -> int | None:
        """When the first was."""
        return self.ordered[0].time_ms if self.ordered else None

    @property
    def last_ms(self) -> int | None:
        """When the last was."""
        return self.ordered[-1].time_ms if self.ordered else None


def beat(message: Message) -> Beat:
    """A message of one of the HEARTBEATS as a beat."""
    return _beat(message.index, message.type, message.timestamp_ms, message.fields)


def beats_of(beats: Iterable[Beat]) -> Beats:
    """Those of the beats that are kept of a batch."""
    ordered = sorted((beat for beat in beats if beat.time_ms <= MAX_BEAT_MS), key=by_time)
    marks = [beat.away for beat in ordered if beat.away is not None]
    labels = [beat.label for beat in ordered if beat.label]
    return Beats(_thinned(ordered)[:MAX_BEATS], marks[-1] if marks else None, labels[-1] if labels else None)


def pack(beats: Beats) -> bytes:
    """The beats as they are stored."""
    return orjson.dumps(list(map(tuple, beats.ordered)))


def unpack(packed: bytes) -> list[Beat]:
    """The beats that were packed, by this release or by one that kept messages instead."""
    rows = orjson.loads(packed)
    return [_beat(*row) for row in rows] if rows and len(rows[0]) == _MESSAGE else list(map(Beat._make, rows))


def opening(time_ms: int, *, in_background: bool, touched: str) -> Beat:
    """A beat to put before a stretch of them, which tells how things stood when it began: away or not, touched what."""
    return Beat(time_ms, 0, PERFORMANCE, touched, away=in_background)


_MESSAGE: Final = 4
"""Entries of a stored message: index, type, time, fields."""


def _beat(index: int, type_id: int, time_ms: int, fields: dict[str, FieldValue]) -> Beat:
    label, x, y = (fields.get(name) for name in ("label", "x", "y"))
    return Beat(
        time_ms,
        index,
        type_id,
        label if isinstance(label, str) else "",
        x if isinstance(x, int) else None,
        y if isinstance(y, int) else None,
        fields.get("value") == 1 if fields.get("name") == _BACKGROUND else None,
    )


def _thinned(ordered: list[Beat]) -> list[Beat]:
    """Without measurements that lie so close between two kept beats that no freeze could begin or end at them."""
    kept: list[Beat] = []
    for place, beat in enumerate(ordered):
        is_plain = beat.type == PERFORMANCE and beat.away is None
        following = ordered[place + 1].time_ms if place + 1 < len(ordered) else None
        if is_plain and kept and following is not None and following - kept[-1].time_ms < FREEZE_MS:
            continue
        kept.append(beat)
    return kept
