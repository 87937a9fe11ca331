"""Bearer tokens and ids: random enough that nobody can guess one."""

import hashlib
import secrets

_CHARACTERS = 21
"""126 random bits in the url-safe alphabet, the length that clients of the documented API know."""


def new_id(prefix: str) -> str:
    """`prefix`, `_` and 21 random characters."""
    return f"{prefix}_{secrets.token_urlsafe(16)[:_CHARACTERS]}"


def token_hash(token: str) -> bytes:
    """What the store knows of a bearer token: 126 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).digest()
