"""Prometheus counters: what ingest keeps beside the ledger, and what was removed."""

from collections.abc import Iterable, Mapping
from functools import cache

from healthguard.v1 import event_pb2 as event_pb
from prometheus_client import Counter

from server.store.counters import DUPLICATE, REJECTED, STORED

INGESTED_EVENTS = Counter(
    "healthguard_ingested_events", "Events by outcome and reason, as in the ledger.", ["outcome", "reason"]
)

SESSION_BATCHES = Counter(
    "healthguard_session_batches",
    "Batches of recorded sessions by outcome and how well they could be read.",
    ["outcome", "reading"],
)
SESSION_IMAGES = Counter("healthguard_session_images", "Screenshots stored.")

REFUSALS = Counter("healthguard_refusals", "Calls that were refused, by reason; limits are among them.", ["reason"])

REMOVED_EVENTS = Counter(
    "healthguard_removed_events",
    "Stored events that were removed, by what demanded it: retention or budget.",
    ["reason"],
)


# Finding a series by its labels takes a lock each time; outcomes and codes are few.
_series = cache(INGESTED_EVENTS.labels)


def count_verdicts(stored: Iterable[bool], faults: Mapping[int, event_pb.FieldFault]) -> None:
    """Count one request's events after its transaction is durable."""
    flags = list(stored)
    new = sum(flags)
    _series(STORED, "").inc(new)
    _series(DUPLICATE, "").inc(len(flags) - new)
    for fault in faults.values():
        _series(REJECTED, fault.code).inc()
