"""Batches of recorded sessions: stored once per content, with every counter and signal that follows from them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import orjson
import sqlalchemy as sa
from sqlmodel import Session, col, select

from server.mobile import beats as mobile_beats
from server.mobile.beats import Beats
from server.mobile.reading import Said
from server.store import sessions, signals
from server.store.sequence import Sequence as IdSequence
from server.store.session_tables import SessionBatchRow, SessionRow
from server.store.sessions import Recorded, recorded, signed
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
    homes = [_home(session, batch, longest_ms) for batch in batches]
    # Sessions are locked in one order, so that two writers cannot wait for each other.
    for place in sorted(range(len(batches)), key=lambda i: (batches[i].app_id, homes[i])):
        kept[place] = _append(session, batches[place], homes[place], ids)
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


def _append(session: Session, new: NewBatch, home: int, ids: IdSequence) -> Kept | None:
    row = _lock(session, new.app_id, home)
    if row is None:
        return None
    known = recorded(row)
    if not _insert(session, new, home, ids):
        return Kept(known, is_new=False)
    state = _State(*(getattr(row, name) for name in _CHANGING))
    _count(state, new)
    _note_identity(state, new)
    _count_signals(state, signals.add(session, new.app_id, home, new.signals))
    has_some = state.rage_taps + state.freezes > 0
    told = signals.reconcile(session, new.app_id, home, new.beats, state.last_ms, has_some=has_some)
    _count_signals(state, told)
    session.connection().execute(_UPDATE, asdict(state) | {"app_id": new.app_id, "id": home})
    return Kept(replace(known, user_id=state.user_id, anonymous_id=state.anonymous_id), is_new=True)


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


def _lock(session: Session, app_id: int, stored_id: int) -> "sa.Row[Any] | None":
    """The session, locked until the end of the transaction: what follows may read and then write."""
    return session.connection().execute(_LOCK, {"app_id": app_id, "id": stored_id}).first()


def _insert(session: Session, new: NewBatch, stored_id: int, ids: IdSequence) -> bool:
    """Whether the content was new to the session."""
    values = {
        "app_id": new.app_id,
        "session_id": stored_id,
        "content": new.content,
        "seq": ids.take(1)[0],
        "received_ms": new.received_ms,
        "first_ms": new.first_ms,
        "last_ms": new.last_ms,
        "messages": new.messages,
        "layout": new.layout,
        "status": new.status,
        "fault": new.fault,
        "size_bytes": new.size_bytes,
        "events_due": new.events_due,
        "first_beat_ms": new.beats.first_ms,
        "last_beat_ms": new.beats.last_ms,
        "in_background": new.beats.in_background,
        "touched": signals.label(new.beats.touched) if new.beats.touched else None,
        "beats": mobile_beats.pack(new.beats),
        "payload": new.payload,
    }
    return session.connection().execute(_INSERT, values).rowcount == 1


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


_COLUMNS = [column.name for column in sa.inspect(SessionBatchRow).columns]
_INSERT = sa.text(
    f"INSERT INTO session_batches ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"  # noqa: S608 -- names of columns
    " ON CONFLICT DO NOTHING"
)
_CHANGING = [field.name for field in fields(_State)]
_UPDATE = sa.text(
    f"UPDATE sessions SET {', '.join(f'{name} = :{name}' for name in _CHANGING)} WHERE app_id = :app_id AND id = :id"  # noqa: S608 -- names of columns
)
_LOCK = (
    sa.select(*sa.inspect(SessionRow).columns)
    .where(col(SessionRow.app_id) == sa.bindparam("app_id"), col(SessionRow.id) == sa.bindparam("id"))
    .with_for_update()
)
