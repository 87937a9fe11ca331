"""Decides whether one event can be taken, and at what time it counts."""

from operator import attrgetter, gt

from healthguard.v1 import event_pb2 as event_pb

from server.ingest.limits import (
    MAX_AHEAD_MS,
    MAX_BREADCRUMBS,
    MAX_EVENT_ID,
    MAX_IDENTITY,
    MAX_NAME,
    MAX_SECONDS,
    MAX_SESSION_ID,
    MAX_TEXT,
    MAX_WORD,
    MIN_SECONDS,
    NANOS_PER_SECOND,
)

# Field -> (name in the client's JSON, most characters). These may become columns or index keys.
_IDENTIFIERS = {
    "event_id": ("eventId", MAX_EVENT_ID),
    "type": ("type", MAX_WORD),
    "platform": ("platform", MAX_WORD),
    "session_id": ("sessionId", MAX_SESSION_ID),
    "anonymous_id": ("anonymousId", MAX_IDENTITY),
    "user_id": ("userId", MAX_IDENTITY),
    "sdk_version": ("sdkVersion", MAX_WORD),
    "release": ("release", MAX_IDENTITY),
    "environment": ("environment", MAX_WORD),
    "fingerprint": ("fingerprint", MAX_IDENTITY),
    "error_type": ("errorType", MAX_WORD),
    "method": ("method", MAX_WORD),
    "name": ("name", MAX_NAME),
    "rating": ("rating", MAX_WORD),
}
_TEXTS = {
    "page_url": ("pageUrl", MAX_TEXT),
    "page": ("page", MAX_TEXT),
    "scene": ("scene", MAX_TEXT),
    "message": ("message", MAX_TEXT),
    "stack": ("stack", MAX_TEXT),
    "filename": ("filename", MAX_TEXT),
    "url": ("url", MAX_TEXT),
    "error_message": ("errorMessage", MAX_TEXT),
}
# Reading all strings in one C call and comparing their lengths in another costs half of a Python loop over them.
_BOUNDED = tuple((_IDENTIFIERS | _TEXTS).values())
_LIMITS = tuple(limit for _, limit in _BOUNDED)
_read_strings = attrgetter(*_IDENTIFIERS, *_TEXTS)


def judge(event: event_pb.Event, app_key: str) -> event_pb.FieldFault | None:
    """Return the first reason why `event`, sent in a batch of `app_key`, cannot be taken; None if it can.

    Asked of an event: an id, a type, a time, no foreign app key, and the bounds of `limits`. Unknown types, platforms
    and fields, missing texts, NaN and infinite numbers are all fine.
    """
    if event.faults:
        return event.faults[0]
    return _identity_fault(event, app_key) or _time_fault(event) or _bound_fault(event)


def event_time_ms(event: event_pb.Event, received_ms: int, max_age_ms: int) -> int:
    """Return when `event` counts as having happened, in epoch milliseconds rounded down.

    That is the client's timestamp where it is at most five minutes ahead of `received_ms` and at most `max_age_ms`
    behind it, and `received_ms` otherwise.
    """
    timestamp = event.timestamp
    client_ms = timestamp.seconds * 1000 + timestamp.nanos // 1_000_000
    plausible = received_ms - max_age_ms <= client_ms <= received_ms + MAX_AHEAD_MS
    return client_ms if plausible else received_ms


def _identity_fault(event: event_pb.Event, app_key: str) -> event_pb.FieldFault | None:
    if not event.event_id:
        return _fault("eventId", "EVENT_ID_REQUIRED", "eventId is required")
    if not event.type:
        return _fault("type", "TYPE_REQUIRED", "type is required")
    if event.HasField("app_key") and event.app_key != app_key:
        return _fault("appKey", "APP_KEY_MISMATCH", "appKey must equal the appKey of the batch")
    return None


def _time_fault(event: event_pb.Event) -> event_pb.FieldFault | None:
    if not event.HasField("timestamp"):
        return _fault("timestamp", "TIMESTAMP_REQUIRED", "timestamp is required")
    timestamp = event.timestamp
    if MIN_SECONDS <= timestamp.seconds <= MAX_SECONDS and 0 <= timestamp.nanos < NANOS_PER_SECOND:
        return None
    return _fault("timestamp", "INVALID_TIMESTAMP", "timestamp must lie within the years 1 to 9999")


def _bound_fault(event: event_pb.Event) -> event_pb.FieldFault | None:
    strings = _read_strings(event)
    if any(map(gt, map(len, strings), _LIMITS)):
        return _too_long(strings)
    # PostgreSQL stores no NUL in text: one such id would fail the transaction of every event beside it.
    if "\0" in "".join(strings[: len(_IDENTIFIERS)]):
        return _holds_nul(strings)
    if len(event.breadcrumbs) > MAX_BREADCRUMBS:
        return _fault("breadcrumbs", "TOO_LONG", f"breadcrumbs holds more than {MAX_BREADCRUMBS} items")
    return None


def _too_long(strings: tuple[str, ...]) -> event_pb.FieldFault:
    field, limit = next(bound for text, bound in zip(strings, _BOUNDED, strict=True) if len(text) > bound[1])
    return _fault(field, "TOO_LONG", f"{field} is longer than {limit} characters")


def _holds_nul(strings: tuple[str, ...]) -> event_pb.FieldFault:
    field = next(field for text, (field, _) in zip(strings, _BOUNDED, strict=True) if "\0" in text)
    return _fault(field, "INVALID_CHARACTER", f"{field} must not hold a NUL character")


def _fault(field: str, code: str, message: str) -> event_pb.FieldFault:
    return event_pb.FieldFault(field=field, code=code, message=message)
