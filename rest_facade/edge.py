"""The outermost layers of a request: who it is, what went wrong with it, and one line in the log about it."""

import random
import re
import time
from collections.abc import Collection, Mapping

import grpc.aio
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rest_facade import log_fields, metrics, problems
from rest_facade.exchange import SHORT_CUT, Exchange, attach, exchange_of
from rest_facade.forwarded import Proxies
from rest_facade.problems import Problem

_LOG = structlog.stdlib.get_logger("access")

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_PARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

# What nginx calls a client that went away; nobody sees the status, but the log and the metrics tell it from an answer.
_CLIENT_GONE = 499

# Twenty times the longest token we give out.
_AUTHORIZATION_CHARS = 1024

# The longest host name has 253 characters; metadata holds 8 KiB in all.
_ORIGIN_CHARS = 512

# A line of the log need not repeat a path of kilobytes.
_LOGGED_PATH = 512


class Edge:
    """ASGI wrapper that opens the exchange and closes it with a log line and metrics."""

    def __init__(self, app: ASGIApp, *, trusted_proxies: Collection[str]) -> None:
        self._app = app
        self._proxies = Proxies(trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one HTTP request; anything else passes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        exchange = self._exchange(scope)
        attach(scope, exchange)
        log_fields.begin(requestID=exchange.request_id)
        try:
            await self._app(scope, receive, _Reply(send, exchange, head=scope["method"] == "HEAD").send)
        finally:
            _conclude(scope, exchange, time.perf_counter() - started)

    def _exchange(self, scope: Scope) -> Exchange:
        headers = dict(reversed(scope["headers"]))
        parent = _sane_parent(headers.get(b"traceparent", b""))
        exchange = Exchange(
            request_id=_request_id(headers.get(b"x-request-id", b""), parent),
            traceparent=parent,
            headers=headers,
            client=self._client(scope, headers),
            authorization=_sane_authorization(headers.get(b"authorization", b"")),
            origin=_sane_origin(headers.get(b"origin", b"")),
            # The answer to HEAD has no body to be sent with its head.
            short_cut=scope.get("extensions", {}).get(SHORT_CUT) if scope["method"] != "HEAD" else None,
        )
        exchange.answer_headers.append((b"x-request-id", exchange.request_id.encode("ascii")))
        return exchange

    def _client(self, scope: Scope, headers: Mapping[bytes, bytes]) -> str:
        """The address of the client, as far as those on the way can be believed about it."""
        peer: str = (scope.get("client") or ("",))[0]
        forwarded = b""
        if b"x-forwarded-for" in headers:
            forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        return self._proxies.client(peer, forwarded.decode("latin-1"))


class Problems:
    """ASGI wrapper that answers with a problem document where an inner layer raised."""

    def __init__(self, app: ASGIApp, *, retry_after_s: int) -> None:
        self._app, self._retry_after_s = app, retry_after_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one HTTP request; anything else passes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if isinstance(error, ClientDisconnect):
                return
            problem = self._problem(error, scope)
            exchange = exchange_of(scope)
            exchange.code = problem.code
            if exchange.status:
                raise
            await problem.response(exchange.request_id)(scope, receive, send)

    def _problem(self, error: Exception, scope: Scope) -> Problem:
        """The problem an exception stands for; causes that are not the client's fault stay in the log."""
        if isinstance(error, Problem):
            return error
        if isinstance(error, grpc.aio.AioRpcError):
            problem = problems.from_rpc(error, self._retry_after_s)
            if problem.status >= 500:
                _note_cause(f"{error.code().name}: {error.details()}")
            return problem
        if isinstance(error, HTTPException):
            if error.status_code in {404, 405}:
                return problems.route_not_found(scope["method"], scope["path"])
            return problems.plain(error.status_code)
        exchange_of(scope).failure = error
        return problems.internal()


class _Reply:
    """Watches a response on its way out: notes its status, adds the headers all answers get, leaves HEAD without a body."""

    __slots__ = ("_exchange", "_head", "_send")

    def __init__(self, send: Send, exchange: Exchange, *, head: bool) -> None:
        self._send, self._exchange, self._head = send, exchange, head

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._exchange.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._exchange.answer_headers]
        elif self._head:
            message = {**message, "body": b""}
        await self._send(message)


def _conclude(scope: Scope, exchange: Exchange, duration_s: float) -> None:
    status = exchange.status or _CLIENT_GONE
    metrics.count(scope["method"], exchange.route, status, duration_s, exchange.code)
    told: dict[str, object] = {}
    if exchange.failure is not None:
        told["exc_info"] = exchange.failure
    elif exchange.code is not None and "error" not in log_fields.bound():
        told["error"] = exchange.code
    log = _LOG.error if status >= 500 else _LOG.warning if status >= 400 else _LOG.info
    log(
        "request",
        method=scope["method"],
        url=scope["path"][:_LOGGED_PATH],
        status=status,
        durationMs=round(duration_s * 1000, 3),
        sizeBytes=exchange.request_bytes,
        **told,
    )


def _note_cause(cause: str) -> None:
    """Leaves the cause for the log line, unless the servicer in this process has left a better one."""
    if "error" not in log_fields.bound():
        log_fields.bind(error=cause)


def _sane_parent(given: bytes) -> str | None:
    """The header as W3C Trace Context has it; None where there is none, or anything else."""
    return given.decode("ascii") if given and _PARENT.fullmatch(given) else None


def _request_id(given: bytes, parent: str | None) -> str:
    """The id a client or proxy gave the request, where it is a sane one, else that of its trace, else a new one."""
    if _REQUEST_ID.fullmatch(given):
        return given.decode("ascii")
    if parent is not None:
        return parent[3:35]
    # Nobody gains by guessing one, and asking the kernel for randomness takes a system call.
    return f"{random.getrandbits(128):032x}"


def _sane_authorization(given: bytes) -> str | None:
    """The header as it may travel in metadata; None for what cannot be a token of ours, which is refused like no token.

    gRPC refuses metadata beyond ASCII, and all of it together beyond 8 KiB, with errors that blame the server.
    """
    return _printable(given) if given and len(given) <= _AUTHORIZATION_CHARS else None


def _sane_origin(given: bytes) -> str | None:
    """The header as it may travel in metadata; what no browser would send is nobody's origin, which browsers call null."""
    if not given:
        return None
    return (_printable(given) if len(given) <= _ORIGIN_CHARS else None) or "null"


def _printable(given: bytes) -> str | None:
    """The text of printable ASCII; None for anything else."""
    text = given.decode("latin-1")
    return text if text.isascii() and text.isprintable() else None
