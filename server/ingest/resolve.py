"""Resolve: from an app key to its app, through a small cache."""

import time
from collections.abc import Callable

from server.errors import AppNotFound
from server.store.engine import Engine
from server.store.scope import IngestApp, ingest_app

TTL_S = 10.0
MISS_TTL_S = 2.0
MAX_KEYS = 10_000
MAX_KEY_LENGTH = 128


class AppResolver:
    """Knows which app an app key belongs to. A key nobody has is remembered too, under exactly that key, for 2 s."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._known: dict[str, tuple[float, IngestApp | None]] = {}
        self._forgotten = 0

    async def app(self, app_key: str) -> IngestApp:
        """The app, its keys and its settings. Raises AppNotFound."""
        if len(app_key) > MAX_KEY_LENGTH:
            raise AppNotFound
        expires, app = self._known.get(app_key, (0.0, None))
        if self._clock() >= expires:
            app = await self._read(app_key)
        if app is None:
            raise AppNotFound
        return app

    def known(self, app_key: str) -> IngestApp | None:
        """The app, where nobody has to be asked."""
        expires, app = self._known.get(app_key, (0.0, None))
        return app if self._clock() < expires else None

    def forget(self, app_id: int, app_key: str) -> None:
        """Look the app up again next time, under this key and all others, because it was made, changed or deleted."""
        self._forgotten += 1
        self._known = {key: known for key, known in self._known.items() if known[1] is None or known[1].id != app_id}
        self._known.pop(app_key, None)

    async def _read(self, app_key: str) -> IngestApp | None:
        forgotten = self._forgotten
        app = await self._engine.read(ingest_app, app_key)
        if forgotten == self._forgotten:  # else this may be how the app was before
            self._remember(app_key, app)
        return app

    def _remember(self, app_key: str, app: IngestApp | None) -> None:
        if len(self._known) >= MAX_KEYS:
            self._known.clear()
        ttl = MISS_TTL_S if app is None else TTL_S
        self._known[app_key] = (self._clock() + ttl, app)
