"""Members: who may do what with an app."""

from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from server.errors import OwnerStays, RoleTooLow, TooManyMembers, UserNotFound
from server.store.scope import Role, accessible, id_of, member_of
from server.store.tables import MemberRow, UserRow

MAX_MEMBERS = 1_000
"""Lists of members are answered whole."""


@dataclass(frozen=True, slots=True)
class Member:
    """A user with access to an app."""

    user_id: str
    email: str
    role: Role
    created_ms: int


def members(session: Session, user_id: int, app_id: str) -> list[Member]:
    """Everybody with access, the owner first, then by time of joining. Raises AppNotFound."""
    app, _ = accessible(session, user_id, app_id)
    query = (
        select(MemberRow, UserRow)
        .join(UserRow, col(UserRow.id) == col(MemberRow.user_id))
        .where(MemberRow.app_id == app.id)
    )
    found = [_member(row, user) for row, user in session.exec(query)]
    return sorted(found, key=lambda member: (member.role != Role.OWNER, member.created_ms, member.user_id))


def add(session: Session, user_id: int, app_id: str, email: str, role: Role, now_ms: int) -> Member:
    """Give the user of a normalised email access, or another role.

    Raises AppNotFound, RoleTooLow, UserNotFound, OwnerStays and TooManyMembers.
    """
    app, _ = accessible(session, user_id, app_id, Role.OWNER, for_update=True)
    user = session.exec(select(UserRow).where(UserRow.email == email)).first()
    if user is None or user.id is None:
        raise UserNotFound
    row = session.get(MemberRow, (app.id, user.id)) or _new(session, id_of(app), user.id, now_ms)
    if row.role == Role.OWNER:
        raise OwnerStays
    row.role = role
    session.add(row)
    return _member(row, user)


def remove(session: Session, user_id: int, app_id: str, member_id: str) -> None:
    """Take access away; users may do that to themselves. Raises AppNotFound, RoleTooLow, UserNotFound and OwnerStays."""
    app, role = accessible(session, user_id, app_id, for_update=True)
    member = member_of(session, id_of(app), member_id)
    if role < Role.OWNER and (member is None or member.id != user_id):
        raise RoleTooLow
    if member is None:
        raise UserNotFound
    row = session.get_one(MemberRow, (app.id, member.id))
    if row.role == Role.OWNER:
        raise OwnerStays
    session.delete(row)


def _new(session: Session, app_id: int, user_id: int, now_ms: int) -> MemberRow:
    taken = session.exec(select(func.count()).select_from(MemberRow).where(MemberRow.app_id == app_id)).one()
    if taken >= MAX_MEMBERS:
        raise TooManyMembers
    return MemberRow(app_id=app_id, user_id=user_id, role=Role.VIEWER, created_ms=now_ms)


def _member(row: MemberRow, user: UserRow) -> Member:
    return Member(user_id=user.public_id, email=user.email, role=Role(row.role), created_ms=row.created_ms)
