"""Users and their bearer tokens."""

from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from server.context import User
from server.errors import EmailAlreadyRegistered
from server.store.tables import TokenRow, UserRow

PURGED_AT_ONCE = 100
"""Expired tokens deleted with each sign-in: more than one, so that they run out, and few, so that nobody waits."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to be created."""

    public_id: str
    email: str
    password_hash: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token to be stored, by its hash alone."""

    hash: bytes
    created_ms: int
    expires_ms: int


@dataclass(frozen=True, slots=True)
class Account:
    """A user with what proves a password."""

    user: User
    password_hash: str


def register(session: Session, new: NewUser, token: Token) -> User:
    """Create the user with a first token. Raises EmailAlreadyRegistered, also when two register at the same instant."""
    user_id = session.connection().execute(_INSERT_USER, asdict(new)).scalar()
    if user_id is None:
        raise EmailAlreadyRegistered
    user = User(id=user_id, public_id=new.public_id, email=new.email, created_ms=new.created_ms)
    _add_token(session, user, token)
    return user


def find_account(session: Session, email: str) -> Account | None:
    """The account of a normalised email."""
    row = session.exec(select(UserRow).where(UserRow.email == email)).first()
    return None if row is None else Account(_user(row), row.password_hash)


def sign_in(session: Session, user: User, token: Token, new_password_hash: str | None) -> None:
    """Add a token, keep a renewed password hash, and delete some tokens that have expired."""
    if new_password_hash is not None:
        session.connection().execute(
            sa.update(UserRow).where(col(UserRow.id) == user.id).values(password_hash=new_password_hash)
        )
    expired = select(TokenRow.token_hash).where(TokenRow.expires_ms <= token.created_ms).limit(PURGED_AT_ONCE)
    session.connection().execute(sa.delete(TokenRow).where(col(TokenRow.token_hash).in_(expired)))
    _add_token(session, user, token)


def _add_token(session: Session, user: User, token: Token) -> None:
    session.add(
        TokenRow(token_hash=token.hash, user_id=user.id, created_ms=token.created_ms, expires_ms=token.expires_ms)
    )


def user_of_token(session: Session, token_hash: bytes, now_ms: int) -> User | None:
    """The user whose token has this hash and has not expired."""
    query = select(UserRow).join(TokenRow, col(TokenRow.user_id) == col(UserRow.id))
    row = session.exec(query.where(TokenRow.token_hash == token_hash, TokenRow.expires_ms > now_ms)).first()
    return None if row is None else _user(row)


def delete_token(session: Session, token_hash: bytes) -> None:
    """Make a token worthless."""
    session.connection().execute(sa.delete(TokenRow).where(col(TokenRow.token_hash) == token_hash))


def _user(row: UserRow) -> User:
    return User(**row.model_dump(exclude={"password_hash"}))


# One statement decides who gets the email: a look-up before the insert would lose the race.
_INSERT_USER = sa.text(
    "INSERT INTO users (public_id, email, password_hash, created_ms)"
    " VALUES (:public_id, :email, :password_hash, :created_ms) ON CONFLICT (email) DO NOTHING RETURNING id"
)
