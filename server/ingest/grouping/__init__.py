"""Says which issue an event belongs to, and why."""

from dataclasses import dataclass
from types import ModuleType

from healthguard.v1 import event_pb2 as event_pb

from server.ingest.grouping import v1
from server.ingest.grouping.inputs import Input
from server.ingest.grouping.title import error_title, request_title

SDK_VERSION = "sdk"
HTTP_ERROR_TYPE = "http"
# Every version that ever made a fingerprint, so that old issues stay explainable.
VERSIONS: dict[str, ModuleType] = {v1.VERSION: v1}
_UNNAMED_ERROR_TYPE = "error"


@dataclass(frozen=True, slots=True)
class Grouping:
    """The issue of an event: its identity within the app, who computed it, and what a new issue is called."""

    fingerprint: str
    version: str
    title: str
    error_type: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a fingerprint came about."""

    fingerprint: str
    version: str
    inputs: tuple[Input, ...]


def group(event: event_pb.Event) -> Grouping | None:
    """Return the issue that `event` belongs to; None if it makes none, as only errors and failed requests do.

    An error goes by the SDK's fingerprint where it has one. A failed request always goes by ours.
    """
    kind = event.type
    if kind == "error":
        given = event.fingerprint
        fingerprint, version = (given, SDK_VERSION) if given else (v1.error_fingerprint(event), v1.VERSION)
        return Grouping(fingerprint, version, error_title(event), event.error_type or _UNNAMED_ERROR_TYPE)
    if kind == "http" and _has_failed(event):
        return Grouping(v1.request_fingerprint(event), v1.VERSION, request_title(event), HTTP_ERROR_TYPE)
    return None


def explain(event: event_pb.Event) -> Explanation | None:
    """Return how `group` came to its fingerprint for `event`; None where there is none."""
    grouping = group(event)
    if grouping is None:
        return None
    if grouping.version == SDK_VERSION:
        inputs = [Input("fingerprint", grouping.fingerprint, grouping.fingerprint)]
    elif event.type == "http":
        inputs = v1.request_inputs(event)
    else:
        inputs = v1.error_inputs(event)
    return Explanation(grouping.fingerprint, grouping.version, tuple(inputs))


def _has_failed(event: event_pb.Event) -> bool:
    """Return whether the client called the request a failure; one that does not say so is none."""
    return event.HasField("success") and not event.success
