"""Batches of recorded sessions: stored once per content, with every counter and signal that follows from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
    # Sessions are locked in one order, so that two writers cannot wait for each other.
    for place in sorted(range(len(batches)), key=lambda i: (batches[i].app_id, batches[i].session_id)):
        kept[place] = _append(session, batches[place], ids, longest_ms)
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


def _append(session: Session, new: NewBatch, ids: IdSequence, longest_ms: int) -> Kept | None:
    row = _locked(session, new, longest_ms)
    if row is None:
        return None
    if not _insert(session, new, row.id, ids):
        return Kept(recorded(row), is_new=False)
    _count(row, new)
    _note_identity(row, new)
    signals.add(session, new.app_id, row.id, new.signals)
    signals.reconcile(session, new.app_id, row.id, new.beats, row.last_ms)
    _count_signals(row, signals.counts(session, new.app_id, row.id))
    session.add(row)
    session.flush()
    return Kept(recorded(row), is_new=True)


def _locked(session: Session, new: NewBatch, longest_ms: int) -> SessionRow | None:
    """The session the batch belongs to, locked until the end of the transaction: what follows may read and then write."""
    row = _lock(session, new.app_id, signed(new.session_id))
    if row is None or new.fell_ms is None or new.fell_ms >= row.start_ms or not row.user_uuid:
        return row
    earlier = sessions.session_at(session, new.app_id, row.user_uuid, new.fell_ms, longest_ms)
    return row if earlier is None else _lock(session, new.app_id, signed(earlier)) or row


def _lock(session: Session, app_id: int, stored_id: int) -> SessionRow | None:
    query = select(SessionRow).where(SessionRow.app_id == app_id, SessionRow.id == stored_id)
    return session.exec(query.with_for_update().execution_options(populate_existing=True)).first()


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


def _count(row: SessionRow, new: NewBatch) -> None:
    row.batches += 1
    row.damaged_batches += new.damaged
    row.messages += new.messages
    row.listed = True
    if new.alive_ms is not None:
        row.last_ms = max(row.last_ms, new.alive_ms)
    types = orjson.loads(row.types_json)
    for type_id, count in new.counts.items():
        types[str(type_id)] = types.get(str(type_id), 0) + count
    row.types_json = orjson.dumps(types).decode()


def _note_identity(row: SessionRow, new: NewBatch) -> None:
    """What was said last counts, by the device's clock: batches overtake each other."""
    if new.user_id is not None and new.user_id.time_ms >= row.user_id_ms:
        row.user_id, row.user_id_ms = new.user_id.text, new.user_id.time_ms
    if new.anonymous_id is not None and new.anonymous_id.time_ms >= row.anonymous_id_ms:
        row.anonymous_id, row.anonymous_id_ms = new.anonymous_id.text, new.anonymous_id.time_ms
    if new.metadata:
        known = orjson.loads(row.metadata_json)
        for key, said in new.metadata.items():
            if said.time_ms >= known.get(key, ("", 0))[1] and (key in known or len(known) < MAX_METADATA):
                known[key] = (said.text, said.time_ms)
        row.metadata_json = orjson.dumps(known).decode()


def _count_signals(row: SessionRow, counted: Mapping[str, int]) -> None:
    row.crashes = counted.get(signals.CRASH, 0)
    row.failed_requests = counted.get(signals.FAILED_REQUEST, 0)
    row.rage_taps = counted.get(signals.RAGE_TAPS, 0)
    row.freezes = counted.get(signals.FREEZE, 0)


_COLUMNS = [column.name for column in sa.inspect(SessionBatchRow).columns]
_INSERT = sa.text(
    f"INSERT INTO session_batches ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"  # noqa: S608 -- names of columns
    " ON CONFLICT DO NOTHING"
)
