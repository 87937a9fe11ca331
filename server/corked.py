"""A connection's way out that sends in one go what one turn of the event loop wrote."""

import asyncio
from typing import Any

MOST_UNSENT_BYTES = 65_536
"""More is sent at once, so that flow control hears of a long body while it is written."""


class Corked:
    """Stands in front of a transport.

    uvicorn writes an answer's head and body apart, and uvloop sends each write at once. Together they are one packet, one
    system call, and one time less that the loop has to ask for the interpreter's lock.
    """

    __slots__ = ("_loop", "_transport", "_unsent", "_unsent_bytes")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0

    def write(self, data: bytes) -> None:
        """Send these bytes with those before them, before the loop looks for anything new."""
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent.append(data)
        self._unsent_bytes += len(data)
        if self._unsent_bytes > MOST_UNSENT_BYTES:
            self._send()

    def close(self) -> None:
        """Send what is left, then close."""
        self._send()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- all else is the transport's
        return getattr(self._transport, name)

    def _send(self) -> None:
        unsent, self._unsent, self._unsent_bytes = self._unsent, [], 0
        if unsent and not self._transport.is_closing():
            self._transport.writelines(unsent)
