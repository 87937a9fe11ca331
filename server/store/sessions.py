"""Recorded sessions: begun, found again, and removed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from server.store.app_settings import settings_from_row
from server.store.columns import Columns
from server.store.engine import bind, source
from server.store.scope import live_app
from server.store.session_tables import SessionBatchRow, SessionImageRow, SessionRow, SessionSignalRow
from server.store.tables import AppRow

EVERY_SESSION = 100
"""Percent that are recorded where an app's owner chose nothing; failed calls are events only where one chose so."""

MAX_AHEAD_MS = 300_000
"""How much later than it was received a session may begin: the index of starts so bounds what a search for old ones reads."""

_TWO_64 = 2**64


@dataclass(frozen=True, slots=True)
class MobileApp:
    """What a tracker's app says about recording: its key, its type, and the owner's choices."""

    id: int
    app_key: str
    type: str
    capture_rate: int
    """Percent of the sessions that are recorded."""
    reports_failed_calls: bool
    """Whether failed network calls become events."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to be begun. `start` is the serialised request in zstd."""

    app_id: int
    id: int
    start_ms: int
    received_ms: int
    listed: bool
    platform: str
    device: str
    device_type: str
    os_version: str
    tracker_version: str
    release: str
    user_uuid: str
    start: bytes


@dataclass(frozen=True, slots=True)
class Recorded:
    """A session as ingest needs it."""

    id: int
    start_ms: int
    platform: str
    device: str
    os_version: str
    tracker_version: str
    release: str
    user_uuid: str
    user_id: str
    anonymous_id: str


def mobile_app(session: Session, *, app_id: int | None = None, app_key: str = "") -> MobileApp | None:
    """The app of this number, or of this key, current or old, unless it is deleted."""
    row = live_app(session, app_key) if app_id is None else session.get(AppRow, app_id)
    if row is None or row.id is None or row.deleted_ms is not None:
        return None
    settings = settings_from_row(row)
    rate = EVERY_SESSION if settings.capture_rate is None else settings.capture_rate
    return MobileApp(row.id, row.app_key, row.type, rate, bool(settings.report_failed_network_calls))


def begin(session: Session, new: NewSession) -> None:
    """Store the session."""
    session.add(SessionRow(**asdict(new) | {"id": signed(new.id), "last_ms": new.start_ms}))


def find(session: Session, app_id: int, session_id: int) -> Recorded | None:
    """The session of this app."""
    row = session.get(SessionRow, (app_id, signed(session_id)))
    return None if row is None else recorded(row)


def session_at(session: Session, app_id: int, user_uuid: str, time_ms: int, longest_ms: int) -> int | None:
    """The session of an installation in whose time `time_ms` fell: the last that began before, at most `longest_ms` ago."""
    query = (
        select(SessionRow.id)
        .where(SessionRow.app_id == app_id, SessionRow.user_uuid == user_uuid)
        .where(col(SessionRow.start_ms) <= time_ms, col(SessionRow.start_ms) > time_ms - longest_ms)
        .order_by(col(SessionRow.start_ms).desc(), col(SessionRow.id).desc())
    )
    found = session.exec(query.limit(1)).first()
    return None if found is None else unsigned(found)


def recorded(row: "SessionRow | sa.Row[Any]") -> Recorded:
    """The row as ingest needs it."""
    return Recorded(
        id=unsigned(row.id),
        start_ms=row.start_ms,
        platform=row.platform,
        device=row.device,
        os_version=row.os_version,
        tracker_version=row.tracker_version,
        release=row.release,
        user_uuid=row.user_uuid,
        user_id=row.user_id,
        anonymous_id=row.anonymous_id,
    )


def apps_with_older(session: Session, app_ids: Sequence[int], before_ms: int) -> list[int]:
    """Those of the apps that have sessions which began to arrive before."""
    columns: Columns = [("app_id", "int")]
    query = sa.text(
        f"SELECT app_id FROM {source(session, 'app', columns)} WHERE EXISTS (SELECT 1 FROM sessions AS s"  # noqa: S608 -- a constant
        " WHERE s.app_id = app.app_id AND s.start_ms < :started AND s.received_ms < :before)"
    )
    given = bind(session, "app", columns, [(app_id,) for app_id in app_ids])
    given |= {"before": before_ms, "started": before_ms + MAX_AHEAD_MS}
    return list(session.connection().execute(query, given).scalars())


def oldest(session: Session) -> tuple[int, int] | None:
    """The app and the time of arrival of the session that began to arrive first of all."""
    query = select(SessionRow.app_id, SessionRow.received_ms).order_by(col(SessionRow.received_ms)).limit(1)
    return session.exec(query).first()


def delete_received_before(session: Session, app_id: int, before_ms: int, limit: int) -> int:
    """Remove up to `limit` of the app's sessions that began to arrive before, with all that is theirs; how many there were."""
    old = (col(SessionRow.received_ms) < before_ms) & (col(SessionRow.start_ms) < before_ms + MAX_AHEAD_MS)
    return delete_some(session, app_id, old, limit)


def delete_some(session: Session, app_id: int, doomed_if: "sa.ColumnElement[bool]", limit: int) -> int:
    """Remove up to `limit` of the app's sessions that the condition names, with all that is theirs; how many there were.

    Their screenshots let go of the blobs, which `images.claim_unused` then finds.
    """
    doomed = session.exec(
        select(SessionRow.id)
        .where(SessionRow.app_id == app_id, doomed_if)
        .order_by(col(SessionRow.start_ms), col(SessionRow.id))
        .limit(limit)
    ).all()
    if not doomed:
        return 0
    connection = session.connection()
    connection.execute(_LET_GO.bindparams(app_id=app_id, ids=doomed))
    for table in (SessionImageRow, SessionSignalRow, SessionBatchRow):
        connection.execute(sa.delete(table).where(col(table.app_id) == app_id, col(table.session_id).in_(doomed)))
    connection.execute(sa.delete(SessionRow).where(col(SessionRow.app_id) == app_id, col(SessionRow.id).in_(doomed)))
    return len(doomed)


def signed(session_id: int) -> int:
    """A 64-bit id as columns hold it: from 2036 on ids take the highest bit."""
    return session_id - _TWO_64 if session_id >= _TWO_64 // 2 else session_id


def unsigned(stored: int) -> int:
    """The id that `signed` stored."""
    return stored % _TWO_64


_LET_GO = sa.text(
    "UPDATE blobs SET refs = refs - (SELECT count(*) FROM session_images AS i"
    " WHERE i.app_id = :app_id AND i.session_id IN :ids AND i.hash = blobs.hash)"
    " WHERE app_id = :app_id AND hash IN"
    " (SELECT i.hash FROM session_images AS i WHERE i.app_id = :app_id AND i.session_id IN :ids)"
).bindparams(sa.bindparam("ids", expanding=True))
