"""Paths as clients write them: checked, and kept encoded so that a slash inside an issue id stays inside.

Servers decode the path before anybody sees it, and `%2F` becomes a separator. So routing runs over the raw path in which
only what never needs encoding is decoded (RFC 3986, 6.2.2.2); parameters are decoded one by one after they matched.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from rest_facade.problems import invalid_path, route_not_found

_PERCENT = re.compile(r"%(?:([0-9A-Fa-f]{2})|)")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

# Where a trailing slash is somebody's business: Swagger UI lives in a folder.
_FOLDERS = ("/docs/",)


class RawPath:
    """ASGI wrapper that hands the raw path to the router; answers broken ones itself.

    `aliases` are pairs of a path under which an operation answers too and the one the router knows it by, each as the
    document writes it, with at most one parameter at the end.
    """

    def __init__(self, app: ASGIApp, aliases: Iterable[tuple[str, str]] = ()) -> None:
        self._app = app
        self._aliases: dict[str, str] = {}
        self._prefixes: list[tuple[str, str]] = []
        for alias, path in aliases:
            if alias.endswith("}"):
                self._prefixes.append((alias[: alias.rindex("{")], path[: path.rindex("{")]))
            else:
                self._aliases[alias] = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Rewrites the path of HTTP requests; raises Problem where it is none."""
        if scope["type"] == "http":
            path = _normalised(scope.get("raw_path") or quote(scope["path"]).encode("ascii"))
            if path.endswith("/") and not path.startswith(_FOLDERS):
                # Starlette would redirect to the path without the slash; clients know 404, and a redirected POST is lost.
                raise route_not_found(scope["method"], path)
            path = self._canonical(path)
            if path != scope["path"]:
                scope = {**scope, "path": path}
        await self._app(scope, receive, send)

    def _canonical(self, path: str) -> str:
        known = self._aliases.get(path)
        if known is not None:
            return known
        for alias, prefix in self._prefixes:
            if path.startswith(alias):
                return prefix + path.removeprefix(alias)
        return path


def decode_parameter(value: str) -> str:
    """The text of one path parameter; raises Problem where the bytes are not UTF-8 or hold a NUL."""
    try:
        text = unquote_to_bytes(value).decode("utf-8")
    except UnicodeDecodeError:
        raise invalid_path() from None
    if "\0" in text:
        raise invalid_path()
    return text


def _normalised(raw: bytes) -> str:
    try:
        path = raw.decode("ascii")
    except UnicodeDecodeError:
        # Some clients send UTF-8 as it is; the router and decode_parameter want it encoded.
        path = quote(raw, safe="/%:@!$&'()*+,;=~")
    return _PERCENT.sub(_decode_unreserved, path) if "%" in path else path


def _decode_unreserved(match: re.Match[str]) -> str:
    digits = match[1]
    if digits is None or digits == "00":
        raise invalid_path()
    character = chr(int(digits, 16))
    return character if character in _UNRESERVED else f"%{digits}"
