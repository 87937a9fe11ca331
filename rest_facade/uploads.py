"""Screenshots as trackers upload them: multipart forms, received whole and then streamed to the server.

An upload waits on the disk until its last byte is here, so that one that tears never reaches the server, and a slow client
holds neither memory nor an RPC.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import Any

import grpc.aio
from healthguard.v1 import (
    mobile_session_service_pb2 as mobile_session_service_pb,
    mobile_session_service_pb2_grpc as mobile_session_service_grpc,
)
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rest_facade import problems
from rest_facade.deadline import Deadline
from rest_facade.exchange import exchange_of, operation_id
from rest_facade.problems import Problem
from rest_facade.settings import FacadeSettings

UPLOAD_OPERATION = "uploadImages"

_PROJECT_FIELDS = frozenset({"projectKey", "projectID"})
_IN_MEMORY_BYTES = 65_536
_CHUNK_BYTES = 262_144
_MAX_PARTS = 128
_MAX_FIELD_BYTES = 1_024
_MAX_HEADER_BYTES = 4_096


class Uploads:
    """ASGI middleware that serves the one operation whose body is a form."""

    def __init__(self, app: ASGIApp, *, channel: grpc.aio.Channel, settings: FacadeSettings) -> None:
        self._app, self._settings = app, settings
        self._upload = mobile_session_service_grpc.MobileSessionServiceStub(channel).UploadImages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves an upload; anything else passes."""
        if scope["type"] != "http" or operation_id(scope) != UPLOAD_OPERATION:
            await self._app(scope, receive, send)
            return
        exchange = exchange_of(scope)
        with ExitStack() as stack:
            form = _Form(_boundary(Headers(scope=scope)), stack)
            with Deadline(self._settings.body_timeout_s) as limit:
                try:
                    exchange.request_bytes = await _receive(form, receive, self._settings)
                except TimeoutError:
                    if limit.expired:
                        raise problems.body_timeout() from None
                    raise
            await self._upload(form.steps(), metadata=exchange.metadata(), timeout=self._settings.rpc_timeout_s)
        await Response(status_code=200)(scope, receive, send)


@dataclass(slots=True)
class _Part:
    """One part of the form while it arrives."""

    header_name: bytes = b""
    header_value: bytes = b""
    name: str = ""
    filename: str | None = None
    content: "SpooledTemporaryFile[bytes] | None" = None
    value: bytearray = field(default_factory=bytearray)


class _Form:
    """The fields and files of a multipart body, told piece by piece by a parser that calls back."""

    def __init__(self, boundary: bytes, stack: ExitStack) -> None:
        self._stack = stack
        self._part = _Part()
        self._parts = 0
        self._ended = False
        self._projects: list[str] = []
        self._files: list[tuple[str, SpooledTemporaryFile[bytes]]] = []
        callbacks: Any = {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._close,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except FormParserError:
            raise problems.not_multipart("multipart/form-data") from None

    def feed(self, piece: bytes) -> None:
        """The next bytes of the body. Raises Problem."""
        try:
            self._parser.write(piece)
        except FormParserError:
            raise problems.invalid_multipart() from None

    def finish(self) -> None:
        """The body is over. Raises Problem where the form is not."""
        if not self._ended:
            raise problems.invalid_multipart()

    def steps(self) -> Iterator[mobile_session_service_pb.UploadImagesRequest]:
        """The form as the server takes it."""
        for project in self._projects:
            yield mobile_session_service_pb.UploadImagesRequest(project=project)
        for name, content in self._files:
            yield mobile_session_service_pb.UploadImagesRequest(file=name)
            content.seek(0)
            while chunk := content.read(_CHUNK_BYTES):
                yield mobile_session_service_pb.UploadImagesRequest(chunk=chunk)

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise problems.invalid_multipart()
        self._part = _Part()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name = _extended(self._part.header_name, data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value = _extended(self._part.header_value, data[start:end])

    def _header_end(self) -> None:
        part = self._part
        if part.header_name.lower() == b"content-disposition":
            _, options = parse_options_header(part.header_value)
            part.name = options.get(b"name", b"").decode("utf-8", "replace")
            filename = options.get(b"filename")
            part.filename = None if filename is None else filename.decode("utf-8", "replace")
        part.header_name = part.header_value = b""

    def _headers_end(self) -> None:
        part = self._part
        if part.filename is not None:
            part.content = self._stack.enter_context(SpooledTemporaryFile(_IN_MEMORY_BYTES))  # noqa: SIM115 -- the stack is one
            self._files.append((part.filename, part.content))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part.content is not None:
            self._part.content.write(data[start:end])
        elif len(self._part.value) <= _MAX_FIELD_BYTES:
            self._part.value += data[start:end][:_MAX_FIELD_BYTES]

    def _end(self) -> None:
        if self._part.content is None and self._part.name in _PROJECT_FIELDS and self._part.value:
            self._projects.append(self._part.value[:_MAX_FIELD_BYTES].decode("utf-8", "replace"))

    def _close(self) -> None:
        self._ended = True


async def _receive(form: _Form, receive: Receive, settings: FacadeSettings) -> int:
    """Feeds the whole body to the form; its length. Raises Problem, and ClientDisconnect where it tears."""
    size = 0
    more = True
    refused: Problem | None = None
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > settings.max_upload_bytes:
            refused = refused or problems.body_too_large(settings.max_upload_bytes, inflated=False)
        # A refused body is read on for a while: many clients write all of it before they read an answer.
        if size > settings.max_upload_bytes + settings.drain_bytes:
            break
        if refused is None:
            try:
                form.feed(piece)
            except Problem as problem:
                refused = problem
    if refused is not None:
        refused.headers = (*refused.headers, ("connection", "close")) if more else refused.headers
        raise refused
    form.finish()
    return size


def _boundary(headers: Headers) -> bytes:
    given = headers.get("content-type", "")
    media, options = parse_options_header(given)
    boundary = options.get(b"boundary", b"")
    if media != b"multipart/form-data" or not boundary:
        raise problems.not_multipart(given)
    return boundary


def _extended(header: bytes, piece: bytes) -> bytes:
    if len(header) + len(piece) > _MAX_HEADER_BYTES:
        raise problems.invalid_multipart()
    return header + piece
