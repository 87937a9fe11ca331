"""Decides whether one event can be taken, and at what time it counts."""

from collections.abc import Callable, Collection
from operator import attrgetter
from typing import NamedTuple

from healthguard.v1 import event_pb2 as event_pb

from server.ingest.limits import (
    MAX_AHEAD_MS,
    MAX_BREADCRUMBS,
    MAX_ID,
    MAX_IDENTITY,
    MAX_SECONDS,
    MAX_TEXT,
    MAX_WORD,
    MIN_SECONDS,
    NANOS_PER_SECOND,
)


class _Bound(NamedTuple):
    """String fields, by their names in JSON, that share the most characters they may have."""

    limit: int
    fields: tuple[str, ...]
    read: Callable[[event_pb.Event], tuple[str, ...]]


def _bound(limit: int, **fields: str) -> _Bound:
    return _Bound(limit, tuple(fields.values()), attrgetter(*fields))


_BOUNDS = (
    _bound(
        MAX_WORD,
        type="type",
        platform="platform",
        sdk_version="sdkVersion",
        environment="environment",
        error_type="errorType",
        method="method",
        rating="rating",
    ),
    _bound(MAX_ID, event_id="eventId", session_id="sessionId", name="name"),
    _bound(
        MAX_IDENTITY,
        anonymous_id="anonymousId",
        user_id="userId",
        release="release",
        fingerprint="fingerprint",
    ),
    _bound(
        MAX_TEXT,
        page_url="pageUrl",
        page="page",
        scene="scene",
        message="message",
        stack="stack",
        filename="filename",
        url="url",
        error_message="errorMessage",
    ),
)

_LEAST_BREADCRUMB_BYTES = 3  # tag and length of an empty one


def judge(event: event_pb.Event, size_bytes: int, app_keys: Collection[str]) -> event_pb.FieldFault | None:
    """Return the first reason why `event`, sent in a batch of the app with `app_keys`, cannot be taken; None if it can.

    `size_bytes` is what it takes serialised. Asked of an event: an id, a type, a time, no foreign app key, and the bounds
    of `limits`. Unknown types, platforms and fields, missing texts, NUL characters, NaN and infinite numbers are all fine.
    """
    if event.faults:
        return event.faults[0]
    return _identity_fault(event, app_keys) or _time_fault(event) or _bound_fault(event, size_bytes)


def event_time_ms(event: event_pb.Event, received_ms: int, max_age_ms: int) -> int:
    """Return when `event` counts as having happened, in epoch milliseconds rounded down.

    That is the client's timestamp where it is at most five minutes ahead of `received_ms` and at most `max_age_ms`
    behind it, and `received_ms` otherwise.
    """
    timestamp = event.timestamp
    client_ms = timestamp.seconds * 1000 + timestamp.nanos // 1_000_000
    plausible = received_ms - max_age_ms <= client_ms <= received_ms + MAX_AHEAD_MS
    return client_ms if plausible else received_ms


def _identity_fault(event: event_pb.Event, app_keys: Collection[str]) -> event_pb.FieldFault | None:
    if not event.event_id:
        return _fault("eventId", "EVENT_ID_REQUIRED", "eventId is required")
    if not event.type:
        return _fault("type", "TYPE_REQUIRED", "type is required")
    if event.app_key not in app_keys and event.HasField("app_key"):
        return _fault("appKey", "APP_KEY_MISMATCH", "appKey must be a key of the batch's app")
    return None


def _time_fault(event: event_pb.Event) -> event_pb.FieldFault | None:
    timestamp = event.timestamp
    seconds = timestamp.seconds
    if not seconds and not event.HasField("timestamp"):
        return _fault("timestamp", "TIMESTAMP_REQUIRED", "timestamp is required")
    if MIN_SECONDS <= seconds <= MAX_SECONDS and 0 <= timestamp.nanos < NANOS_PER_SECOND:
        return None
    return _fault("timestamp", "INVALID_TIMESTAMP", "timestamp must lie within the years 1 to 9999")


def _bound_fault(event: event_pb.Event, size_bytes: int) -> event_pb.FieldFault | None:
    for bound in _BOUNDS:
        if size_bytes <= bound.limit:  # no text has more characters than bytes
            continue
        strings = bound.read(event)
        # Fields that fit their bound together fit it alone, and joining them costs a third of measuring each.
        if len("".join(strings)) > bound.limit and (fault := _length_fault(bound, strings)):
            return fault
    if size_bytes > _LEAST_BREADCRUMB_BYTES * MAX_BREADCRUMBS and len(event.breadcrumbs) > MAX_BREADCRUMBS:
        return _fault("breadcrumbs", "TOO_LONG", f"breadcrumbs holds more than {MAX_BREADCRUMBS} items")
    return None


def _length_fault(bound: _Bound, strings: tuple[str, ...]) -> event_pb.FieldFault | None:
    for field, text in zip(bound.fields, strings, strict=True):
        if len(text) > bound.limit:
            return _fault(field, "TOO_LONG", f"{field} is longer than {bound.limit} characters")
    return None


def _fault(field: str, code: str, message: str) -> event_pb.FieldFault:
    return event_pb.FieldFault(field=field, code=code, message=message)
