"""Signals of recorded sessions: added as batches tell them, or told from the beats of neighbouring batches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from server.mobile import beats as mobile_beats
from server.mobile.beats import Beats
from server.mobile.codec import Message
from server.mobile.signals import RAGE_TAP_GAP_MS, freezes, rage_taps
from server.store.session_tables import SessionBatchRow, SessionSignalRow

CRASH: Final = "crash"
FAILED_REQUEST: Final = "failed_request"
RAGE_TAPS: Final = "rage_taps"
FREEZE: Final = "freeze"
"""Kinds of signals."""

_FROM_BEATS: Final = (RAGE_TAPS, FREEZE)

MAX_NEIGHBOURS: Final = 64
"""Batches looked at around a new one. Trackers send one at a time, so two are usual; more are somebody's game."""

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
    event_key: str | None = None


def add(session: Session, app_id: int, stored_id: int, found: Sequence[NewSignal]) -> None:
    """Store the signals; one that is there already stays as it is."""
    if found:
        session.connection().execute(_INSERT, [_values(app_id, stored_id, signal) for signal in found])


def counts(session: Session, app_id: int, stored_id: int) -> Mapping[str, int]:
    """How many signals of each kind the session has."""
    query = (
        select(SessionSignalRow.kind, sa.func.count())
        .where(SessionSignalRow.app_id == app_id, SessionSignalRow.session_id == stored_id)
        .group_by(SessionSignalRow.kind)
    )
    return dict(session.exec(query).all())


def reconcile(session: Session, app_id: int, stored_id: int, new: Beats, session_end_ms: int) -> None:
    """Tell rage taps and freezes anew around the beats of a batch that was just stored.

    Reads the batches whose beats overlap them, the one before and those after: what happened between two batches is in
    the beats of the two. Signals outside of that stretch cannot have changed. A batch without beats may still show that the
    session lived on after the last one.
    """
    first_ms = session_end_ms if new.first_ms is None else new.first_ms
    last_ms = session_end_ms if new.last_ms is None else new.last_ms
    around = _Around(session, app_id, stored_id)
    messages, is_last = around.beats(first_ms, last_ms)
    if not messages:
        return
    running = around.running_rage(messages[0].timestamp_ms)
    if running is not None:
        messages, is_last = around.beats(running, last_ms)
    start_ms, end_ms = messages[0].timestamp_ms, messages[-1].timestamp_ms
    messages.insert(0, around.opening(start_ms))
    found = _told(messages, session_end_ms if is_last else None)
    around.replace(start_ms, None if is_last else end_ms, found)


class _Around:
    """The neighbourhood of a new batch in its session."""

    def __init__(self, session: Session, app_id: int, stored_id: int) -> None:
        self._session, self._app_id, self._id = session, app_id, stored_id
        self._mine = (SessionBatchRow.app_id == app_id, SessionBatchRow.session_id == stored_id)

    def beats(self, start_ms: int, end_ms: int) -> tuple[list[Message], bool]:
        """All beats of the batches that reach into the stretch, of the one before and those after; whether none comes later."""
        first, last = col(SessionBatchRow.first_beat_ms), col(SessionBatchRow.last_beat_ms)
        inside = self._packed((first <= end_ms) & (last >= start_ms), last.desc(), MAX_NEIGHBOURS)
        before = self._packed(last < start_ms, last.desc(), 1)
        # More than one, because what was touched or marked in a batch that comes late holds until the next such thing.
        after = self._packed(first > end_ms, first.asc(), MAX_NEIGHBOURS)
        messages = [message for packed in (*before, *inside, *after) for message in mobile_beats.unpack(packed)]
        messages.sort(key=lambda message: (message.timestamp_ms, message.index))
        return messages, len(after) < MAX_NEIGHBOURS

    def running_rage(self, at_ms: int) -> int | None:
        """When the rage taps began that were known before and reach over `at_ms`."""
        row = self._session.exec(
            self._signals()
            .where(SessionSignalRow.kind == RAGE_TAPS)
            .where(col(SessionSignalRow.start_ms) < at_ms, col(SessionSignalRow.end_ms) >= at_ms - RAGE_TAP_GAP_MS)
            .limit(1)
        ).first()
        return None if row is None else row.start_ms

    def opening(self, at_ms: int) -> Message:
        """How things stood when the stretch began, by the last of the batches before it that say so."""
        in_background, touched = (self._last(column, at_ms) for column in ("in_background", "touched"))
        return mobile_beats.opening(at_ms, in_background=bool(in_background), touched=str(touched or ""))

    def _last(self, column: str, before_ms: int) -> object:
        last, said = col(SessionBatchRow.last_beat_ms), getattr(SessionBatchRow, column)
        query = select(said).where(*self._mine).where(last < before_ms, said.is_not(None))
        return self._session.exec(query.order_by(last.desc()).limit(1)).first()

    def replace(self, start_ms: int, end_ms: int | None, found: Sequence[NewSignal]) -> None:
        """Put these in the place of the signals that began in the stretch; the end may be open."""
        query = self._signals().where(
            col(SessionSignalRow.kind).in_(_FROM_BEATS), col(SessionSignalRow.start_ms) >= start_ms
        )
        if end_ms is not None:
            query = query.where(col(SessionSignalRow.start_ms) <= end_ms)
        stored = {(row.kind, row.key): row for row in self._session.exec(query)}
        wanted = {(signal.kind, signal.key): signal for signal in found}
        for key, row in stored.items():
            signal = wanted.pop(key, None)
            if signal is None:
                self._session.delete(row)
            else:
                row.end_ms, row.count, row.label = signal.end_ms, signal.count, signal.label
        self._session.flush()
        add(self._session, self._app_id, self._id, list(wanted.values()))

    def _signals(self) -> SelectOfScalar[SessionSignalRow]:
        return select(SessionSignalRow).where(
            SessionSignalRow.app_id == self._app_id, SessionSignalRow.session_id == self._id
        )

    def _packed(self, condition: "sa.ColumnElement[bool]", order: "sa.ColumnElement[Any]", limit: int) -> list[bytes]:
        query = select(SessionBatchRow.beats).where(*self._mine, condition)
        return list(self._session.exec(query.order_by(order).limit(limit)))


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
