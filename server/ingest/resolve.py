"""Resolve: from an app key to its app, through a small cache."""

import time
from collections.abc import Callable

from server.errors import AppNotFound
from server.store.engine import Engine
from server.store.scope import app_id_of

TTL_S = 10.0
MISS_TTL_S = 2.0
MAX_KEYS = 10_000
MAX_KEY_LENGTH = 128


class AppResolver:
    """Knows which app an app key belongs to. A key nobody has is remembered too, under exactly that key, for 2 s."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._known: dict[str, tuple[float, int | None]] = {}

    async def app_id(self, app_key: str) -> int:
        """The app's id. Raises AppNotFound."""
        if len(app_key) > MAX_KEY_LENGTH:
            raise AppNotFound
        expires, app_id = self._known.get(app_key, (0.0, None))
        if self._clock() >= expires:
            app_id = await self._engine.read(app_id_of, app_key)
            self._remember(app_key, app_id)
        if app_id is None:
            raise AppNotFound
        return app_id

    def forget(self, app_key: str) -> None:
        """Look the key up again next time, because it was just given out or taken back."""
        self._known.pop(app_key, None)

    def _remember(self, app_key: str, app_id: int | None) -> None:
        if len(self._known) >= MAX_KEYS:
            self._known.clear()
        ttl = MISS_TTL_S if app_id is None else TTL_S
        self._known[app_key] = (self._clock() + ttl, app_id)
