"""Which apps a request may see and change: the one place where tenants and roles are kept apart."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, or_
from sqlmodel import Session, col, select

from server import clock
from server.errors import AppNotFound, RoleTooLow
from server.store.app_settings import AppSettings, settings_from_row
from server.store.tables import AppRow, MemberRow, OldAppKeyRow, UserRow


class Role(IntEnum):
    """What a member may do; each role may do all that the lower ones may."""

    VIEWER = 1
    EDITOR = 2
    OWNER = 3


@dataclass(frozen=True, slots=True)
class IngestApp:
    """An app as ingest knows it; `keys` are all that name it now."""

    id: int
    keys: frozenset[str]
    settings: AppSettings


# Nearly every request begins with one of these. Putting a statement together takes ten times as long as running it.
_KEYS: sa.BindParameter[str] = bindparam("app_keys", expanding=True)
_OLD_KEY_IS_ACCEPTED = col(OldAppKeyRow.expires_ms) > bindparam("now_ms")
_NAMED_BEFORE = select(OldAppKeyRow.app_id).where(col(OldAppKeyRow.app_key).in_(_KEYS), _OLD_KEY_IS_ACCEPTED)
_SEEN = (
    sa.select(col(AppRow.id), col(AppRow.app_key), col(MemberRow.role))
    .join(MemberRow, col(MemberRow.app_id) == col(AppRow.id))
    .where(col(MemberRow.user_id) == bindparam("user_id"), col(AppRow.deleted_ms).is_(None))
    .order_by(col(AppRow.id))
)
_SEEN_AND_NAMED = _SEEN.where(or_(col(AppRow.app_key).in_(_KEYS), col(AppRow.id).in_(_NAMED_BEFORE)))
_OLD_KEYS_OF = sa.select(col(OldAppKeyRow.app_key), col(OldAppKeyRow.app_id)).where(
    col(OldAppKeyRow.app_id).in_(bindparam("app_ids", expanding=True)), _OLD_KEY_IS_ACCEPTED
)


def live_app(session: Session, app_key: str) -> AppRow | None:
    """The row of the app that `app_key` names, be it the current key or an old one that is still accepted."""
    live = select(AppRow).where(col(AppRow.deleted_ms).is_(None))
    row = session.exec(live.where(AppRow.app_key == app_key)).first()
    named_before = live.where(col(AppRow.id).in_(_NAMED_BEFORE))
    return row or session.exec(named_before, params={"app_keys": [app_key], "now_ms": clock.now_ms()}).first()


def ingest_app(session: Session, app_key: str) -> IngestApp | None:
    """The app that `app_key` names, with all keys and its settings."""
    row = live_app(session, app_key)
    if row is None or row.id is None:
        return None
    old = {key for key, _ in _old_keys(session, [row.id])}
    return IngestApp(row.id, frozenset({row.app_key, *old}), settings_from_row(row))


def visible_apps(session: Session, user_id: int, app_key: str = "", role: Role = Role.VIEWER) -> dict[int, str]:
    """App id -> current app key of the apps in which the user has at least this role, oldest first.

    Only the named one if `app_key` is not empty; somebody else's, or a deleted one: nothing. Raises RoleTooLow where the
    user can see the named app and may not do more.
    """
    rows = _seen(session, user_id, [app_key] if app_key else None)
    enough = {app_id: key for app_id, key, held in rows if held >= role}
    if app_key and rows and not enough:
        raise RoleTooLow
    return enough


def visible_by_key(session: Session, user_id: int, app_keys: Collection[str]) -> dict[str, int]:
    """App key -> app id for those of the keys, current or old, that name apps the user can see."""
    seen = {app_id: key for app_id, key, _ in _seen(session, user_id, list(app_keys))}
    return dict(_old_keys(session, list(seen))) | {key: app_id for app_id, key in seen.items()}


def accessible(
    session: Session, user_id: int, public_id: str, role: Role = Role.VIEWER, *, for_update: bool = False
) -> tuple[AppRow, Role]:
    """The app's row and the user's role in it. Raises AppNotFound where the user cannot see it, else RoleTooLow.

    `for_update` keeps the row from other writers until the end of the transaction.
    """
    query = (
        select(AppRow, MemberRow.role)
        .join(MemberRow, col(MemberRow.app_id) == col(AppRow.id))
        .where(MemberRow.user_id == user_id, AppRow.public_id == public_id, col(AppRow.deleted_ms).is_(None))
    )
    found = session.exec(query.with_for_update(of=AppRow) if for_update else query).first()
    if found is None:
        raise AppNotFound
    if found[1] < role:
        raise RoleTooLow
    return found[0], Role(found[1])


def id_of(row: AppRow) -> int:
    """The id of an app that is stored."""
    if row.id is None:
        raise TypeError(row)
    return row.id


def member_of(session: Session, app_id: int, public_id: str) -> UserRow | None:
    """The user with this public id, if the user may see the app."""
    query = select(UserRow).join(MemberRow, col(MemberRow.user_id) == col(UserRow.id))
    return session.exec(query.where(MemberRow.app_id == app_id, UserRow.public_id == public_id)).first()


def _seen(session: Session, user_id: int, app_keys: list[str] | None) -> list[tuple[int, str, int]]:
    """Id, current key and role of the apps that the user sees; with `app_keys` only of those that they name."""
    known: dict[str, Any] = {"user_id": user_id}
    if app_keys is None:
        return _tuples(session, _SEEN, known)
    return _tuples(session, _SEEN_AND_NAMED, known | {"app_keys": app_keys, "now_ms": clock.now_ms()})


def _old_keys(session: Session, app_ids: list[int]) -> list[tuple[str, int]]:
    """The old keys that still name one of the apps, and which."""
    return _tuples(session, _OLD_KEYS_OF, {"app_ids": app_ids, "now_ms": clock.now_ms()})


def _tuples(session: Session, query: sa.Select[*tuple[Any, ...]], known: dict[str, Any]) -> list[Any]:
    return [tuple(row) for row in session.connection().execute(query, known)]
