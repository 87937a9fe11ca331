"""Signals of recorded sessions: added as batches tell them, or told from the beats of neighbouring batches."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from server.mobile import beats as mobile_beats
from server.mobile.beats import Beat, Beats, by_time
from server.mobile.event_ids import call_id, crash_id
from server.mobile.reading import MAX_INT64, Reading
from server.mobile.signals import RAGE_TAP_GAP_MS, Crash, NetworkCall, freezes, rage_taps
from server.store import session_bulk
from server.store.bulk import Row
from server.store.event_key import event_key, key_name
from server.store.session_bulk import Neighbour

CRASH: Final = "crash"
FAILED_REQUEST: Final = "failed_request"
RAGE_TAPS: Final = "rage_taps"
FREEZE: Final = "freeze"
"""Kinds of signals."""

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


def signals_of(reading: Reading, user_uuid: str) -> list[NewSignal]:
    """The crashes and failed calls of a batch as signals of its session, each with the key of its event."""
    return [
        *(_crash_signal(crash, user_uuid) for crash in reading.crashes),
        *(_call_signal(call, user_uuid) for call in reading.failed_calls),
    ]


def _crash_signal(crash: Crash, user_uuid: str) -> NewSignal:
    key = event_key(crash_id(crash, user_uuid))
    time_ms = min(crash.timestamp_ms, MAX_INT64)
    return NewSignal(CRASH, key_name(key), time_ms, time_ms, label(crash.name), event_key=key)


def _call_signal(call: NetworkCall, user_uuid: str) -> NewSignal:
    key = event_key(call_id(call, user_uuid))
    start_ms = min(call.timestamp_ms, MAX_INT64)
    end_ms = min(start_ms + call.duration_ms, MAX_INT64)
    return NewSignal(FAILED_REQUEST, key_name(key), start_ms, end_ms, label(f"{call.method} {call.url}"), event_key=key)


def add(session: Session, app_id: int, stored_id: int, found: Sequence[NewSignal]) -> Counter[str]:
    """Store the signals; one that is there already stays as it is. How many of each kind are new."""
    by_kind: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    for signal in found:
        by_kind[signal.kind].append(_values(app_id, stored_id, signal))
    if not by_kind:
        return Counter()
    connection = session.connection()
    return Counter({kind: connection.execute(_INSERT, values).rowcount for kind, values in by_kind.items()})


@dataclass(frozen=True, slots=True)
class Arrival:
    """A batch that was just stored, as far as rage taps and freezes are told anew because of it."""

    app_id: int
    stored_id: int
    content: str
    beats: Beats
    # How long the session is known to have lived, and whether it has any such signals by now.
    session_end_ms: int
    has_some: bool


def reconcile(session: Session, arrivals: Sequence[Arrival]) -> list[Counter[str]]:
    """Tell rage taps and freezes anew around the beats of batches of different sessions; by how much each kind changed.

    Reads the batch before and those that reach into its time or come after: what happened between two batches is in the
    beats of the two. Signals outside of that stretch cannot have changed. A batch without beats may still show that the
    session lived on after the last one.
    """
    arounds = [_Around(session, arrival) for arrival in arrivals]
    stretches = [around.stretch(place, around.from_ms) for place, around in enumerate(arounds)]
    found: defaultdict[int, list[Neighbour]] = defaultdict(list)
    for neighbour in session_bulk.neighbours(session, stretches):
        found[neighbour.place].append(neighbour)
    return [around.reconcile(found[place]) for place, around in enumerate(arounds)]


class _Around:
    """The neighbourhood of a new batch in its session."""

    def __init__(self, session: Session, new: Arrival) -> None:
        self._session, self._new = session, new
        first_ms = new.beats.first_ms
        self.from_ms = new.session_end_ms if first_ms is None else first_ms

    def stretch(self, place: int, from_ms: int) -> Row:
        """What to ask for its neighbours from a time on."""
        return (place, self._new.app_id, self._new.stored_id, self._new.content, from_ms)

    def reconcile(self, neighbours: Sequence[Neighbour]) -> Counter[str]:
        """Tell the signals anew, given the neighbours; by how much each kind changed."""
        beats, is_last = self._beats(neighbours, self.from_ms)
        if not beats:
            return Counter()
        stored = self._signals(beats[0].time_ms) if self._new.has_some else []
        running_ms = _running_rage(stored, beats[0].time_ms)
        if running_ms is not None:
            again = session_bulk.neighbours(self._session, [self.stretch(0, running_ms)])
            beats, is_last = self._beats(again, running_ms)
            stored = self._signals(beats[0].time_ms)
        start_ms, end_ms = beats[0].time_ms, beats[-1].time_ms
        lived_until_ms = self._new.session_end_ms if is_last else None
        found = _told(beats, lived_until_ms)
        if any(signal.kind == FREEZE for signal in found):
            found = _told([self._opening(start_ms), *beats], lived_until_ms)
        inside = [row for row in stored if row.start_ms >= start_ms and (is_last or row.start_ms <= end_ms)]
        return self._replace(inside, found)

    def _beats(self, neighbours: Sequence[Neighbour], from_ms: int) -> tuple[list[Beat], bool]:
        """All beats of the batch and its neighbours; whether these are all from that time on."""
        # Not only the next, because what was touched or marked in a batch that comes late holds until the next such thing.
        beats = list(self._new.beats.ordered)
        for neighbour in neighbours:
            beats += mobile_beats.unpack(neighbour.beats)
        behind = sum(neighbour.last_beat_ms >= from_ms for neighbour in neighbours)
        return sorted(beats, key=by_time), behind < session_bulk.MAX_BEHIND

    def _signals(self, at_ms: int) -> "list[sa.Row[Any]]":
        """The stored signals told from beats that began after `at_ms` or may go on there."""
        return list(self._run(_STORED, from_ms=at_ms - RAGE_TAP_GAP_MS))

    def _opening(self, at_ms: int) -> Beat:
        """How things stood when the stretch began, by the last of the batches before it that say so."""
        row = self._run(_LAST_SAID, before_ms=at_ms).one()
        return mobile_beats.opening(at_ms, in_background=bool(row.in_background), touched=row.touched or "")

    def _replace(self, stored: "Iterable[sa.Row[Any]]", found: Sequence[NewSignal]) -> Counter[str]:
        """Put the found signals in the place of the stored ones; by how much each kind changed."""
        wanted = {(signal.kind, signal.key): signal for signal in found}
        changed: Counter[str] = Counter()
        for row in stored:
            signal = wanted.pop((row.kind, row.key), None)
            if signal is None:
                self._run(_DELETE, kind=row.kind, key=row.key)
                changed[row.kind] -= 1
            elif (signal.end_ms, signal.count, signal.label) != (row.end_ms, row.times, row.label):
                self._run(_UPDATE, **_values(self._new.app_id, self._new.stored_id, signal))
        changed.update(add(self._session, self._new.app_id, self._new.stored_id, list(wanted.values())))
        return changed

    def _run(self, statement: sa.TextClause, **values: object) -> "sa.CursorResult[Any]":
        mine = {"app_id": self._new.app_id, "session_id": self._new.stored_id}
        return self._session.connection().execute(statement, mine | values)


def _running_rage(stored: "Iterable[sa.Row[Any]]", at_ms: int) -> int | None:
    """When the rage taps began that were known before and may go on at `at_ms`."""
    return min((row.start_ms for row in stored if row.kind == RAGE_TAPS and row.start_ms < at_ms), default=None)


def _told(beats: Sequence[Beat], end_ms: int | None) -> list[NewSignal]:
    return [
        *(
            NewSignal(RAGE_TAPS, str(run.start_ms), run.start_ms, run.end_ms, label(run.label), run.count)
            for run in rage_taps(beats)
        ),
        *(
            NewSignal(FREEZE, str(freeze.start_ms), freeze.start_ms, freeze.end_ms, label(freeze.label))
            for freeze in freezes(beats, end_ms=end_ms)
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
