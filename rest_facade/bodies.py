"""Request bodies: read whole, decompressed and checked against every bound before anybody parses them.

Nothing of a request is read before its route is known. Whether there is a body is decided here: Connexion 3.3 takes a
chunked one without a length for none.
"""

import asyncio
from typing import Self

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from rest_facade import problems
from rest_facade.contract import JSON, Operation
from rest_facade.deadline import Deadline
from rest_facade.exchange import Exchange
from rest_facade.inflate import INFLATORS, CorruptBody
from rest_facade.problems import Problem
from rest_facade.settings import FacadeSettings

# text/plain is what navigator.sendBeacon sends without a preflight.
_ACCEPTED_TYPES = frozenset({JSON, "text/plain"})
_ACCEPTED_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})

# After so much decompressed data other requests get their turn: about 3 ms of work.
_PAUSE_BYTES = 1_048_576


class BytesInFlight:
    """Bytes of all bodies that are being read or worked on."""

    def __init__(self, limit: int, retry_after_s: int) -> None:
        self._limit, self._retry_after_s = limit, retry_after_s
        self._used = 0

    def take(self, count: int) -> None:
        """Reserves bytes; raises Problem where the limit is reached."""
        if self._used + count > self._limit:
            raise problems.overloaded(self._retry_after_s)
        self._used += count

    def give_back(self, count: int) -> None:
        """Frees bytes that were taken."""
        self._used -= count


class Bodies:
    """Opens the bodies of requests; together they keep to the bytes in flight."""

    def __init__(self, settings: FacadeSettings) -> None:
        self._settings = settings
        self._inflight = BytesInFlight(settings.max_inflight_bytes, settings.retry_after_s)

    def open(self, operation: Operation, exchange: Exchange, receive: Receive) -> "Body":
        """The body of a request, to be read inside a `with`."""
        return Body(operation, exchange, receive, self._settings, self._inflight)


class Body:
    """One body on its way in. Its bytes count as in flight until the end of the `with`."""

    def __init__(
        self,
        operation: Operation,
        exchange: Exchange,
        receive: Receive,
        settings: FacadeSettings,
        inflight: BytesInFlight,
    ) -> None:
        self._operation, self._exchange, self._receive = operation, exchange, receive
        self._settings, self._inflight = settings, inflight
        self._max_body_bytes = operation.max_body_bytes or settings.max_body_bytes
        self._taken = 0
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._inflight.give_back(self._taken)

    async def read(self) -> bytes:
        """The decoded body, empty where there is none; raises Problem."""
        try:
            encoding = self._check_headers()
            if encoding is None:
                return b""
            wire = self._arrived()
            if wire is None:
                with Deadline(self._settings.body_timeout_s):
                    wire = await self._read_wire()
        except TimeoutError:
            raise problems.body_timeout() from None
        except Problem as problem:
            await self._drain(problem)
            raise
        return await self._inflate(wire, encoding) if encoding else wire

    def _check_headers(self) -> str | None:
        """The content coding, empty for none; None where there is no body. Raises Problem for what can be refused unread."""
        length = self._exchange.header(b"content-length")
        empty = length == "0" or (length is None and b"transfer-encoding" not in self._exchange.headers)
        media = self._exchange.header(b"content-type")
        if media is None and empty:
            return None
        if length is not None and int(length) > self._max_body_bytes:
            raise problems.body_too_large(self._max_body_bytes, inflated=False)
        if self._operation.bytes_field:
            # Trackers name no type, or one their library made up; what the bytes are is for the server to tell.
            return ""
        if not self._operation.any_media_type:
            _check_media_type(media or "")
        return "" if empty else _content_coding(self._exchange.header(b"content-encoding") or "")

    def _arrived(self) -> bytes | None:
        """What most bodies are: all there before the request is looked at."""
        wire = self._exchange.short_cut.body() if self._exchange.short_cut is not None else None
        if wire is not None:
            self._ended = True
            if len(wire) > self._max_body_bytes:
                raise problems.body_too_large(self._max_body_bytes, inflated=False)
            self._take(len(wire))
        return wire

    async def _read_wire(self) -> bytes:
        # One growing buffer: a list of pieces weighs many times its bytes where a client sends them one by one.
        wire = bytearray()
        while not self._ended:
            piece = await self._next()
            if len(wire) + len(piece) > self._max_body_bytes:
                raise problems.body_too_large(self._max_body_bytes, inflated=False)
            self._take(len(piece))
            wire += piece
        return bytes(wire)

    async def _next(self) -> bytes:
        message: Message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self._ended = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece

    async def _inflate(self, wire: bytes, encoding: str) -> bytes:
        text = bytearray()
        paused_at = 0
        try:
            for piece in INFLATORS[encoding](wire):
                if len(text) + len(piece) > self._settings.max_inflated_bytes:
                    raise problems.body_too_large(self._settings.max_inflated_bytes, inflated=True)
                self._take(len(piece))
                text += piece
                if len(text) - paused_at > _PAUSE_BYTES:
                    paused_at = len(text)
                    await asyncio.sleep(0)
        except CorruptBody:
            raise problems.corrupt_body(encoding) from None
        return bytes(text)

    def _take(self, count: int) -> None:
        self._inflight.take(count)
        self._taken += count

    async def _drain(self, problem: Problem) -> None:
        """Throws the rest of a refused body away.

        Many clients write all of it before they read anything; answering and closing meanwhile shows them a reset
        connection in place of the answer. A client that does not come to an end is answered and cut off.
        """
        # Who asked first has sent nothing yet, and the answer keeps it from doing so.
        left = 0 if b"expect" in self._exchange.headers else self._settings.drain_bytes
        try:
            with Deadline(self._settings.drain_timeout_s):
                while left > 0 and not self._ended:
                    left -= len(await self._next())
        except TimeoutError:
            left = 0
        if not self._ended:
            problem.headers = (*problem.headers, ("connection", "close"))


def _check_media_type(given: str) -> None:
    if given == JSON:
        return
    media, _, parameters = given.lower().partition(";")
    charset = ""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "charset":
            charset = value.strip().strip("\"'")
    if media.strip() not in _ACCEPTED_TYPES or charset not in _ACCEPTED_CHARSETS:
        raise problems.unsupported_media_type(given)


def _content_coding(given: str) -> str:
    coding = given.strip().lower().removeprefix("x-")
    if coding in {"", "identity"}:
        return ""
    if coding not in INFLATORS:
        raise problems.unsupported_encoding(given, INFLATORS)
    return coding
