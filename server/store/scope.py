"""Which apps a request may see: the one place where tenants are kept apart."""

from sqlmodel import Session, col, select

from server.store.tables import AppRow, UserRow


def app_id_of(session: Session, app_key: str) -> int | None:
    """The app that owns `app_key`, for ingest."""
    return session.exec(select(AppRow.id).where(AppRow.app_key == app_key)).first()


def owned_apps(session: Session, user_id: int, app_key: str = "") -> dict[int, str]:
    """App id -> app key of the user's apps; only the named one if `app_key` is not empty. Somebody else's: nothing."""
    query = select(AppRow.id, AppRow.app_key).where(AppRow.owner_id == user_id)
    if app_key:
        query = query.where(AppRow.app_key == app_key)
    rows = session.exec(query.order_by(col(AppRow.id))).all()
    return {app_id: key for app_id, key in rows if app_id is not None}


def member_of(session: Session, app_id: int, public_id: str) -> UserRow | None:
    """The user with this public id, if the user may see the app."""
    query = select(UserRow).join(AppRow, col(AppRow.owner_id) == col(UserRow.id))
    return session.exec(query.where(AppRow.id == app_id, UserRow.public_id == public_id)).first()
