"""An answer on its way to the client: by the server's short cut, or as two ASGI messages."""

from typing import NamedTuple

from starlette.types import Send

from rest_facade.exchange import Exchange, RawHeaders

_NO_CONTENT = frozenset({204, 304})


class Reply(NamedTuple):
    """Status, headers beside the length, and body."""

    status: int
    headers: RawHeaders = ()
    body: bytes = b""

    async def send(self, exchange: Exchange, send: Send) -> None:
        """Sends the answer."""
        headers = self.headers
        if self.status not in _NO_CONTENT:
            headers = (*headers, (b"content-length", b"%d" % len(self.body)))
        if exchange.answered(self.status, headers, self.body):
            return
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})
