"""Events that follow from recorded sessions: crashes and, where the app reports them, failed network calls.

Their ids come from what they say and from whom, never from the session or the message they came in: a crash arrives by
append and again by late, under the token of the session after and with another index, and is still one event.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Final

from healthguard.v1 import event_pb2 as event_pb

from server.ingest.limits import MAX_IDENTITY, MAX_TEXT, MAX_WORD
from server.ingest.prepare import event_key
from server.mobile.codec import is_android
from server.mobile.reading import MAX_INT64, Reading
from server.mobile.signals import Crash, NetworkCall
from server.store.sessions import Recorded
from server.store.signals import CRASH, FAILED_REQUEST, MAX_LABEL, NewSignal

_LAST_MS: Final = 253_402_300_799_999
"""What a Timestamp can hold; a later time counts as the receive time anyway."""

_NO_RELEASE: Final = "N/A"
"""What Android's tracker sends for want of a revision."""

MAX_CALLS: Final = 500
"""Failed network calls of one batch that become events; a batch covers five seconds."""


def signals_of(reading: Reading, user_uuid: str) -> list[NewSignal]:
    """The crashes and failed calls of a batch as signals of its session, each with the key of its event."""
    return [
        *(_crash_signal(crash, user_uuid) for crash in reading.crashes),
        *(_call_signal(call, user_uuid) for call in reading.failed_calls[:MAX_CALLS]),
    ]


def events_of(reading: Reading, session: Recorded) -> Iterator[event_pb.Event]:
    """The same as events of that session."""
    for crash in reading.crashes:
        yield _crash_event(crash, session)
    for call in reading.failed_calls[:MAX_CALLS]:
        yield _call_event(call, session)


def _crash_signal(crash: Crash, user_uuid: str) -> NewSignal:
    key = event_key(_crash_id(crash, user_uuid))
    time_ms = min(crash.timestamp_ms, MAX_INT64)
    return NewSignal(CRASH, _name(key), time_ms, time_ms, _storable(crash.name, MAX_LABEL), event_key=key)


def _call_signal(call: NetworkCall, user_uuid: str) -> NewSignal:
    key = event_key(_call_id(call, user_uuid))
    start_ms = min(call.timestamp_ms, MAX_INT64)
    end_ms = min(start_ms + call.duration_ms, MAX_INT64)
    label = _storable(f"{call.method} {call.url}", MAX_LABEL)
    return NewSignal(FAILED_REQUEST, _name(key), start_ms, end_ms, label, event_key=key)


def _name(key: bytes) -> str:
    """The key of an event as a signal's own."""
    return urlsafe_b64encode(key).decode()


def _crash_event(crash: Crash, session: Recorded) -> event_pb.Event:
    event = _event(_crash_id(crash, session.user_uuid), "error", crash.timestamp_ms, session)
    event.error_type = "native"
    event.message = ": ".join(part for part in (crash.name, crash.reason) if part)[:MAX_TEXT]
    event.stack = crash.stacktrace[:MAX_TEXT]
    return event


def _call_event(call: NetworkCall, session: Recorded) -> event_pb.Event:
    event = _event(_call_id(call, session.user_uuid), "http", call.timestamp_ms, session)
    event.method = call.method[:MAX_WORD]
    event.url = call.url[:MAX_TEXT]
    event.duration = call.duration_ms
    event.success = False
    if 0 < call.status < 2**31:
        event.status = call.status
    return event


def _event(event_id: str, kind: str, time_ms: int, session: Recorded) -> event_pb.Event:
    """What both kinds share: who, where, when, and the way back to the session."""
    event = event_pb.Event(
        event_id=event_id,
        type=kind,
        platform="android" if is_android(session.platform) else "ios",
        session_id=str(session.id),
        anonymous_id=(session.anonymous_id or session.user_uuid)[:MAX_IDENTITY],
        sdk_version=session.tracker_version[:MAX_WORD],
    )
    event.timestamp.FromMilliseconds(min(time_ms, _LAST_MS))
    if session.user_id:
        event.user_id = session.user_id[:MAX_IDENTITY]
    if session.release not in {"", _NO_RELEASE}:
        event.release = session.release[:MAX_IDENTITY]
    event.device_info.model = session.device
    event.device_info.system = f"{'Android' if is_android(session.platform) else 'iOS'} {session.os_version}".strip()
    event.extra.update({"replay": _way_back(session.id, min(time_ms, _LAST_MS))})
    return event


def _way_back(session_id: int, time_ms: int) -> dict[str, str | int]:
    """The session and the instant, and where they can be read."""
    path = f"/api/sessions/{session_id}"
    return {
        "sessionId": str(session_id),
        "at": time_ms,
        "url": path,
        "screenshotUrl": f"{path}/screenshot?at={time_ms}",
    }


def _crash_id(crash: Crash, user_uuid: str) -> str:
    return f"crash_{_digest(crash.key, user_uuid)}"


def _call_id(call: NetworkCall, user_uuid: str) -> str:
    said = (call.timestamp_ms, call.method, call.url, call.status, call.duration_ms)
    return f"call_{_digest(*map(str, said), user_uuid)}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\xff".join(parts).encode()).hexdigest()[:32]


def _storable(text: str, limit: int) -> str:
    return text[:limit].replace("\0", "\ufffd")
