"""Page tokens: the place in a list, signed, so that a client can neither make one up nor take it to another list."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Self

import orjson

from server import secret
from server.config import Settings
from server.errors import InvalidPageToken

_MAC_BYTES = 16
_LONGEST = 512


class PageTokens:
    """Signs positions and opens them again. Workers of one installation share the key, so any of them can open."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"page tokens", "sha256")

    @classmethod
    def load(cls, settings: Settings) -> Self:
        """With the installation's secret."""
        return cls(secret.load(settings))

    def sign(self, values: Sequence[int], scope: str) -> str:
        """A token for the position `values` in the list that `scope` describes: its caller and filter."""
        payload = orjson.dumps(list(values))
        return base64.urlsafe_b64encode(self._mac(payload, scope) + payload).decode().rstrip("=")

    def open(self, token: str, scope: str) -> list[int]:
        """The values signed for the same scope. Raises InvalidPageToken."""
        try:
            raw = base64.b64decode(token[:_LONGEST] + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidPageToken from error
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(payload, scope)):
            raise InvalidPageToken
        values: list[int] = orjson.loads(payload)
        return values

    def _mac(self, payload: bytes, scope: str) -> bytes:
        digest = hashlib.sha256(scope.encode(errors="surrogatepass")).digest()
        return hmac.digest(self._key, digest + payload, "sha256")[:_MAC_BYTES]
