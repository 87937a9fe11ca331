"""Prometheus counters that ingest keeps beside the ledger."""

from collections.abc import Iterable, Mapping

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


def count_verdicts(stored: Iterable[bool], faults: Mapping[int, event_pb.FieldFault]) -> None:
    """Count one request's events after its transaction is durable."""
    flags = list(stored)
    new = sum(flags)
    INGESTED_EVENTS.labels(STORED, "").inc(new)
    INGESTED_EVENTS.labels(DUPLICATE, "").inc(len(flags) - new)
    for fault in faults.values():
        INGESTED_EVENTS.labels(REJECTED, fault.code).inc()
