"""What an event goes by in every table: a hash of its id."""

from base64 import urlsafe_b64encode
from hashlib import blake2b


def event_key(event_id: str) -> bytes:
    """120 bits of a hash of the id: short, and of one length."""
    return blake2b(event_id.encode(), digest_size=15).digest()


def key_name(key: bytes) -> str:
    """The same as 20 characters, which is how a signal of a recorded session is named after its event."""
    return urlsafe_b64encode(key).decode()
