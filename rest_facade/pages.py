"""Serves the dashboard: its built files under hashed names, and its one page wherever a browser may open it."""

import asyncio
import gzip
import hashlib
import mimetypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import brotli  # type: ignore[import-untyped]
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rest_facade.exchange import exchange_of

DIST: Final = Path(__file__).parent / "dashboard" / "dist"

_ASSETS = "/assets/"

# First segments of the addresses that the dashboard draws itself; all other paths answer as the API's, 404 included.
_SCREENS = frozenset({"", "login", "register", "apps", "account"})

# Inline script and other origins are refused. Pictures of sessions come with a bearer token, so scripts fetch them into blobs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFETY = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

# A name with a hash in it never means other bytes; the page that names them is asked for every time.
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable", "vary": "Accept-Encoding"}
_EVERY_TIME = {"cache-control": "no-cache", "vary": "Accept, Accept-Encoding"}

_ENCODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "br": lambda content: brotli.compress(content, quality=11),
    "gzip": lambda content: gzip.compress(content, compresslevel=9, mtime=0),
}
"""Best first."""

# Below it the headers cost more than compression saves.
_WORTH_COMPRESSING_BYTES = 512


@dataclass(frozen=True)
class _File:
    """One built file."""

    content: bytes
    media_type: str
    route: str
    headers: tuple[tuple[str, str], ...]

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'

    @cache  # noqa: B019 -- files are few and live as long as the process
    def encoded(self, encoding: str) -> bytes:
        """The content in that encoding, made once."""
        return _ENCODERS[encoding](self.content)


class Pages:
    """ASGI wrapper that answers browsers with the dashboard and lets everything else pass."""

    def __init__(self, app: ASGIApp, root: Path = DIST) -> None:
        """Reads the built files; raises FileNotFoundError where they are missing."""
        self._app = app
        self._page = _File((root / "index.html").read_bytes(), "text/html", "/", tuple(_EVERY_TIME.items()))
        self._assets = dict(_assets(root))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one HTTP request."""
        found = self._find(scope) if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} else None
        if found is None:
            await self._app(scope, receive, send)
            return
        exchange_of(scope).route = found.route
        await (await _response(found, Headers(scope=scope)))(scope, receive, send)

    def _find(self, scope: Scope) -> _File | None:
        path: str = scope["path"]
        if path.startswith(_ASSETS):
            return self._assets.get(path)
        is_screen = path.split("/", 2)[1] in _SCREENS
        return self._page if is_screen and "text/html" in Headers(scope=scope).get("accept", "") else None


def _assets(root: Path) -> Iterator[tuple[str, _File]]:
    for path in sorted((root / "assets").iterdir()):
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        yield _ASSETS + path.name, _File(path.read_bytes(), media_type, _ASSETS, tuple(_FOR_EVER.items()))


async def _response(file: _File, asked: Headers) -> Response:
    headers = _SAFETY | dict(file.headers) | {"etag": file.etag}
    if file.etag in asked.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    encoding = _encoding(asked.get("accept-encoding", ""))
    if encoding is None or len(file.content) < _WORTH_COMPRESSING_BYTES:
        return Response(file.content, headers=headers, media_type=file.media_type)
    content = await asyncio.to_thread(file.encoded, encoding)
    return Response(content, headers=headers | {"content-encoding": encoding}, media_type=file.media_type)


def _encoding(accepted: str) -> str | None:
    """The best of our encodings that the client takes; weights other than 0 are not compared."""
    offers = [offer.replace(" ", "").lower().partition(";") for offer in accepted.split(",")]
    taken = {name for name, _, weight in offers if weight.rstrip("0.") != "q="}
    return next((name for name in _ENCODERS if name in taken), None)
