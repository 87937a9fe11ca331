"""What the commits of recorded sessions ask of either engine: one statement each for all sessions of a commit.

Rows come as `Bulk` takes them; the first entry of each is never None.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import psycopg
import sqlalchemy as sa
from sqlmodel import Session

from server.store.bulk import Query, Row, bulk_of
from server.store.columns import POSTGRES_TYPES, Columns, Kind
from server.store.session_tables import SessionBatchRow, SessionRow

HELD: Final = ("start_ms", "platform", "device", "os_version", "tracker_version", "release", "user_uuid")
"""What of a session no batch changes and all want to know."""

CHANGING: Final = (
    "last_ms", "listed", "user_id", "user_id_ms", "anonymous_id", "anonymous_id_ms", "metadata_json", "types_json",
    "batches", "damaged_batches", "messages", "crashes", "failed_requests", "rage_taps", "freezes",
)  # fmt: skip
"""What a batch may change of its session."""


def _columns(table: type[SessionRow | SessionBatchRow], names: Iterable[str]) -> Columns:
    columns = sa.inspect(table).columns
    return tuple((name, _kind(columns[name].type)) for name in names)


def _kind(sql_type: "sa.types.TypeEngine[Any]") -> Kind:
    kinds: dict[type[Any], Kind] = {sa.Boolean: "bool", sa.LargeBinary: "blob", sa.BigInteger: "int"}
    return kinds.get(type(sql_type), "text")


BATCH: Final = _columns(SessionBatchRow, [column.name for column in sa.inspect(SessionBatchRow).columns])
"""The columns of a batch, in the order in which `insert` takes them."""

_PLACED: Final[Columns] = (("place", "int"), ("app_id", "int"), ("id", "int"))
_STATE: Final = _columns(SessionRow, ("app_id", "id", *CHANGING))
_STRETCH: Final[Columns] = (
    ("place", "int"), ("app_id", "int"), ("session_id", "int"), ("content", "text"), ("from_ms", "int"),
)  # fmt: skip


def lock(session: Session, sessions: Sequence[tuple[int, int]]) -> dict[int, tuple[Any, ...]]:
    """HELD and CHANGING of each session, given by app and stored id, that is there, by its place.

    They are locked in the order given until the end of the transaction: what follows may read and then write.
    """
    rows = [(place, app_id, stored_id) for place, (app_id, stored_id) in enumerate(sessions)]
    query = _LOCK_SQLITE if _is_sqlite(session) else _LOCK_POSTGRES
    return {place: tuple(held) for place, *held in bulk_of(session).ask(query, rows)}


def insert(session: Session, batches: Sequence[Row]) -> set[tuple[int, int]]:
    """Store batches, one a session at most; app and stored id of the sessions to which theirs was new."""
    if _is_sqlite(session):
        return set(bulk_of(session).ask(_INSERT_SQLITE, batches))
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise TypeError(connection)
    return set(connection.execute(_insert_postgres(), list(map(list, zip(*batches, strict=True)))).fetchall())


def update(session: Session, states: Sequence[Row]) -> None:
    """Write app, stored id and CHANGING of sessions."""
    bulk_of(session).ask(_UPDATE, states)


class Neighbour(NamedTuple):
    """A batch around a stretch: the place of the stretch, when the batch's last beat was, and its beats."""

    place: int
    last_beat_ms: int
    beats: bytes


def neighbours(session: Session, stretches: Sequence[Row]) -> list[Neighbour]:
    """The batches around stretches of sessions.

    A stretch is its place, app, stored session, the content of a batch, and since when. Around it are the last batch
    before, and the first MAX_BEHIND of those that reach into it or come after; not the one of that content.
    """
    query = _NEIGHBOURS_SQLITE if _is_sqlite(session) else _NEIGHBOURS_POSTGRES
    return list(map(Neighbour._make, bulk_of(session).ask(query, stretches)))


MAX_BEHIND: Final = 31
"""Batches looked at from the time of a new one on. Trackers send one at a time, so none is usual; more are somebody's game."""


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)


@cache
def _insert_postgres() -> bytes:
    """Blobs go as they are; as text they would be twice as long."""
    casts = [f"{'%b' if kind == 'blob' else '%s'}::{POSTGRES_TYPES[kind]}[]" for _, kind in BATCH]
    return f"INSERT INTO session_batches ({_BATCH_NAMES}) SELECT * FROM unnest({_names(casts)}) {_IF_NEW}".encode()  # noqa: S608


_BATCH_NAMES: Final = _names(name for name, _ in BATCH)
_IF_NEW: Final = "ON CONFLICT DO NOTHING RETURNING app_id, session_id"
_INSERT_SQLITE: Final = Query(
    BATCH,
    f"INSERT INTO session_batches ({_BATCH_NAMES}) SELECT {_BATCH_NAMES} FROM {{rows}} WHERE true {_IF_NEW}",  # noqa: S608
)

_SELECTED: Final = _names(f"s.{name}" for name in (*HELD, *CHANGING))
_LOCK_SQLITE: Final = Query(
    _PLACED,
    f"SELECT r.place, {_SELECTED} FROM {{rows}} JOIN sessions AS s ON s.app_id = r.app_id AND s.id = r.id",  # noqa: S608
)
_LOCK_POSTGRES: Final = Query(
    _PLACED,
    f"SELECT r.place, {_SELECTED} FROM {{rows}} CROSS JOIN LATERAL"  # noqa: S608
    " (SELECT * FROM sessions AS s WHERE s.app_id = r.app_id AND s.id = r.id FOR UPDATE) AS s",
)
_UPDATE: Final = Query(
    _STATE,
    f"UPDATE sessions AS s SET {_names(f'{name} = r.{name}' for name in CHANGING)} FROM {{rows}}"  # noqa: S608
    " WHERE s.app_id = r.app_id AND s.id = r.id RETURNING 1",
)

_MINE: Final = "b.app_id = r.app_id AND b.session_id = r.session_id"
_BEFORE: Final = (
    f"SELECT {{0}} FROM session_batches AS b WHERE {_MINE} AND b.last_beat_ms < r.from_ms"  # noqa: S608
    " ORDER BY b.last_beat_ms DESC LIMIT 1"
)
_BEHIND: Final = (
    f"SELECT {{0}} FROM session_batches AS b WHERE {_MINE} AND b.last_beat_ms >= r.from_ms AND b.content <> r.content"  # noqa: S608
    f" ORDER BY b.last_beat_ms LIMIT {MAX_BEHIND}"
)
# SQLite has no LATERAL; it finds the rows by number first.
_ROWID: Final = "b.rowid AS number"
_NEIGHBOURS_SQLITE: Final = Query(
    _STRETCH,
    "SELECT r.place, n.last_beat_ms, n.beats FROM {rows} JOIN session_batches AS n ON n.rowid IN ("  # noqa: S608
    f"SELECT number FROM ({_BEFORE.format(_ROWID)}) UNION ALL SELECT number FROM ({_BEHIND.format(_ROWID)}))",
)
_TOLD: Final = "b.last_beat_ms, b.beats"
_NEIGHBOURS_POSTGRES: Final = Query(
    _STRETCH,
    "SELECT r.place, n.last_beat_ms, n.beats FROM {rows} CROSS JOIN LATERAL"  # noqa: S608
    f" (({_BEFORE.format(_TOLD)}) UNION ALL ({_BEHIND.format(_TOLD)})) AS n",
)
