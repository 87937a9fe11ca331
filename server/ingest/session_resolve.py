"""Resolve: from the claims of a session token to its app and its session, through a small cache."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from server.errors import InvalidSessionToken
from server.store import sessions
from server.store.engine import Engine
from server.store.sessions import MobileApp, Recorded

TTL_S: Final = 10.0
MAX_SESSIONS: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    expires: float
    app: MobileApp
    session: Recorded


class SessionResolver:
    """Knows the app and the session that a tracker writes to, as they were at most ten seconds ago.

    Whether the session is still there is for the transaction to tell that stores what is sent to it.
    """

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._known: dict[tuple[int, int], _Known] = {}
        self._forgotten = 0

    async def find(self, app_id: int, session_id: int) -> tuple[MobileApp, Recorded]:
        """The app and its session. Raises InvalidSessionToken where one of them is gone."""
        known = self._known.get((app_id, session_id))
        if known is None or self._clock() >= known.expires:
            known = await self._read(app_id, session_id)
        return known.app, known.session

    def forget(self, app_id: int, _app_key: str) -> None:
        """Look the app up again next time, because it was changed or deleted."""
        self._forgotten += 1
        self._known = {key: known for key, known in self._known.items() if key[0] != app_id}

    async def _read(self, app_id: int, session_id: int) -> _Known:
        forgotten = self._forgotten
        app, session = await self._engine.read(_app_and_session, app_id, session_id)
        if app is None or session is None:
            raise InvalidSessionToken
        found = _Known(self._clock() + TTL_S, app, session)
        if forgotten == self._forgotten:  # else this may be how the app was before
            if len(self._known) >= MAX_SESSIONS:
                self._known.clear()
            self._known[app_id, session_id] = found
        return found


def _app_and_session(store: Session, app_id: int, session_id: int) -> tuple[MobileApp | None, Recorded | None]:
    return sessions.mobile_app(store, app_id=app_id), sessions.find(store, app_id, session_id)
