"""Who calls: all that the layers below the interceptors see of a request."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import NamedTuple

from server.errors import InvalidSessionToken, NotSignedIn


@dataclass(frozen=True, slots=True)
class User:
    """The signed-in user of a call."""

    id: int
    public_id: str
    email: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class Tracker:
    """The recorded session whose token a call carried."""

    session_id: int
    app_id: int


class Caller(NamedTuple):
    """One request's origin: its id, the client's address, whether our REST door writes its log line, and who it is."""

    request_id: str
    address: str = ""
    through_facade: bool = False
    user: User | None = None
    token_hash: bytes = b""
    tracker: Tracker | None = None


_caller: ContextVar[Caller] = ContextVar("caller")


def enter(caller: Caller) -> None:
    """Make `caller` the caller of the current task."""
    _caller.set(caller)


def sign_in(user: User, token_hash: bytes) -> None:
    """Note who the current caller proved to be, and by which token."""
    _caller.set(_caller.get()._replace(user=user, token_hash=token_hash))


def let_track(tracker: Tracker) -> None:
    """Note which recorded session the current caller may add to."""
    _caller.set(_caller.get()._replace(tracker=tracker))


def current() -> Caller:
    """The caller of the current task."""
    return _caller.get()


def current_user() -> User:
    """The signed-in user of the current task; NotSignedIn when there is none."""
    user = _caller.get().user
    if user is None:
        raise NotSignedIn
    return user


def current_tracker() -> Tracker:
    """The recorded session of the current task; InvalidSessionToken when there is none."""
    tracker = _caller.get().tracker
    if tracker is None:
        raise InvalidSessionToken
    return tracker
