"""Gives each call an id and a caller, the first things everything else needs."""

import re
import secrets
from collections.abc import Collection

from server import logs
from server.context import Caller, enter
from server.interceptors.base import Context, Guard, Interceptor, MakeGuard, text_of, told
from server.interceptors.peer import Peers

KEY = "x-request-id"
_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIdInterceptor(Interceptor):
    """Takes the caller's `x-request-id` if it is sane, else the id of their trace, else makes one; sends it back in the trailing metadata."""

    def __init__(self, trusted_proxies: Collection[str]) -> None:
        self._peers = Peers(trusted_proxies)

    def guard(self, method: str) -> MakeGuard:  # noqa: ARG002 -- alike for all methods
        return lambda context: _Entry(context, self._peers)


class _Entry(Guard):
    __slots__ = ("_context", "_peers")

    def __init__(self, context: Context, peers: Peers) -> None:
        self._context, self._peers = context, peers

    def enter(self) -> None:
        metadata = told(self._context)
        given = text_of(metadata, KEY)
        request_id = given if _SANE.fullmatch(given) else _made(text_of(metadata, "traceparent"))
        address, through_facade = self._peers.sender(self._context, metadata)
        enter(Caller(request_id, address, through_facade))
        self._context.set_trailing_metadata(((KEY, request_id),))
        logs.bind(requestID=request_id)


def _made(parent: str) -> str:
    trace = _PARENT.fullmatch(parent)
    return trace[1] if trace else secrets.token_urlsafe(12)
