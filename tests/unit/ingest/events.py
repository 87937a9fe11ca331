"""Events to feed the ingest functions with: made here, or translated from what an SDK sent."""

from typing import Any

from google.protobuf import json_format
from healthguard.v1 import event_pb2 as event_pb

NOW_MS = 1_790_000_000_000
_FIELDS = frozenset(field.json_name for field in event_pb.Event.DESCRIPTOR.fields)


def make_event(**fields: Any) -> event_pb.Event:
    """An error event that can be taken, with `fields` set on top."""
    event = event_pb.Event(**({"event_id": "evt_1", "type": "error"} | fields))
    if "timestamp" not in fields:
        event.timestamp.FromMilliseconds(NOW_MS)
    return event


def event_from_json(sent: dict[str, Any]) -> event_pb.Event:
    """The event that an SDK sent as JSON; what no field can hold goes to `extra`."""
    fields = {name: value for name, value in _clean(sent).items() if value is not None}
    unknown = {name: value for name, value in fields.items() if not _fits(name, value)}
    event = json_format.ParseDict({name: fields[name] for name in fields.keys() - unknown.keys()}, event_pb.Event())
    if unknown:
        event.extra.update(unknown)
    return event


def _fits(name: str, value: Any) -> bool:
    return name in _FIELDS and not (name == "status" and (value != int(value) or abs(value) > 2**31))


def _clean(value: Any) -> Any:
    """The value with times as protobuf's JSON wants them and halves of surrogate pairs replaced, as the door does it."""
    if isinstance(value, dict):
        return {key: _time(item) if key == "timestamp" else _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _time(milliseconds: Any) -> str:
    event = event_pb.Event()
    event.timestamp.FromMilliseconds(int(milliseconds))
    return event.timestamp.ToJsonString()
