"""A batch as it crossed the wire: gzip or not, told by its bytes, unpacked within a bound and as far as it goes."""

import zlib
from dataclasses import dataclass
from typing import Final

_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31  # zlib's way to say: expect a gzip header
# zlib drops what it unpacked from a feed in which it meets damage, so damaged data is fed again in small pieces: 1 MB takes 4,000, some 2 ms.
_FEED_BYTES: Final = 256


class BodyTooLarge(ValueError):
    """A body that is over its bound, packed or unpacked."""


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of a batch, and why they may not be all of them; empty when they are."""

    data: bytes
    fault: str = ""


def unpack(body: bytes, *, limit_bytes: int) -> Body:
    """The batch in `body`. Raises BodyTooLarge beyond `limit_bytes`.

    Trackers name no encoding, or the wrong one, so the first bytes decide: no message has the type 31. Of a damaged gzip
    what came out before the damage is kept, and where nothing came out the body itself: sent again it would be no better.
    """
    if not body.startswith(_GZIP_MAGIC):
        if len(body) > limit_bytes:
            raise BodyTooLarge
        return Body(body)
    data, fault = _inflate(body, limit_bytes)
    return Body(data or body, fault) if fault else Body(data)


def _inflate(body: bytes, limit_bytes: int) -> tuple[bytes, str]:
    """What the gzip data unpacks to, and why it ends early, if it does."""
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    try:
        # In one go: each call gives the interpreter's lock away and has to wait for it.
        data = inflater.decompress(body, limit_bytes + 1)
    except zlib.error as error:
        return _before_damage(body, limit_bytes), f"damaged gzip data: {error}"
    if len(data) > limit_bytes:
        raise BodyTooLarge
    return data, "" if inflater.eof else "gzip data ends early"


def _before_damage(body: bytes, limit_bytes: int) -> bytes:
    """What damaged gzip data unpacks to before the damage."""
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    out = bytearray()
    for at in range(0, len(body), _FEED_BYTES):
        try:
            out += inflater.decompress(body[at : at + _FEED_BYTES], limit_bytes + 1 - len(out))
        except zlib.error:
            break
        if len(out) > limit_bytes:
            raise BodyTooLarge
    return bytes(out)
