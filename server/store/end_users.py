"""What is stored of one end user of an app: found, and removed without changing a counter."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from server.store import packs, removal
from server.store.bulk import bulk_of
from server.store.counters import OF_APP
from server.store.packs import Stored
from server.store.session_tables import SessionRow
from server.store.sessions import delete_some, unsigned
from server.store.tables import DistinctUserRow, EventRow


def events_page(
    session: Session, app_id: int, user_keys: Collection[int] | None, after: bytes, limit: int
) -> list[tuple[bytes, bytes]]:
    """Key and message of the next events behind the key `after`, in order of keys; None as `user_keys` is everybody's."""
    query = sa.select(*_STORED).where(col(EventRow.app_id) == app_id, col(EventRow.event_key) > after)
    if user_keys is not None:
        query = query.where(col(EventRow.user_key).in_(user_keys))
    rows = session.connection().execute(query.order_by(col(EventRow.event_key)).limit(limit)).all()
    stored = [Stored(app_id, event_id, offset, payload) for _, event_id, offset, payload in rows]
    messages = packs.messages(bulk_of(session), stored)
    return [(key, message) for (key, *_), message in zip(rows, messages, strict=True) if message is not None]


_STORED = (col(EventRow.event_key), col(EventRow.id), col(EventRow.pack_offset), col(EventRow.payload))


def delete_events(session: Session, app_id: int, event_keys: Sequence[bytes]) -> None:
    """Remove these events; what was counted of them stays counted."""
    removal.remove(bulk_of(session), [(app_id, key) for key in event_keys])


def session_ids(session: Session, app_id: int, user_id: str, anonymous_id: str) -> list[int]:
    """The recorded sessions that name the user last, oldest first; an empty name is nobody's."""
    query = select(SessionRow.id).where(SessionRow.app_id == app_id, _named(user_id, anonymous_id))
    return [unsigned(found) for found in session.exec(query.order_by(col(SessionRow.start_ms), col(SessionRow.id)))]


def delete_sessions(session: Session, app_id: int, user_id: str, anonymous_id: str, limit: int) -> int:
    """Remove up to `limit` of those sessions with all that is theirs; how many there were."""
    return delete_some(session, app_id, _named(user_id, anonymous_id), limit)


def rename(session: Session, app_id: int, user_key: int, new_key: int) -> None:
    """Count on for a user whom nobody knows what was counted for this one: no number changes, and nothing names the user.

    Should the user come back, they are somebody new.
    """
    of_app, by_user = col(DistinctUserRow.app_id) == app_id, col(DistinctUserRow.part) == OF_APP
    for user, mine in ((col(DistinctUserRow.scope), by_user), (col(DistinctUserRow.user_key), sa.not_(by_user))):
        session.connection().execute(
            sa.update(DistinctUserRow).where(of_app, mine, user == user_key).values({user: new_key})
        )


def overwrite_what_is_deleted(session: Session) -> None:
    """Have SQLite fill the place of what this connection deletes with zeros; PostgreSQL's vacuum gives it to others."""
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql("PRAGMA secure_delete=ON")


def _named(user_id: str, anonymous_id: str) -> "sa.ColumnElement[bool]":
    names = []
    if user_id:
        names.append(col(SessionRow.user_id) == user_id)
    if anonymous_id:
        # What events of a session take for the anonymous id where a tracker named none.
        names += [col(SessionRow.anonymous_id) == anonymous_id, col(SessionRow.user_uuid) == anonymous_id]
    return sa.or_(sa.false(), *names)
