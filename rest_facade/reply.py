"""An answer on its way to the client: two ASGI messages, made without looking anything up."""

from typing import NamedTuple

from starlette.types import Send

RawHeaders = tuple[tuple[bytes, bytes], ...]

_NO_CONTENT = frozenset({204, 304})


class Reply(NamedTuple):
    """Status, headers beside the length, and body."""

    status: int
    headers: RawHeaders = ()
    body: bytes = b""

    async def send(self, send: Send) -> None:
        """Sends the answer."""
        headers = [*self.headers]
        if self.status not in _NO_CONTENT:
            headers.append((b"content-length", b"%d" % len(self.body)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})
