"""What a servicer sees of a call that arrives without a network; behaves like the context of `grpc.aio`."""

# ruff: noqa: ANN401, ARG002 - the signatures are those of grpc.aio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, NoReturn, cast

import grpc
import grpc.aio

# The metadata entry in which the REST door tells who is calling; part of `peer()`.
_CLIENT_KEY = "x-forwarded-for"

_Entries = tuple[tuple[str, str | bytes], ...]


class Metadatum(NamedTuple):
    """One entry of metadata, as `grpc.aio` presents it to servicers."""

    key: str
    value: str | bytes


class InProcessContext(grpc.aio.ServicerContext):  # type: ignore[type-arg]  # the stub package leaves it generic, the runtime does too
    """What a servicer sees of one in-process call."""

    # Defaults live in the class: most calls change two of them.
    _code: grpc.StatusCode = grpc.StatusCode.OK
    _details = ""
    _initial: _Entries = ()
    _trailing: _Entries = ()
    _aborted = False
    _cancelled = False
    _done = False
    _callbacks: tuple[Callable[[Any], None], ...] = ()

    def __init__(self, metadata: tuple[Metadatum, ...], timeout: float | None) -> None:
        self._metadata = metadata
        self._deadline = None if timeout is None else time.monotonic() + timeout

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: Iterable[Any] = ()) -> NoReturn:
        if self._aborted:
            raise grpc.aio.UsageError("Abort already called!")
        self._aborted = True
        # grpc.aio turns an abort with OK, which is a programming error, into UNKNOWN.
        self._code = code if code is not grpc.StatusCode.OK else grpc.StatusCode.UNKNOWN
        self._details = details or self._details
        self._trailing = tuple(trailing_metadata) or self._trailing
        raise grpc.aio.AbortError("Locally aborted.")

    async def abort_with_status(self, status: grpc.Status) -> NoReturn:
        await self.abort(status.code, status.details, cast("Iterable[Any]", status.trailing_metadata or ()))

    async def send_initial_metadata(self, initial_metadata: Iterable[Any]) -> None:
        self._initial = tuple(initial_metadata)

    async def read(self) -> NoReturn:
        raise grpc.aio.UsageError("in-process handlers read their request iterator")

    async def write(self, message: object) -> NoReturn:
        raise grpc.aio.UsageError("in-process handlers yield their responses")

    def set_trailing_metadata(self, trailing_metadata: Iterable[Any]) -> None:
        self._trailing = tuple(trailing_metadata)

    def trailing_metadata(self) -> Any:
        return self._trailing

    def initial_metadata(self) -> _Entries:
        """The metadata the servicer sent ahead of its answer."""
        return self._initial

    def invocation_metadata(self) -> Any:
        return self._metadata

    def set_code(self, code: grpc.StatusCode) -> None:
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code

    def set_details(self, details: str) -> None:
        self._details = details

    def details(self) -> str:
        return self._details

    def set_compression(self, compression: grpc.Compression) -> None:
        """Nothing is serialised, so there is nothing to compress."""

    def disable_next_message_compression(self) -> None:
        """Nothing is serialised, so there is nothing to compress."""

    def peer(self) -> str:
        """`inprocess:` and the client's address as the calling door reports it."""
        for key, value in self._metadata:
            if key == _CLIENT_KEY:
                return f"inprocess:{value!s}"
        return "inprocess:"

    def peer_identities(self) -> None:
        return None

    def peer_identity_key(self) -> None:
        return None

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        return {}

    def time_remaining(self) -> Any:
        """Seconds until the deadline, never negative; None without one."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self._callbacks = (*self._callbacks, callback)

    def cancelled(self) -> bool:
        return self._cancelled

    def done(self) -> bool:
        return self._done

    @property
    def aborted(self) -> bool:
        """Whether the servicer aborted; holds even where it swallowed the exception that `abort` raises."""
        return self._aborted

    def check_deadline(self) -> None:
        """Raises TimeoutError where the deadline had passed before the call began."""
        if self._deadline is not None and self._deadline <= time.monotonic():
            raise TimeoutError

    def finish(self, *, cancelled: bool) -> None:
        """Marks the call as over and tells those who asked to know."""
        self._cancelled = cancelled
        self._done = True
        for callback in self._callbacks:
            callback(self)

    def fail(self, code: grpc.StatusCode, details: str) -> None:
        """Sets the status of a call whose handler did not."""
        self._code, self._details = code, details

    def error(self) -> grpc.aio.AioRpcError:
        """The error a caller gets for what the servicer said."""
        return grpc.aio.AioRpcError(
            self._code, grpc.aio.Metadata(*self._initial), grpc.aio.Metadata(*self._trailing), details=self._details
        )
