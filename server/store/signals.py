"""Signals of recorded sessions: added as batches tell them, or told from the beats of neighbouring batches."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from server.mobile import beats as mobile_beats
from server.mobile.beats import Beats
from server.mobile.codec import Message
from server.mobile.signals import RAGE_TAP_GAP_MS, freezes, rage_taps

CRASH: Final = "crash"
FAILED_REQUEST: Final = "failed_request"
RAGE_TAPS: Final = "rage_taps"
FREEZE: Final = "freeze"
"""Kinds of signals."""

MAX_NEIGHBOURS: Final = 32
"""Batches looked at from the time of a new one on. Trackers send one at a time, so one is usual; more are somebody's game."""

MAX_LABEL: Final = 500


@dataclass(frozen=True, slots=True)
class NewSignal:
    """A signal; `key` tells it from others of its kind in the session."""

    kind: str
    key: str
    start_ms: int
    end_ms: int
    label: str
    count: int = 1
    event_key: bytes | None = None


def add(session: Session, app_id: int, stored_id: int, found: Sequence[NewSignal]) -> Counter[str]:
    """Store the signals; one that is there already stays as it is. How many of each kind are new."""
    by_kind: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    for signal in found:
        by_kind[signal.kind].append(_values(app_id, stored_id, signal))
    connection = session.connection()
    return Counter({kind: connection.execute(_INSERT, values).rowcount for kind, values in by_kind.items()})


def reconcile(
    session: Session, app_id: int, stored_id: int, new: Beats, session_end_ms: int, *, has_some: bool
) -> Counter[str]:
    """Tell rage taps and freezes anew around the beats of a batch that was just stored; by how much each kind changed.

    Reads the batch before and those that reach into its time or come after: what happened between two batches is in the
    beats of the two. Signals outside of that stretch cannot have changed. A batch without beats may still show that the
    session lived on after the last one. `has_some` says whether the session has any by now.
    """
    around = _Around(session, app_id, stored_id)
    messages, is_last = around.beats(session_end_ms if new.first_ms is None else new.first_ms)
    if not messages:
        return Counter()
    stored = around.signals(messages[0].timestamp_ms) if has_some else []
    running_ms = _running_rage(stored, messages[0].timestamp_ms)
    if running_ms is not None:
        messages, is_last = around.beats(running_ms)
        stored = around.signals(messages[0].timestamp_ms)
    start_ms, end_ms = messages[0].timestamp_ms, messages[-1].timestamp_ms
    lived_until_ms = session_end_ms if is_last else None
    found = _told(messages, lived_until_ms)
    if any(signal.kind == FREEZE for signal in found):
        found = _told([around.opening(start_ms), *messages], lived_until_ms)
    inside = [row for row in stored if row.start_ms >= start_ms and (is_last or row.start_ms <= end_ms)]
    return around.replace(inside, found)


class _Around:
    """The neighbourhood of a new batch in its session."""

    def __init__(self, session: Session, app_id: int, stored_id: int) -> None:
        self._session, self._app_id, self._id = session, app_id, stored_id

    def beats(self, from_ms: int) -> tuple[list[Message], bool]:
        """All beats of the last batch before and of those that reach over `from_ms` or come after; whether these are all."""
        # Not only the next, because what was touched or marked in a batch that comes late holds until the next such thing.
        rows = self._rows(_NEIGHBOURS, from_ms=from_ms, most=MAX_NEIGHBOURS)
        messages = [message for row in rows for message in mobile_beats.unpack(row.beats)]
        messages.sort(key=lambda message: (message.timestamp_ms, message.index))
        return messages, sum(row.place for row in rows) < MAX_NEIGHBOURS

    def signals(self, at_ms: int) -> "list[sa.Row[Any]]":
        """The stored signals told from beats that began after `at_ms` or may go on there."""
        return self._rows(_STORED, from_ms=at_ms - RAGE_TAP_GAP_MS)

    def opening(self, at_ms: int) -> Message:
        """How things stood when the stretch began, by the last of the batches before it that say so."""
        [row] = self._rows(_LAST_SAID, before_ms=at_ms)
        return mobile_beats.opening(at_ms, in_background=bool(row.in_background), touched=row.touched or "")

    def replace(self, stored: "Iterable[sa.Row[Any]]", found: Sequence[NewSignal]) -> Counter[str]:
        """Put the found signals in the place of the stored ones; by how much each kind changed."""
        wanted = {(signal.kind, signal.key): signal for signal in found}
        changed: Counter[str] = Counter()
        for row in stored:
            signal = wanted.pop((row.kind, row.key), None)
            if signal is None:
                self._run(_DELETE, kind=row.kind, key=row.key)
                changed[row.kind] -= 1
            elif (signal.end_ms, signal.count, signal.label) != (row.end_ms, row.times, row.label):
                self._run(_UPDATE, **_values(self._app_id, self._id, signal))
        changed.update(add(self._session, self._app_id, self._id, list(wanted.values())))
        return changed

    def _rows(self, query: sa.TextClause, **values: object) -> "list[sa.Row[Any]]":
        return list(self._run(query, **values))

    def _run(self, statement: sa.TextClause, **values: object) -> "sa.CursorResult[Any]":
        mine = {"app_id": self._app_id, "session_id": self._id}
        return self._session.connection().execute(statement, mine | values)


def _running_rage(stored: "Iterable[sa.Row[Any]]", at_ms: int) -> int | None:
    """When the rage taps began that were known before and may go on at `at_ms`."""
    return min((row.start_ms for row in stored if row.kind == RAGE_TAPS and row.start_ms < at_ms), default=None)


def _told(messages: Iterable[Message], end_ms: int | None) -> list[NewSignal]:
    ordered = list(messages)
    return [
        *(
            NewSignal(RAGE_TAPS, str(run.start_ms), run.start_ms, run.end_ms, label(run.label), run.count)
            for run in rage_taps(ordered)
        ),
        *(
            NewSignal(FREEZE, str(freeze.start_ms), freeze.start_ms, freeze.end_ms, label(freeze.label))
            for freeze in freezes(ordered, end_ms=end_ms)
        ),
    ]


def label(text: str) -> str:
    """A label as columns hold it."""
    return text[:MAX_LABEL].replace("\0", "\ufffd")


def _values(app_id: int, stored_id: int, signal: NewSignal) -> dict[str, object]:
    return {
        "app_id": app_id,
        "session_id": stored_id,
        "kind": signal.kind,
        "key": signal.key,
        "start_ms": signal.start_ms,
        "end_ms": signal.end_ms,
        "label": signal.label,
        "count": signal.count,
        "event_key": signal.event_key,
    }


_INSERT = sa.text(
    "INSERT INTO session_signals (app_id, session_id, kind, key, start_ms, end_ms, label, count, event_key)"
    " VALUES (:app_id, :session_id, :kind, :key, :start_ms, :end_ms, :label, :count, :event_key) ON CONFLICT DO NOTHING"
)
_MINE: Final = "app_id = :app_id AND session_id = :session_id"
# Text, all of it: building these anew for each batch took most of the time of its transaction.
_NEIGHBOURS = sa.text(
    "SELECT 0 AS place, beats FROM (SELECT beats FROM session_batches"  # noqa: S608 -- a constant
    f" WHERE {_MINE} AND last_beat_ms < :from_ms ORDER BY last_beat_ms DESC LIMIT 1) AS before"
    " UNION ALL SELECT 1, beats FROM (SELECT beats FROM session_batches"
    f" WHERE {_MINE} AND last_beat_ms >= :from_ms ORDER BY last_beat_ms LIMIT :most) AS behind"
)
_STORED = sa.text(
    "SELECT kind, key, start_ms, end_ms, label, count AS times FROM session_signals"  # noqa: S608 -- a constant
    f" WHERE {_MINE} AND kind IN ('{RAGE_TAPS}', '{FREEZE}') AND end_ms >= :from_ms"
)
_LAST = (
    f"(SELECT {{0}} FROM session_batches WHERE {_MINE} AND last_beat_ms < :before_ms AND {{0}} IS NOT NULL"  # noqa: S608 -- a constant
    " ORDER BY last_beat_ms DESC LIMIT 1) AS {0}"
)
_LAST_SAID = sa.text(f"SELECT {_LAST.format('in_background')}, {_LAST.format('touched')}")
_UPDATE = sa.text(
    f"UPDATE session_signals SET end_ms = :end_ms, count = :count, label = :label WHERE {_MINE}"  # noqa: S608 -- a constant
    " AND kind = :kind AND key = :key"
)
_DELETE = sa.text(f"DELETE FROM session_signals WHERE {_MINE} AND kind = :kind AND key = :key")  # noqa: S608 -- a constant
