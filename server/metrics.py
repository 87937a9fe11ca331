"""Prometheus counters: what ingest keeps beside the ledger, and what was removed."""

from collections.abc import Collection, Mapping
from functools import cache

from prometheus_client import Counter

from server.store.counters import DUPLICATE, STORED

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
_stored, _duplicate = INGESTED_EVENTS.labels(STORED, ""), INGESTED_EVENTS.labels(DUPLICATE, "")


def count_verdicts(stored: Collection[bool], others: Mapping[tuple[str, str], int]) -> None:
    """Count one request's events after its transaction is durable; `others` by outcome and reason."""
    new = sum(stored)
    if new:
        _stored.inc(new)
    if new < len(stored):
        _duplicate.inc(len(stored) - new)
    for (outcome, reason), events in others.items():
        _series(outcome, reason).inc(events)
