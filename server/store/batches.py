"""Batches of recorded sessions: stored once per content, with every counter and signal that follows from them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

import orjson
import sqlalchemy as sa
from sqlmodel import Session, col, select

from server.mobile import beats as mobile_beats
from server.mobile.beats import Beats
from server.mobile.reading import Said
from server.store import session_bulk, sessions, signals
from server.store.sequence import Sequence as IdSequence
from server.store.session_tables import SessionBatchRow, SessionRow
from server.store.sessions import Recorded, recorded, signed, unsigned
from server.store.signals import NewSignal

MAX_METADATA = 100
"""Keys of metadata kept of one session; OpenReplay shows ten."""


@dataclass(frozen=True, slots=True)
class NewBatch:
    """One batch, read and ready to store.

    `fell_ms` is set for a late batch: it belongs to the session of the installation in whose time it fell.
    """

    app_id: int
    session_id: int
    content: str
    received_ms: int
    payload: bytes
    size_bytes: int
    layout: str
    status: str
    fault: str
    damaged: bool
    messages: int
    counts: Mapping[int, int]
    first_ms: int | None
    last_ms: int | None
    alive_ms: int | None
    user_id: Said | None
    anonymous_id: Said | None
    metadata: Mapping[str, Said]
    beats: Beats
    events_due: bool
    signals: Sequence[NewSignal] = field(default_factory=list)
    fell_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a batch was stored, and whether its content was new there."""

    session: Recorded
    is_new: bool


def append(session: Session, batches: Sequence[NewBatch], ids: IdSequence, longest_ms: int) -> list[Kept | None]:
    """Store each batch with all that follows from it; None where its session is not there (any more)."""
    kept: list[Kept | None] = [None] * len(batches)
    arrivals = [_Arrival(place, new, _home(session, new, longest_ms)) for place, new in enumerate(batches)]
    # Sessions are locked in one order, so that two writers cannot wait for each other.
    waiting = sorted(arrivals, key=lambda arrival: arrival.session)
    while waiting:
        # Of several batches of one session each is told with what the one before it told.
        turn = {arrival.session: arrival for arrival in reversed(waiting)}
        waiting = [arrival for arrival in waiting if turn[arrival.session] is not arrival]
        for arrival, one in _append(session, list(reversed(turn.values())), ids):
            kept[arrival.place] = one
    return kept


def settle(session: Session, app_id: int, session_id: int, content: str) -> None:
    """Note that the events of a batch are durable."""
    session.connection().execute(
        sa.update(SessionBatchRow)
        .where(col(SessionBatchRow.app_id) == app_id, col(SessionBatchRow.session_id) == signed(session_id))
        .where(col(SessionBatchRow.content) == content)
        .values(events_due=False)
    )


@dataclass(frozen=True, slots=True)
class DueBatch:
    """A batch whose events may not have been stored."""

    app_id: int
    session: Recorded
    content: str
    payload: bytes


def due(session: Session, before_ms: int, limit: int) -> list[DueBatch]:
    """Batches that arrived before and whose events are not known to be durable, oldest first."""
    query = (
        select(SessionBatchRow, SessionRow)
        .join(
            SessionRow,
            (col(SessionRow.app_id) == col(SessionBatchRow.app_id))
            & (col(SessionRow.id) == SessionBatchRow.session_id),
        )
        .where(col(SessionBatchRow.events_due).is_(True), col(SessionBatchRow.received_ms) < before_ms)
        .order_by(col(SessionBatchRow.received_ms))
        .limit(limit)
    )
    return [DueBatch(batch.app_id, recorded(row), batch.content, batch.payload) for batch, row in session.exec(query)]


@dataclass(slots=True)
class _State:
    """What a batch may change of its session."""

    last_ms: int
    listed: bool
    user_id: str
    user_id_ms: int
    anonymous_id: str
    anonymous_id_ms: int
    metadata_json: str
    types_json: str
    batches: int
    damaged_batches: int
    messages: int
    crashes: int
    failed_requests: int
    rage_taps: int
    freezes: int


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A new batch, its place among those of the transaction, and the stored id of the session it belongs to."""

    place: int
    new: NewBatch
    home: int

    @property
    def session(self) -> tuple[int, int]:
        """The key of its session."""
        return self.new.app_id, self.home


@dataclass(slots=True)
class _Storing:
    """A batch on its way into its session, which is locked: as it was found, and what the batch makes of it."""

    arrival: _Arrival
    known: Recorded
    state: _State


def _append(session: Session, arrivals: Sequence[_Arrival], ids: IdSequence) -> Iterator[tuple[_Arrival, Kept]]:
    """Store batches of different sessions; what became of each whose session is there."""
    held = session_bulk.lock(session, [arrival.session for arrival in arrivals])
    there = [_storing(arrival, held[place]) for place, arrival in enumerate(arrivals) if place in held]
    rows = [_row(one.arrival, seq) for one, seq in zip(there, ids.take(len(there)), strict=True)]
    new_to = session_bulk.insert(session, rows) if rows else set()
    stored = [one for one in there if one.arrival.session in new_to]
    if stored:
        _conclude(session, stored)
    for one in there:
        known = replace(one.known, user_id=one.state.user_id, anonymous_id=one.state.anonymous_id)
        yield one.arrival, Kept(known, is_new=one.arrival.session in new_to)


def _storing(arrival: _Arrival, held: Sequence[Any]) -> _Storing:
    fixed = len(session_bulk.HELD)
    state = _State(*held[fixed:])
    known = Recorded(
        id=unsigned(arrival.home),
        **dict(zip(session_bulk.HELD, held, strict=False)),
        user_id=state.user_id,
        anonymous_id=state.anonymous_id,
    )
    return _Storing(arrival, known, state)


def _conclude(session: Session, stored: Sequence[_Storing]) -> None:
    """Write what follows from new batches to their sessions."""
    told: list[signals.Arrival] = []
    for one in stored:
        new, home, state = one.arrival.new, one.arrival.home, one.state
        has_some = state.rage_taps + state.freezes > 0
        _count(state, new)
        _note_identity(state, new)
        _count_signals(state, signals.add(session, new.app_id, home, new.signals))
        told.append(signals.Arrival(new.app_id, home, new.content, new.beats, state.last_ms, has_some))
    for one, changed in zip(stored, signals.reconcile(session, told), strict=True):
        _count_signals(one.state, changed)
    session_bulk.update(session, [(*one.arrival.session, *_changing(one.state)) for one in stored])


def _home(session: Session, new: NewBatch, longest_ms: int) -> int:
    """The session that the batch belongs to: its token's, or for a late one the earlier one in whose time it fell."""
    named = signed(new.session_id)
    if new.fell_ms is None:
        return named
    row = session.get(SessionRow, (new.app_id, named))
    if row is None or new.fell_ms >= row.start_ms or not row.user_uuid:
        return named
    earlier = sessions.session_at(session, new.app_id, row.user_uuid, new.fell_ms, longest_ms)
    return named if earlier is None else signed(earlier)


def _row(arrival: _Arrival, seq: int) -> tuple[Any, ...]:
    """The batch as columns."""
    new, beats = arrival.new, arrival.new.beats
    values = {
        "app_id": new.app_id,
        "session_id": arrival.home,
        "content": new.content,
        "seq": seq,
        "received_ms": new.received_ms,
        "first_ms": new.first_ms,
        "last_ms": new.last_ms,
        "messages": new.messages,
        "layout": new.layout,
        "status": new.status,
        "fault": new.fault,
        "size_bytes": new.size_bytes,
        "events_due": new.events_due,
        "first_beat_ms": beats.first_ms,
        "last_beat_ms": beats.last_ms,
        "in_background": beats.in_background,
        "touched": signals.label(beats.touched) if beats.touched else None,
        "beats": mobile_beats.pack(beats),
        "payload": new.payload,
    }
    return tuple(values[name] for name, _ in session_bulk.BATCH)


def _count(state: _State, new: NewBatch) -> None:
    state.batches += 1
    state.damaged_batches += new.damaged
    state.messages += new.messages
    state.listed = True
    if new.alive_ms is not None:
        state.last_ms = max(state.last_ms, new.alive_ms)
    types = orjson.loads(state.types_json)
    for type_id, count in new.counts.items():
        types[str(type_id)] = types.get(str(type_id), 0) + count
    state.types_json = orjson.dumps(types).decode()


def _note_identity(state: _State, new: NewBatch) -> None:
    """What was said last counts, by the device's clock: batches overtake each other."""
    if new.user_id is not None and new.user_id.time_ms >= state.user_id_ms:
        state.user_id, state.user_id_ms = new.user_id.text, new.user_id.time_ms
    if new.anonymous_id is not None and new.anonymous_id.time_ms >= state.anonymous_id_ms:
        state.anonymous_id, state.anonymous_id_ms = new.anonymous_id.text, new.anonymous_id.time_ms
    if new.metadata:
        known = orjson.loads(state.metadata_json)
        for key, said in new.metadata.items():
            if said.time_ms >= known.get(key, ("", 0))[1] and (key in known or len(known) < MAX_METADATA):
                known[key] = (said.text, said.time_ms)
        state.metadata_json = orjson.dumps(known).decode()


def _count_signals(state: _State, changed: Mapping[str, int]) -> None:
    state.crashes += changed.get(signals.CRASH, 0)
    state.failed_requests += changed.get(signals.FAILED_REQUEST, 0)
    state.rage_taps += changed.get(signals.RAGE_TAPS, 0)
    state.freezes += changed.get(signals.FREEZE, 0)


_changing = attrgetter(*session_bulk.CHANGING)
