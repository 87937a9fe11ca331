"""Masks secrets in an event before anything else sees it."""

from collections.abc import Callable, Sequence
from operator import attrgetter

from google.protobuf import struct_pb2
from healthguard.v1 import event_pb2 as event_pb

from server.ingest.limits import MAX_DEPTH
from server.ingest.scrub_names import is_secret_name
from server.ingest.scrub_signs import may_need_scrub
from server.ingest.scrub_text import MASK, is_masked, mask_text

_ADDRESSES = ("page_url", "page", "filename", "url")
_TEXTS = ("message", "stack", "error_message")
# One C call for all of them: an event that has nothing to mask pays for no loop over its fields.
_read_strings: Callable[[event_pb.Event], tuple[str, ...]] = attrgetter(*_ADDRESSES, *_TEXTS)


def scrubbed(sent: Sequence[tuple[event_pb.Event, bytes]]) -> list[bytes]:
    """Return events, given with how they are serialised, serialised without their secrets; the events lose them too."""
    messages = [message for _, message in sent]
    # What has a sign within has it within all of them too; to ask for all at once costs a quarter less.
    if len(messages) > 1 and not may_need_scrub(b"".join(messages)):
        return messages
    return [
        event.SerializeToString() if may_need_scrub(message) and scrub(event) else message for event, message in sent
    ]


def scrub(event: event_pb.Event) -> int:
    """Mask the secrets of `event` in place and return how many values were masked.

    Addresses, texts, breadcrumbs and free data are searched, the latter at every depth. Ids and identities are never
    touched. Scrubbing twice is scrubbing once. Data that nests deeper than `MAX_DEPTH` is masked unseen.
    """
    total = _scrub_strings(event)
    for crumb in event.breadcrumbs:
        total += _scrub_breadcrumb(crumb)
    if event.HasField("breadcrumb"):
        total += _scrub_breadcrumb(event.breadcrumb)
    if event.HasField("context"):
        total += _scrub_struct(event.context, MAX_DEPTH)
    if event.HasField("request_data"):
        total += _scrub_struct(event.request_data, MAX_DEPTH)
    if event.HasField("extra"):
        total += _scrub_struct(event.extra, MAX_DEPTH)
    if event.HasField("device_info") and event.device_info.HasField("extra"):
        total += _scrub_struct(event.device_info.extra, MAX_DEPTH)
    return total


def _scrub_strings(event: event_pb.Event) -> int:
    total = 0
    for position, text in enumerate(_read_strings(event)):
        if text:
            is_address = position < len(_ADDRESSES)
            masked, count = mask_text(text, is_url=is_address)
            if count:
                setattr(event, (_ADDRESSES + _TEXTS)[position], masked)
                total += count
    return total


def _scrub_breadcrumb(crumb: event_pb.Breadcrumb) -> int:
    masked, total = mask_text(crumb.message)
    if total:
        crumb.message = masked
    if crumb.HasField("data"):
        total += _scrub_struct(crumb.data, MAX_DEPTH)
    if crumb.HasField("extra"):
        total += _scrub_struct(crumb.extra, MAX_DEPTH)
    return total


def _scrub_struct(struct: struct_pb2.Struct, depth: int) -> int:
    total = 0
    for name, value in struct.fields.items():
        total += _mask_value(value) if is_secret_name(name) else _scrub_value(value, depth)
    return total


def _scrub_value(value: struct_pb2.Value, depth: int) -> int:
    # Most values are texts, and a text costs no more to read than its kind; every other kind reads as an empty one.
    if text := value.string_value:
        masked, count = mask_text(text)
        if count:
            value.string_value = masked
        return count
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _scrub_struct(value.struct_value, depth - 1) if depth > 1 else _mask(value)
    if kind == "list_value":
        return _scrub_list(value.list_value, depth - 1) if depth > 1 else _mask(value)
    return 0


def _scrub_list(values: struct_pb2.ListValue, depth: int) -> int:
    return sum(_scrub_value(value, depth) for value in values.values)


def _mask_value(value: struct_pb2.Value) -> int:
    """Mask the value of a secret name, whatever it is; true, false, null and nothing give nothing away."""
    kind = value.WhichOneof("kind")
    if kind in {"bool_value", "null_value", None}:
        return 0
    if kind == "string_value" and (not value.string_value or is_masked(value.string_value)):
        return 0
    return _mask(value)


def _mask(value: struct_pb2.Value) -> int:
    value.string_value = MASK
    return 1
