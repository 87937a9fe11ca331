"""Users and their bearer tokens."""

from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from server.context import User
from server.errors import EmailAlreadyRegistered, InvalidCredentials, WrongPassword
from server.store.tables import TokenRow, UserRow

MAX_LISTED = 1_000
"""Sessions of one user that are listed."""

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
    client_name: str = ""


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
    return None if row is None else Account(user_from_row(row), row.password_hash)


def sign_in(session: Session, account: Account, token: Token, new_password_hash: str | None) -> None:
    """Add a token, keep a renewed password hash, and delete some tokens that have expired.

    Raises InvalidCredentials when the password was changed since the account was read.
    """
    if not _replace_hash(session, account, new_password_hash or account.password_hash):
        raise InvalidCredentials
    expired = select(TokenRow.token_hash).where(TokenRow.expires_ms <= token.created_ms).limit(PURGED_AT_ONCE)
    session.connection().execute(sa.delete(TokenRow).where(col(TokenRow.token_hash).in_(expired)))
    _add_token(session, account.user, token)


def change_password(session: Session, account: Account, token: Token, new_password_hash: str) -> None:
    """Put the new hash in the place of the account's, end every session and begin one by this token.

    Raises WrongPassword when the password was changed since the account was read.
    """
    if not _replace_hash(session, account, new_password_hash):
        raise WrongPassword
    _delete_tokens(session, account.user.id)
    _add_token(session, account.user, token)


def reset_password(session: Session, email: str, new_password_hash: str) -> int | None:
    """Put this hash in the place of the user's and end every session; how many there were, None without such a user."""
    query = sa.update(UserRow).where(col(UserRow.email) == email).values(password_hash=new_password_hash)
    user_id = session.connection().execute(query.returning(col(UserRow.id))).scalar()
    return None if user_id is None else _delete_tokens(session, user_id)


def tokens_of(session: Session, user_id: int, now_ms: int) -> list[Token]:
    """The tokens of a user that have not expired, the latest first, at most MAX_LISTED."""
    query = select(TokenRow).where(TokenRow.user_id == user_id, TokenRow.expires_ms > now_ms)
    rows = session.exec(query.order_by(col(TokenRow.created_ms).desc(), col(TokenRow.token_hash)).limit(MAX_LISTED))
    return [Token(row.token_hash, row.created_ms, row.expires_ms, row.client_name) for row in rows]


def delete_other_tokens(session: Session, user_id: int, kept: bytes) -> None:
    """Make all tokens of a user worthless but the one with this hash."""
    session.connection().execute(
        sa.delete(TokenRow).where(col(TokenRow.user_id) == user_id, col(TokenRow.token_hash) != kept)
    )


def _replace_hash(session: Session, account: Account, new_password_hash: str) -> bool:
    """Whether the account still had the hash that was read, whose place the new one takes."""
    query = sa.update(UserRow).where(col(UserRow.id) == account.user.id)
    query = query.where(col(UserRow.password_hash) == account.password_hash).values(password_hash=new_password_hash)
    return session.connection().execute(query).rowcount == 1


def _delete_tokens(session: Session, user_id: int) -> int:
    return session.connection().execute(sa.delete(TokenRow).where(col(TokenRow.user_id) == user_id)).rowcount


def _add_token(session: Session, user: User, token: Token) -> None:
    session.add(
        TokenRow(
            token_hash=token.hash,
            user_id=user.id,
            created_ms=token.created_ms,
            expires_ms=token.expires_ms,
            client_name=token.client_name,
        )
    )


# Every request of a dashboard begins with this one: it is put together once.
_USER_OF_TOKEN: sa.Select[*tuple[Any, ...]] = (
    sa.select(col(UserRow.id), col(UserRow.public_id), col(UserRow.email), col(UserRow.created_ms))
    .join(TokenRow, col(TokenRow.user_id) == col(UserRow.id))
    .where(col(TokenRow.token_hash) == sa.bindparam("token_hash"), col(TokenRow.expires_ms) > sa.bindparam("now_ms"))
)


def user_of_token(session: Session, token_hash: bytes, now_ms: int) -> User | None:
    """The user whose token has this hash and has not expired."""
    known = {"token_hash": token_hash, "now_ms": now_ms}
    row = session.connection().execute(_USER_OF_TOKEN, known).first()
    return None if row is None else User(*row)


def delete_token(session: Session, token_hash: bytes) -> None:
    """Make a token worthless."""
    session.connection().execute(sa.delete(TokenRow).where(col(TokenRow.token_hash) == token_hash))


def user_from_row(row: UserRow) -> User:
    """The user without what proves the password."""
    return User(**row.model_dump(exclude={"password_hash"}))


# One statement decides who gets the email: a look-up before the insert would lose the race.
_INSERT_USER = sa.text(
    "INSERT INTO users (public_id, email, password_hash, created_ms)"
    " VALUES (:public_id, :email, :password_hash, :created_ms) ON CONFLICT (email) DO NOTHING RETURNING id"
)
