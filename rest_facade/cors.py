"""Cross-origin rules for browsers, as existing SDKs and dashboards know them."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rest_facade.exchange import exchange_of

_METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE"

# Without it Chrome asks again after 5 seconds, and a web SDK sends an event per request; a day is Firefox's limit.
_MAX_AGE_S = "86400"

# What scripts may read of a response besides the few headers that are always open.
_EXPOSED = b"X-Request-ID, Retry-After"


class Cors:
    """ASGI wrapper that answers preflights on every path and reflects allowed origins; errors carry the headers too."""

    def __init__(self, app: ASGIApp, *, origins: Collection[str], open_paths: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers OPTIONS itself and lets everything else pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = exchange_of(scope)
        origin = exchange.header(b"origin")
        allowed = origin if origin is not None and self._allows(origin, scope["path"]) else None
        if scope["method"] == "OPTIONS":
            await _preflight(Headers(scope=scope), origin, allowed)(scope, receive, send)
            return
        exchange.answer_headers += _headers(allowed)
        await self._app(scope, receive, send)

    def _allows(self, origin: str, path: str) -> bool:
        return origin in self._origins or path in self._open_paths


def _headers(allowed: str | None) -> list[tuple[bytes, bytes]]:
    # Vary without an Origin too: a cache must not show an answer without these headers to a browser that needs them.
    headers = [(b"vary", b"Origin")]
    if allowed is not None:
        headers.append((b"access-control-allow-origin", allowed.encode("latin-1")))
        headers.append((b"access-control-expose-headers", _EXPOSED))
    return headers


def _preflight(asked: Headers, origin: str | None, allowed: str | None) -> Response:
    if origin is None or "access-control-request-method" not in asked:
        response: Response = PlainTextResponse("Invalid Preflight Request", 400)
        response.raw_headers.extend(_headers(allowed))
        return response
    response = Response(status_code=204, headers={"vary": "Origin, Access-Control-Request-Headers"})
    if allowed is None:
        return response
    response.headers["access-control-allow-origin"] = allowed
    response.headers["access-control-allow-methods"] = _METHODS
    response.headers["access-control-max-age"] = _MAX_AGE_S
    if "access-control-request-headers" in asked:
        response.headers["access-control-allow-headers"] = asked["access-control-request-headers"]
    if asked.get("access-control-request-private-network") == "true":
        response.headers["access-control-allow-private-network"] = "true"
    return response
