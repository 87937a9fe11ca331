"""Reading recorded sessions: lists, details, timelines and raw batches. Whoever calls has asked scope.py for the apps."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import orjson
import sqlalchemy as sa
import zstandard
from sqlmodel import Session, col, select

from server.mobile.codec import Message, Messages, decode_batch
from server.mobile.messages import CLICK, Layout, all_types
from server.mobile.reading import MAX_INT64
from server.mobile.timeline import Position, Source, timeline
from server.store.session_tables import SessionBatchRow, SessionRow, SessionSignalRow
from server.store.sessions import signed, unsigned
from server.store.tables import EventRow, IssueRow

MAX_SIGNALS = 1_000


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions a list covers; empty texts and None mean all. `apps` are ids with their keys."""

    apps: Mapping[int, str]
    user: str = ""
    device: str = ""
    platform: str = ""
    has_crash: bool | None = None
    has_signal: bool | None = None
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One session as lists show it."""

    app_id: int
    app_key: str
    id: int
    start_ms: int
    last_ms: int
    received_ms: int
    platform: str
    device: str
    device_type: str
    os_version: str
    tracker_version: str
    release: str
    user_uuid: str
    user_id: str
    anonymous_id: str
    metadata: Mapping[str, str]
    batches: int
    damaged_batches: int
    messages: int
    crashes: int
    failed_requests: int
    rage_taps: int
    freezes: int
    images: int
    taps: int


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal; `fingerprint` is its issue's, None where it made none."""

    kind: str
    start_ms: int
    end_ms: int
    label: str
    count: int
    fingerprint: str | None


@dataclass(frozen=True, slots=True)
class Detail:
    """A session with its signals, its messages by type name, and the start request in zstd."""

    session: Found
    signals: Sequence[Signal]
    types: Mapping[str, int]
    start: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch without its bytes."""

    seq: int
    content: str
    received_ms: int
    size_bytes: int
    messages: int
    status: str
    fault: str


def page(session: Session, wanted: SessionFilter, after: tuple[int, int] | None, limit: int) -> list[Found]:
    """Sessions with the latest start first, behind the position (start, id)."""
    query = select(SessionRow).where(col(SessionRow.app_id).in_(wanted.apps), col(SessionRow.listed).is_(True))
    for condition in _conditions(wanted):
        query = query.where(condition)
    if after is not None:
        query = query.where(sa.tuple_(col(SessionRow.start_ms), col(SessionRow.id)) < (after[0], signed(after[1])))
    query = query.order_by(col(SessionRow.start_ms).desc(), col(SessionRow.id).desc()).limit(limit)
    return [_found(row, wanted.apps) for row in session.exec(query)]


def totals(session: Session, wanted: SessionFilter) -> tuple[int, int]:
    """How many sessions the filter finds, and how many of them crashed."""
    query = sa.select(sa.func.count(), sa.func.count(sa.case((col(SessionRow.crashes) > 0, 1)))).where(
        col(SessionRow.app_id).in_(wanted.apps), col(SessionRow.listed).is_(True), *_conditions(wanted)
    )
    sessions, crashed = session.connection().execute(query).one()
    return int(sessions), int(crashed)


def find(session: Session, apps: Mapping[int, str], session_id: int) -> Found | None:
    """The session, if it is of one of these apps."""
    row = _row(session, apps, session_id)
    return None if row is None else _found(row, apps)


def detail(session: Session, apps: Mapping[int, str], session_id: int) -> Detail | None:
    """The session with what is beside its timeline, if it is of one of these apps."""
    row = _row(session, apps, session_id)
    if row is None:
        return None
    types = {_type_name(int(type_id)): count for type_id, count in orjson.loads(row.types_json).items()}
    return Detail(_found(row, apps), _signals(session, row.app_id, row.id), types, row.start)


def messages(
    session: Session, found: Found, *, start_ms: int, end_ms: int, after: Position | None, limit: int
) -> list[tuple[Position, Message]]:
    """The session's messages in the stretch and behind the position, in order of time."""
    if after is not None:
        start_ms = max(start_ms, after[0])
    sources = _sources(session, found, start_ms, end_ms)
    return list(islice(timeline(sources, start_ms=start_ms, end_ms=end_ms, after=after), limit))


def batches(session: Session, found: Found, after: int, limit: int) -> list[Batch]:
    """The session's batches in order of arrival, behind the number `after`."""
    query = (
        select(*(getattr(SessionBatchRow, name) for name in Batch.__slots__))
        .where(SessionBatchRow.app_id == found.app_id, SessionBatchRow.session_id == signed(found.id))
        .where(col(SessionBatchRow.seq) > after)
        .order_by(col(SessionBatchRow.seq))
        .limit(limit)
    )
    return [Batch(*row) for row in session.exec(query)]


def batch_bytes(session: Session, found: Found, content: str) -> bytes | None:
    """One batch byte for byte; None where the session has no such batch."""
    row = session.get(SessionBatchRow, (found.app_id, signed(found.id), content))
    return None if row is None else zstandard.decompress(row.payload)


def _row(session: Session, apps: Collection[int], session_id: int) -> SessionRow | None:
    query = select(SessionRow).where(col(SessionRow.app_id).in_(apps), SessionRow.id == signed(session_id))
    return session.exec(query).first()


def _conditions(wanted: SessionFilter) -> Iterator["sa.ColumnElement[bool]"]:
    if wanted.user:
        columns = (SessionRow.user_id, SessionRow.anonymous_id, SessionRow.user_uuid)
        yield sa.or_(*(col(column) == wanted.user for column in columns))
    if wanted.device:
        yield col(SessionRow.device) == wanted.device
    if wanted.platform:
        yield col(SessionRow.platform) == wanted.platform
    if wanted.has_crash is not None:
        yield (col(SessionRow.crashes) > 0) == sa.literal(wanted.has_crash)
    if wanted.has_signal is not None:
        yield (col(SessionRow.rage_taps) + col(SessionRow.freezes) > 0) == sa.literal(wanted.has_signal)
    if wanted.start_ms is not None:
        yield col(SessionRow.start_ms) >= wanted.start_ms
    if wanted.end_ms is not None:
        yield col(SessionRow.start_ms) <= wanted.end_ms


def _sources(session: Session, found: Found, start_ms: int, end_ms: int) -> list[Source]:
    # Columns end where times of messages go on: what is later stands at the last value.
    start_ms, end_ms = min(start_ms, MAX_INT64), min(end_ms, MAX_INT64)
    rows = session.exec(
        select(SessionBatchRow.seq, SessionBatchRow.first_ms, SessionBatchRow.content, SessionBatchRow.layout)
        .where(SessionBatchRow.app_id == found.app_id, SessionBatchRow.session_id == signed(found.id))
        .where(col(SessionBatchRow.last_ms) >= start_ms, col(SessionBatchRow.first_ms) <= end_ms)
        .order_by(col(SessionBatchRow.first_ms), col(SessionBatchRow.seq))
    ).all()

    def loader(content: str, layout: str) -> Messages:
        data = batch_bytes(session, found, content) or b""
        return decode_batch(data, platform=found.platform, layout=Layout(layout)).messages

    return [
        Source(seq, first_ms or 0, lambda content=content, layout=layout: loader(content, layout))  # type: ignore[misc]
        for seq, first_ms, content, layout in rows
    ]


def _signals(session: Session, app_id: int, stored_id: int) -> list[Signal]:
    event = (col(EventRow.app_id) == SessionSignalRow.app_id) & (col(EventRow.event_key) == SessionSignalRow.event_key)
    issue = (col(IssueRow.app_id) == EventRow.app_id) & (col(IssueRow.id) == EventRow.issue_id)
    query = (
        select(SessionSignalRow, IssueRow.fingerprint)
        .outerjoin(EventRow, event)
        .outerjoin(IssueRow, issue)
        .where(SessionSignalRow.app_id == app_id, SessionSignalRow.session_id == stored_id)
        .order_by(col(SessionSignalRow.start_ms), col(SessionSignalRow.kind), col(SessionSignalRow.key))
        .limit(MAX_SIGNALS)
    )
    return [
        Signal(row.kind, row.start_ms, row.end_ms, row.label, row.count, fingerprint)
        for row, fingerprint in session.exec(query)
    ]


def _type_name(type_id: int) -> str:
    known = all_types(Layout.CURRENT).get(type_id) or all_types(Layout.V1_7_0).get(type_id)
    return str(type_id) if known is None else known.name


def _found(row: SessionRow, apps: Mapping[int, str]) -> Found:
    same = {name: getattr(row, name) for name in Found.__slots__ if name not in {"app_key", "id", "metadata", "taps"}}
    metadata = {key: text for key, (text, _) in orjson.loads(row.metadata_json).items()}
    taps = orjson.loads(row.types_json).get(str(CLICK), 0)
    return Found(app_key=apps[row.app_id], id=unsigned(row.id), metadata=metadata, taps=taps, **same)
