"""Tokens by which services act for a user, each within its scopes."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from server.context import User
from server.errors import UserNotFound
from server.store.tables import ServiceTokenRow, UserRow
from server.store.users import user_from_row


@dataclass(frozen=True, slots=True)
class NewServiceToken:
    """A service token to be stored, by its hash alone; `expires_ms` None is never."""

    public_id: str
    token_hash: bytes
    name: str
    scopes: tuple[str, ...]
    created_ms: int
    expires_ms: int | None


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """What may be told of a service token."""

    public_id: str
    email: str
    name: str
    scopes: tuple[str, ...]
    created_ms: int
    expires_ms: int | None


def create(session: Session, email: str, new: NewServiceToken) -> None:
    """Store the token; it acts for the user of this normalised email. Raises UserNotFound."""
    user_id = session.exec(select(UserRow.id).where(UserRow.email == email)).first()
    if user_id is None:
        raise UserNotFound
    session.add(
        ServiceTokenRow(
            public_id=new.public_id,
            token_hash=new.token_hash,
            user_id=user_id,
            name=new.name,
            scopes=" ".join(new.scopes),
            created_ms=new.created_ms,
            expires_ms=new.expires_ms,
        )
    )


def every(session: Session) -> list[ServiceToken]:
    """All service tokens, oldest first."""
    query = select(ServiceTokenRow, UserRow.email).join(UserRow, col(UserRow.id) == col(ServiceTokenRow.user_id))
    rows = session.exec(query.order_by(col(ServiceTokenRow.created_ms), col(ServiceTokenRow.public_id)))
    return [
        ServiceToken(row.public_id, email, row.name, tuple(row.scopes.split()), row.created_ms, row.expires_ms)
        for row, email in rows
    ]


def revoke(session: Session, public_id: str) -> bool:
    """Make a service token worthless; whether there was one."""
    query = sa.delete(ServiceTokenRow).where(col(ServiceTokenRow.public_id) == public_id)
    return session.connection().execute(query).rowcount == 1


def user_of_service(session: Session, token_hash: bytes, now_ms: int) -> tuple[User, frozenset[str]] | None:
    """The user for whom the service with this token acts, and its scopes, unless it has expired."""
    query = select(ServiceTokenRow, UserRow).join(UserRow, col(UserRow.id) == col(ServiceTokenRow.user_id))
    found = session.exec(query.where(ServiceTokenRow.token_hash == token_hash)).first()
    if found is None or (found[0].expires_ms is not None and found[0].expires_ms <= now_ms):
        return None
    return user_from_row(found[1]), frozenset(found[0].scopes.split())
