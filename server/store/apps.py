"""Apps: what a user registers to get an app key, from creation to deletion."""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from server.errors import TooManyAppKeys
from server.store.app_settings import AppSettings, put_settings, settings_from_row
from server.store.scope import Role, accessible, id_of
from server.store.tables import AppRow, MemberRow, OldAppKeyRow

MAX_OLD_KEYS = 10
"""Old keys of one app that are accepted at a time: ingest holds them all in memory."""


@dataclass(frozen=True, slots=True)
class NewApp:
    """An app to be created."""

    public_id: str
    owner_id: int
    name: str
    app_key: str
    type: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class App:
    """An app as one user sees it; `id` is its project id for mobile trackers and grows with time."""

    id: int
    public_id: str
    name: str
    app_key: str
    type: str
    created_ms: int
    role: Role
    settings: AppSettings


@dataclass(frozen=True, slots=True)
class AppChange:
    """What to change about an app: its name, unless None, and the settings that `fields` names."""

    name: str | None
    settings: AppSettings
    fields: frozenset[str]

    @property
    def role(self) -> Role:
        """The role that may do it."""
        return Role.OWNER if self.fields else Role.EDITOR


@dataclass(frozen=True, slots=True)
class Rotation:
    """The app with its new key, and how long the old one is accepted."""

    app: App
    old_key: str
    old_key_expires_ms: int


def create(session: Session, new: NewApp) -> App:
    """Store the app and its owner."""
    row = AppRow(public_id=new.public_id, name=new.name, app_key=new.app_key, type=new.type, created_ms=new.created_ms)
    session.add(row)
    session.flush()
    session.add(MemberRow(app_id=id_of(row), user_id=new.owner_id, role=Role.OWNER, created_ms=new.created_ms))
    return _app(row, Role.OWNER)


def page(session: Session, user_id: int, before_id: int | None, limit: int) -> list[App]:
    """The apps the user is a member of, newest first, at most `limit`, older than `before_id`."""
    query = (
        select(AppRow, MemberRow.role)
        .join(MemberRow, col(MemberRow.app_id) == col(AppRow.id))
        .where(MemberRow.user_id == user_id, col(AppRow.deleted_ms).is_(None))
    )
    if before_id is not None:
        query = query.where(col(AppRow.id) < before_id)
    rows = session.exec(query.order_by(col(AppRow.id).desc()).limit(limit))
    return [_app(row, Role(role)) for row, role in rows]


def find(session: Session, user_id: int, public_id: str) -> App:
    """One app of the user. Raises AppNotFound."""
    return _app(*accessible(session, user_id, public_id))


def update(session: Session, user_id: int, public_id: str, change: AppChange) -> App:
    """Change name and settings. Raises AppNotFound and RoleTooLow."""
    row, role = accessible(session, user_id, public_id, change.role, for_update=True)
    if change.name is not None:
        row.name = change.name
    put_settings(row, change.settings, change.fields)
    session.add(row)
    return _app(row, role)


def rotate_key(
    session: Session, user_id: int, public_id: str, make_key: Callable[[str], str], now_ms: int, grace_ms: int
) -> Rotation:
    """Give the app the key that `make_key` makes for its type. Raises AppNotFound, RoleTooLow and TooManyAppKeys."""
    row, role = accessible(session, user_id, public_id, Role.OWNER, for_update=True)
    _make_room(session, id_of(row), now_ms)
    old_key, expires_ms = row.app_key, now_ms + grace_ms
    session.add(OldAppKeyRow(app_id=id_of(row), app_key=old_key, expires_ms=expires_ms))
    row.app_key = make_key(row.type)
    session.add(row)
    return Rotation(_app(row, role), old_key, expires_ms)


def delete(session: Session, user_id: int, public_id: str, now_ms: int) -> App:
    """Make the app exist for nobody; erasure.py removes its data. Raises AppNotFound and RoleTooLow."""
    row, role = accessible(session, user_id, public_id, Role.OWNER, for_update=True)
    row.deleted_ms = now_ms
    session.add(row)
    return _app(row, role)


def _make_room(session: Session, app_id: int, now_ms: int) -> None:
    """Forget keys that have expired; of those that have not there may be MAX_OLD_KEYS."""
    session.connection().execute(
        sa.delete(OldAppKeyRow).where(col(OldAppKeyRow.app_id) == app_id, col(OldAppKeyRow.expires_ms) <= now_ms)
    )
    left = session.exec(select(OldAppKeyRow.expires_ms).where(OldAppKeyRow.app_id == app_id)).all()
    if len(left) >= MAX_OLD_KEYS:
        raise TooManyAppKeys((min(left) - now_ms) / 1000)


def _app(row: AppRow, role: Role) -> App:
    return App(
        id=id_of(row),
        public_id=row.public_id,
        name=row.name,
        app_key=row.app_key,
        type=row.type,
        created_ms=row.created_ms,
        role=role,
        settings=settings_from_row(row),
    )
