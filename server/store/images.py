"""Screenshots and the books of the blob store, in which no crash between two writes leaves an orphan.

An object is entered into the books (`register`) before it is written, and shown by a session (`show`) after: so every
object is in the books, and everything shown is there. What no session shows is removed the other way round: marked
(`claim_unused`), deleted from the blob store, then struck off (`forget`). A picture that comes in again while its old object is
being deleted waits until that is over, or the deletion would hit the new one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from server.errors import BlobsUnavailable
from server.store.session_tables import BlobRow, SessionImageRow, SessionRow
from server.store.sessions import signed

STALE_CLAIM_MS = 600_000
"""After so long another process takes over what one began to delete; a hundred deletions take seconds."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of an upload. `name` is what a tracker calls a loose one."""

    time_ms: int
    hash: str
    mime: str
    size_bytes: int
    name: str


@dataclass(frozen=True, slots=True)
class Blob:
    """One object of the blob store."""

    app_id: int
    hash: str

    @property
    def key(self) -> str:
        """Its key. Made of a number and hexadecimal digits, whatever the upload called it."""
        return f"{self.app_id}/{self.hash[:2]}/{self.hash}"


def register(session: Session, app_id: int, pictures: Sequence[Picture], now_ms: int) -> set[str]:
    """Enter the pictures into the books; the hashes of those that still have to be written.

    Raises BlobsUnavailable when one of them is being deleted at this moment.
    """
    missing: set[str] = set()
    for hash_, picture in sorted({picture.hash: picture for picture in pictures}.items()):
        values = {"app_id": app_id, "hash": hash_, "now_ms": now_ms, "name": picture.name}
        values |= {"mime": picture.mime, "size_bytes": picture.size_bytes}
        row = session.connection().execute(_REGISTER, values).first()
        if row is None:
            raise BlobsUnavailable
        if not row.stored:
            missing.add(hash_)
    return missing


def show(session: Session, app_id: int, session_id: int, pictures: Sequence[Picture]) -> bool:
    """Let the session show the pictures, all of which are written by now; False where the session is not there."""
    query = select(SessionRow).where(SessionRow.app_id == app_id, SessionRow.id == signed(session_id))
    row = session.exec(query.with_for_update()).first()
    if row is None:
        return False
    for picture in sorted(set(pictures), key=lambda picture: (picture.hash, picture.time_ms)):
        key = {"app_id": app_id, "session_id": row.id, "time_ms": picture.time_ms, "hash": picture.hash}
        new = session.connection().execute(_SHOW, key).rowcount
        blob = {"app_id": app_id, "hash": picture.hash, "new": new}
        if session.connection().execute(_COUNT, blob).rowcount != 1:
            raise BlobsUnavailable
        row.images += new
    row.listed = row.listed or bool(pictures)
    session.add(row)
    return True


def stored_after(session: Session, after: Blob | None, limit: int) -> list[Blob]:
    """Blobs whose objects are there, in the order of app and hash, behind `after`."""
    app_id, hash_ = col(BlobRow.app_id), col(BlobRow.hash)
    query = select(BlobRow.app_id, BlobRow.hash).where(col(BlobRow.stored), col(BlobRow.doomed_ms).is_(None))
    if after is not None:
        query = query.where((app_id > after.app_id) | ((app_id == after.app_id) & (hash_ > after.hash)))
    return [Blob(*row) for row in session.exec(query.order_by(app_id, hash_).limit(limit))]


def most_used_names(session: Session, app_id: int, limit: int) -> list[str]:
    """The names of the app's most used loose pictures, most used first."""
    query = select(BlobRow.name).where(BlobRow.app_id == app_id, col(BlobRow.name) != "", col(BlobRow.refs) > 0)
    return list(session.exec(query.order_by(col(BlobRow.refs).desc(), col(BlobRow.hash)).limit(limit)))


def claim_unused(session: Session, before_ms: int, now_ms: int, limit: int) -> list[Blob]:
    """Mark up to `limit` blobs that nobody shows and nobody touched since, for the caller to delete."""
    values = {"before_ms": before_ms, "now_ms": now_ms, "stale_ms": now_ms - STALE_CLAIM_MS, "limit": limit}
    return [Blob(app_id, hash_) for app_id, hash_ in session.connection().execute(_CLAIM, values)]


def forget(session: Session, blobs: Iterable[Blob]) -> None:
    """Strike off blobs whose objects were deleted."""
    for blob in blobs:
        session.connection().execute(
            sa.delete(BlobRow)
            .where(col(BlobRow.app_id) == blob.app_id, col(BlobRow.hash) == blob.hash)
            .where(col(BlobRow.doomed_ms).is_not(None))
        )


def shown(
    session: Session, app_id: int, session_id: int, *, start_ms: int, end_ms: int, after: tuple[int, str], limit: int
) -> list[Picture]:
    """The session's screenshots in the stretch and behind the position (time, hash), in that order."""
    time_ms, hash_ = col(SessionImageRow.time_ms), col(SessionImageRow.hash)
    query = _of(app_id, session_id).where(time_ms >= start_ms, time_ms <= end_ms)
    query = query.where((time_ms > after[0]) | ((time_ms == after[0]) & (hash_ > after[1])))
    return [_picture(image, blob) for image, blob in session.exec(query.order_by(time_ms, hash_).limit(limit))]


def at_or_before(session: Session, app_id: int, session_id: int, at_ms: int) -> Picture | None:
    """The session's last screenshot at or before the instant."""
    time_ms = col(SessionImageRow.time_ms)
    query = _of(app_id, session_id).where(time_ms <= at_ms)
    found = session.exec(query.order_by(time_ms.desc(), col(SessionImageRow.hash).desc()).limit(1)).first()
    return None if found is None else _picture(*found)


def at(session: Session, app_id: int, session_id: int, time_ms: int, hash_prefix: str) -> Picture | None:
    """The session's screenshot of this instant whose hash begins so."""
    query = _of(app_id, session_id).where(col(SessionImageRow.time_ms) == time_ms)
    found = session.exec(query.where(col(SessionImageRow.hash).startswith(hash_prefix, autoescape=True))).first()
    return None if found is None else _picture(*found)


def _of(app_id: int, session_id: int) -> Select[SessionImageRow, BlobRow]:
    joined = (col(BlobRow.app_id) == SessionImageRow.app_id) & (col(BlobRow.hash) == SessionImageRow.hash)
    return (
        select(SessionImageRow, BlobRow)
        .join(BlobRow, joined)
        .where(SessionImageRow.app_id == app_id, SessionImageRow.session_id == signed(session_id))
    )


def _picture(image: SessionImageRow, blob: BlobRow) -> Picture:
    return Picture(image.time_ms, image.hash, blob.mime, blob.size_bytes, blob.name)


_REGISTER = sa.text(
    "INSERT INTO blobs (app_id, hash, mime, size_bytes, name, refs, stored, touched_ms)"
    " VALUES (:app_id, :hash, :mime, :size_bytes, :name, 0, false, :now_ms)"
    " ON CONFLICT (app_id, hash) DO UPDATE SET touched_ms = excluded.touched_ms WHERE blobs.doomed_ms IS NULL"
    " RETURNING stored"
)
_SHOW = sa.text(
    "INSERT INTO session_images (app_id, session_id, time_ms, hash)"
    " VALUES (:app_id, :session_id, :time_ms, :hash) ON CONFLICT DO NOTHING"
)
_COUNT = sa.text(
    "UPDATE blobs SET refs = refs + :new, stored = true WHERE app_id = :app_id AND hash = :hash AND doomed_ms IS NULL"
)
# The conditions stand twice: PostgreSQL asks only the outer ones again after it waited for another writer.
_CLAIM = sa.text(
    "UPDATE blobs SET doomed_ms = :now_ms WHERE refs = 0 AND touched_ms < :before_ms"
    " AND (doomed_ms IS NULL OR doomed_ms < :stale_ms) AND (app_id, hash) IN"
    " (SELECT b.app_id, b.hash FROM blobs AS b WHERE b.refs = 0 AND b.touched_ms < :before_ms"
    " AND (b.doomed_ms IS NULL OR b.doomed_ms < :stale_ms) ORDER BY b.touched_ms LIMIT :limit)"
    " RETURNING app_id, hash"
)
