"""What an event measured: the value of a metric, or how long a request took and whether it failed."""

import math
import re
from typing import Final

from healthguard.v1 import event_pb2 as event_pb

from server.ingest.grouping.masks import mask_path
from server.ingest.grouping.pathname import pathname
from server.ingest.storable import storable
from server.store.performance import REQUEST, Measurement

MAX_PATH: Final = 200
"""Characters of a path template: as many as tell requests apart for a reader, and few enough for a key."""

# Words as HTTP and WebDAV have them; whatever else a client sends is no method.
_METHOD: Final = re.compile(r"[A-Z][A-Z-]{0,15}")

_SUCCEEDED, _FAILED = "good", "poor"


def measurement_of(event: event_pb.Event, kind: str) -> Measurement | None:
    """What a performance or http event measured; None where it did not."""
    if kind == "performance":
        return _metric(event)
    return _request(event) if kind == "http" and event.url else None


def method_and_path(name: str) -> tuple[str, str]:
    """Take the name of a request apart; one without a method is all path."""
    method, _, path = name.partition(" ")
    return (method, path) if path and _METHOD.fullmatch(method) else ("", name)


def _metric(event: event_pb.Event) -> Measurement | None:
    """None without a name or a number that can be ordered."""
    if not event.name or not event.HasField("value") or not math.isfinite(event.value):
        return None
    return Measurement(storable(event.name), event.value, event.rating)


def _request(event: event_pb.Event) -> Measurement:
    """Requests without a duration count as well. They go by the template of failed requests' issues."""
    method = event.method.upper()
    path = mask_path(pathname(event.url))[:MAX_PATH]
    name = storable(f"{method} {path}" if _METHOD.fullmatch(method) else path)
    duration = event.duration if event.HasField("duration") else -1.0
    measured = duration if 0 <= duration < math.inf else None
    rating = "" if not event.HasField("success") else _SUCCEEDED if event.success else _FAILED
    return Measurement(name, measured, rating, REQUEST)
