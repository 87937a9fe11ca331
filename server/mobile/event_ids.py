"""The ids of events that follow from recorded sessions: crashes and failed network calls.

They come from what these say and from whom, never from the session or the message they came in: a crash arrives by append
and again by late, under the token of the session after and with another index, and is still one event.
"""

import hashlib

from server.mobile.signals import Crash, NetworkCall


def crash_id(crash: Crash, user_uuid: str) -> str:
    """The id of a crash of this installation."""
    return f"crash_{_digest(crash.key, user_uuid)}"


def call_id(call: NetworkCall, user_uuid: str) -> str:
    """The id of a call by this installation."""
    said = (call.timestamp_ms, call.method, call.url, call.status, call.duration_ms)
    return f"call_{_digest(*map(str, said), user_uuid)}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\xff".join(parts).encode()).hexdigest()[:32]
