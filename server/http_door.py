"""uvicorn's HTTP protocol with bounds: how long and how large a head may be, how many connections there are, who is let go.

httptools keeps a header until it is whole, however long, and uvicorn waits for it for ever. Idle connections are let go
first when there are too many, the longest idle one before the others, so that a flood of them costs its makers' own.
"""

import asyncio
import re
import resource
from collections.abc import Callable
from typing import Any

import structlog
from prometheus_client import Counter
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from rest_facade.exchange import SHORT_CUT, RawHeaders
from rest_facade.forwarded import canonical
from server.address import network_of
from server.corked import Corked

MAX_HEAD_BYTES = 32_768
"""Request line and headers, trailers and chunk extensions too. The longest of ours (a token, a list of app keys) are a tenth."""

HEAD_S = 20.0
"""From the first byte of a request, or from the beginning of a connection, to the end of the head."""

UNREAD_S = 60.0
"""How long a client may leave an answer unread that does not fit into the system's buffers."""

MAX_CONNECTIONS = 4_096
"""Connections of one process. An idle one costs 4.5 KiB: 18 MiB in all."""

TOO_MANY_OF_ONE = b"429 Too Many Requests\r\nretry-after: 5"
"""What the next connection of an address hears that holds as many as it may."""

SPARE_FILES = 256
"""File descriptors kept for the database, pictures and gRPC where the system allows us fewer than that."""

LOOK_EVERY_S = 2.0

_BREAKS_A_LINE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

_LOG = structlog.get_logger("http")
_REFUSED = Counter(
    "healthguard_connections_refused_total", "Connections to the REST door that were let go, by reason.", ("reason",)
)


class Connections:
    """All connections of one door: `idle` are those without a request in work, the longest idle first.

    One address may hold `most_of_one`, unless it is `trusted`: a proxy brings everybody's.
    """

    def __init__(self, most: int, most_of_one: int, trusted: Callable[[str], bool]) -> None:
        self.most, self._most_of_one, self._trusted = most, most_of_one, trusted
        self.all: set[Bounded] = set()
        self.idle: dict[Bounded, None] = {}
        self._of_one: dict[str, int] = {}

    def add(self, connection: "Bounded") -> None:
        """Hold a connection that has begun. Refuses one where there are too many: this one, or one that idles."""
        self.all.add(connection)
        self.idle[connection] = None
        held = self._of_one[connection.source] = self._of_one.get(connection.source, 0) + 1
        if held > self._most_of_one and not self._trusted(connection.host):
            connection.refuse("too_many_of_one", TOO_MANY_OF_ONE)
        elif len(self.all) > self.most:
            longest_idle = next(iter(self.idle))  # this one, where all others have something to do
            longest_idle.refuse("too_many", b"503 Service Unavailable")

    def remove(self, connection: "Bounded") -> None:
        """Let go of a connection that has ended."""
        self.all.discard(connection)
        self.idle.pop(connection, None)
        left = self._of_one[connection.source] - 1
        if left:
            self._of_one[connection.source] = left
        else:
            del self._of_one[connection.source]

    async def watch(self) -> None:
        """Let go of who takes too long, until cancelled. One look at all of them is cheaper than a timer for each request."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now = asyncio.get_running_loop().time()
            for connection in list(self.all):
                connection.look(now)


class Bounded(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, connections: Connections, **kwargs: Any) -> None:  # noqa: ANN401 -- uvicorn's
        super().__init__(*args, **kwargs)
        self._among = connections
        self._head_since: float | None = None
        self._idle_since = 0.0
        self._unread_since: float | None = None
        self._bodiless_bytes = 0
        self.host = self.source = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        self.transport = Corked(transport, self.loop)  # type: ignore[assignment]  # all that uvicorn needs of one
        self._head_since = self.loop.time()
        self.host = canonical(self.client[0]) if self.client else ""
        self.source = network_of(self.host)
        self._among.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._among.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._bodiless_bytes += len(data)
        if self._head_since is None and self in self._among.idle:
            self._head_since = self.loop.time()
        super().data_received(data)
        if self._bodiless_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.refuse("head_too_long", b"431 Request Header Fields Too Large")

    def on_headers_complete(self) -> None:
        self._head_since = None
        self._bodiless_bytes = 0
        self._among.idle.pop(self, None)
        super().on_headers_complete()
        if self.cycle is not None and self.cycle.scope is self.scope:  # else it became another protocol's
            self.scope["extensions"] = {SHORT_CUT: _Whole(self.cycle)}  # type: ignore[dict-item]  # ASGI has it be anything

    def on_body(self, body: bytes) -> None:
        self._bodiless_bytes = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """What uvicorn does, but that `look` ends who stays idle: a timer for each request costs 2 us."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._among.idle[self] = None
        self._idle_since = self.loop.time()

    def look(self, now: float) -> None:
        """Let go if the client has taken too long over its next request, over its head, or over reading an answer."""
        if self._head_since is None and self in self._among.idle and now - self._idle_since > self.timeout_keep_alive:
            self.transport.close()
        if self._head_since is not None and now - self._head_since > HEAD_S:
            self.refuse("head_too_slow", b"408 Request Timeout")
        if not self.flow.write_paused:
            self._unread_since = None
        elif self._unread_since is None:
            self._unread_since = now
        elif now - self._unread_since > UNREAD_S:
            self.refuse("answer_unread")

    def refuse(self, reason: str, status: bytes = b"") -> None:
        """End the connection, with a status where an answer can be begun."""
        _REFUSED.labels(reason).inc()
        _LOG.debug("connection refused", reason=reason)
        self._among.all.discard(self)
        self._among.idle.pop(self, None)
        if status and (self.cycle is None or self.cycle.response_complete):
            self.transport.write(b"HTTP/1.1 %b\r\nconnection: close\r\ncontent-length: 0\r\n\r\n" % status)
            self.transport.close()
        else:
            self.transport.abort()


class _Whole:
    """The short cut of one request: what uvicorn makes of ASGI's messages, done at once."""

    __slots__ = ("_cycle",)

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    def body(self) -> bytes | None:
        cycle = self._cycle
        if cycle.more_body or cycle.disconnected or cycle.waiting_for_100_continue:
            return None
        cycle.flow.resume_reading()
        cycle.message_event.clear()
        body, cycle.body = bytes(cycle.body), bytearray()
        return body

    def answer(self, status: int, headers: RawHeaders, body: bytes) -> bool:
        cycle = self._cycle
        if cycle.response_started or cycle.disconnected or cycle.flow.write_paused:
            return False
        headers = (*cycle.default_headers, *headers)
        if _BREAKS_A_LINE.search(b"".join([value for _, value in headers])):
            raise ValueError("a header of an answer has a control character")
        lines = [b"%b: %b\r\n" % header for header in headers]
        if not cycle.keep_alive:
            lines.append(b"connection: close\r\n")
        cycle.response_started = cycle.response_complete = True
        cycle.transport.write(b"".join((STATUS_LINE[status], *lines, b"\r\n", body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()
        return True


def allowed_connections() -> int:
    """How many connections this process may hold, after asking the system for all the files it would give."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    files = hard if hard != resource.RLIM_INFINITY else MAX_CONNECTIONS + SPARE_FILES
    return max(SPARE_FILES, min(MAX_CONNECTIONS, files - SPARE_FILES))
