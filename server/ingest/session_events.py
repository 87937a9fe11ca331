"""Events that follow from recorded sessions: crashes and, where the app reports them, failed network calls.

Their ids are those of `event_ids`, by which their signals know them too.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from healthguard.v1 import event_pb2 as event_pb

from server.ingest.limits import MAX_IDENTITY, MAX_TEXT, MAX_WORD
from server.mobile.codec import is_android
from server.mobile.event_ids import call_id, crash_id
from server.mobile.signals import Crash, NetworkCall
from server.store.sessions import Recorded

_LAST_MS: Final = 253_402_300_799_999
"""What a Timestamp can hold; a later time counts as the receive time anyway."""

_NO_RELEASE: Final = "N/A"
"""What Android's tracker sends for want of a revision."""


def events_of(
    crashes: Iterable[Crash], failed_calls: Iterable[NetworkCall], session: Recorded
) -> Iterator[event_pb.Event]:
    """What a batch of that session told, as events."""
    for crash in crashes:
        yield _crash_event(crash, session)
    for call in failed_calls:
        yield _call_event(call, session)


def _crash_event(crash: Crash, session: Recorded) -> event_pb.Event:
    event = _event(crash_id(crash, session.user_uuid), "error", crash.timestamp_ms, session)
    event.error_type = "native"
    event.message = ": ".join(part for part in (crash.name, crash.reason) if part)[:MAX_TEXT]
    event.stack = crash.stacktrace[:MAX_TEXT]
    return event


def _call_event(call: NetworkCall, session: Recorded) -> event_pb.Event:
    event = _event(call_id(call, session.user_uuid), "http", call.timestamp_ms, session)
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
