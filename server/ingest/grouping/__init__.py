"""Says which issue an event belongs to, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from healthguard.v1 import event_pb2 as event_pb

from server.ingest.grouping import v1
from server.ingest.grouping.inputs import Input, Masked
from server.ingest.grouping.title import error_title, request_title


class Version(Protocol):
    """What a module has that is a version of the grouping."""

    VERSION: str

    def error_inputs(self, event: event_pb.Event) -> list[Input]: ...
    def error_fingerprint(self, event: event_pb.Event) -> str: ...
    def request_inputs(self, event: event_pb.Event) -> list[Input]: ...
    def request_fingerprint(self, event: event_pb.Event) -> str: ...
    def masked(self, given: Input) -> list[Masked]: ...


SDK_VERSION = "sdk"
HTTP_ERROR_TYPE = "http"
# Every version that ever made a fingerprint, oldest first, so that old issues stay explainable.
VERSIONS: dict[str, Version] = {v1.VERSION: v1}
_UNNAMED_ERROR_TYPE = "error"


class Grouping(NamedTuple):
    """The issue of an event: its identity within the app, who computed it, and what a new issue is called."""

    fingerprint: str
    version: str
    title: str
    error_type: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a fingerprint came about: what it was made of, and which parts of each input were replaced."""

    fingerprint: str
    version: str
    inputs: Sequence[tuple[Input, Sequence[Masked]]]


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


def explain(event: event_pb.Event, version: str = v1.VERSION) -> Explanation | None:
    """Return how `version` comes to a fingerprint for `event`; None where the event makes no issue.

    An SDK's own fingerprint explains itself, whatever the version. Raises KeyError for a version that never was.
    """
    if event.type == "error" and event.fingerprint:
        given = Input("fingerprint", event.fingerprint, event.fingerprint)
        return Explanation(event.fingerprint, SDK_VERSION, [(given, ())])
    fingerprint = fingerprint_by(event, version)
    if fingerprint is None:
        return None
    by = VERSIONS[version]
    inputs = by.error_inputs(event) if event.type == "error" else by.request_inputs(event)
    return Explanation(fingerprint, version, [(given, by.masked(given)) for given in inputs])


def fingerprint_by(event: event_pb.Event, version: str) -> str | None:
    """Return the fingerprint that `version` makes of `event`; None where the event makes no issue."""
    if event.type == "error":
        return VERSIONS[version].error_fingerprint(event)
    return VERSIONS[version].request_fingerprint(event) if event.type == "http" and _has_failed(event) else None


def _has_failed(event: event_pb.Event) -> bool:
    """Return whether the client called the request a failure; one that does not say so is none."""
    return event.HasField("success") and not event.success
