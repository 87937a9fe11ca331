"""The outermost layers of a request: who it is, what went wrong with it, and one line in the log about it."""

import ipaddress
import re
import secrets
import time
from collections.abc import Collection

import grpc.aio
import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rest_facade import metrics, problems
from rest_facade.exchange import Exchange, attach, exchange_of
from rest_facade.problems import Problem

_LOG = structlog.stdlib.get_logger("access")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

# What nginx calls a client that went away; nobody sees the status, but the log and the metrics tell it from an answer.
_CLIENT_GONE = 499

# A line of the log need not repeat a path of kilobytes.
_LOGGED_PATH = 512


class Edge:
    """ASGI wrapper that opens the exchange and closes it with a log line and metrics."""

    def __init__(self, app: ASGIApp, *, trusted_proxies: Collection[str]) -> None:
        self._app = app
        self._trusted = frozenset(trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one HTTP request; anything else passes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        exchange = self._exchange(scope)
        attach(scope, exchange)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(requestID=exchange.request_id)
        reply = _Reply(send, exchange.request_id, head=scope["method"] == "HEAD")
        failure: BaseException | None = None
        try:
            await self._app(scope, receive, reply.send)
        except BaseException as error:
            failure = error
            raise
        finally:
            _conclude(scope, exchange, reply, time.perf_counter() - started, failure)

    def _exchange(self, scope: Scope) -> Exchange:
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        return Exchange(
            request_id=given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16),
            client=self._client(scope, headers),
            authorization=headers.get("authorization"),
        )

    def _client(self, scope: Scope, headers: Headers) -> str:
        """The address of the client: the nearest one in X-Forwarded-For that no trusted proxy has."""
        peer: str = (scope.get("client") or ("",))[0]
        forwarded = headers.getlist("x-forwarded-for") if peer in self._trusted else []
        for hop in reversed(",".join(forwarded).split(",") if forwarded else []):
            address = _address(hop.strip())
            if address is None:
                break
            peer = address
            if address not in self._trusted:
                break
        return peer


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
            problem = self._problem(error, scope)
            if problem is None:
                raise
            exchange = exchange_of(scope)
            exchange.code = problem.code
            await problem.response(exchange.request_id)(scope, receive, send)

    def _problem(self, error: Exception, scope: Scope) -> Problem | None:
        """The problem an exception stands for; None where there is nobody left to tell."""
        if isinstance(error, ClientDisconnect):
            return None
        if isinstance(error, Problem):
            return error
        if isinstance(error, grpc.aio.AioRpcError):
            return problems.from_rpc(error, self._retry_after_s)
        if isinstance(error, HTTPException):
            known = error.status_code not in {404, 405}
            return (
                problems.plain(error.status_code) if known else problems.route_not_found(scope["method"], scope["path"])
            )
        structlog.contextvars.bind_contextvars(error=type(error).__name__)
        _LOG.error("unhandled exception", exc_info=error)
        return problems.internal()


class _Reply:
    """Watches a response on its way out: notes its status, names the request, and leaves HEAD without a body."""

    __slots__ = ("_head", "_request_id", "_send", "status")

    def __init__(self, send: Send, request_id: str, *, head: bool) -> None:
        self._send, self._request_id, self._head = send, request_id, head
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self._request_id.encode("ascii"))]
        elif self._head:
            message = {**message, "body": b""}
        await self._send(message)


def _conclude(
    scope: Scope, exchange: Exchange, reply: _Reply, duration_s: float, failure: BaseException | None
) -> None:
    gone = failure is not None and reply.status == 0
    status = _CLIENT_GONE if gone else reply.status
    metrics.count(scope["method"], exchange.route, status, duration_s, exchange.code)
    told = structlog.contextvars.get_contextvars()
    if exchange.code is not None:
        told.setdefault("error", exchange.code)
    elif failure is not None:
        told.setdefault("error", type(failure).__name__)
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


def _address(text: str) -> str | None:
    """The IP address in one entry of X-Forwarded-For, a port cut off; None where there is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
