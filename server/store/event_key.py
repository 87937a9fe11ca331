"""What an event goes by in every table: a hash of its id, near those of events that happened at the same time."""

from base64 import urlsafe_b64encode
from hashlib import blake2b
from typing import Final

SDK_ID: Final = b"evt_"
"""HealthGuard's SDKs name an event by this, some random characters, and its time: eight digits, base 36, in milliseconds."""

_TIME: Final = slice(-8, -2)
"""To the 1.3 seconds: a commit writes each page of the index that its keys fall on, which is one for each event where keys are
spread over a million others, and a few where they are not."""

_TIME_BYTES: Final = 6
_BYTES: Final = 15


def event_key(event_id: str) -> bytes:
    """What stands for an id in 120 bits: a hash, and before it what may be its time where it looks like an SDK's."""
    name = event_id.encode()
    if name.startswith(SDK_ID):
        return name[_TIME].ljust(_TIME_BYTES) + blake2b(name, digest_size=_BYTES - _TIME_BYTES).digest()
    return blake2b(name, digest_size=_BYTES).digest()


def key_name(key: bytes) -> str:
    """The same as 20 characters, which is how a signal of a recorded session is named after its event."""
    return urlsafe_b64encode(key).decode()
