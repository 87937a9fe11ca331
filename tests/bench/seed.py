"""Fills an app with many events in little time: the rows that ingest would store, committed in large groups past both doors."""

import random
from collections.abc import Iterator, Sequence
from uuid import uuid4

from healthguard.v1 import event_service_pb2 as event_service_pb
from sqlmodel import Session, col, select

from server import clock
from server.ingest.prepare import Judged, prepare
from server.store import bulk, events as store_events
from server.store.engine import Engine
from server.store.events import NewEvent, Submission
from server.store.sequence import Sequence as IdSequence
from server.store.tables import AppRow
from tests.bench.grpc_client import Template
from tests.bench.workload import event_id

COMMIT_EVENTS = 4_000
"""As many as the collector puts into one transaction at most."""

SHARD = 0
"""The collector's own first writer, which has nothing to do meanwhile."""


def fill(url: str, app_key: str, requests: Sequence[bytes], events: int, span_ms: int) -> None:
    """Store so many events made from the serialised requests, each at a time of its own within `span_ms` before now."""
    store, ids = Engine(url), IdSequence()
    try:
        with Session(store.sync_engine()) as session:
            app_id = session.exec(select(col(AppRow.id)).where(AppRow.app_key == app_key)).one()
        group: list[NewEvent] = []
        for made in _made(requests, app_id or 0, span_ms):
            group += made[: events - len(group)]
            if len(group) >= min(COMMIT_EVENTS, events):
                _commit(store, Submission(app_id or 0, clock.now_ms() // 60_000, group), ids)
                events -= len(group)
                group = []
            if not events:
                return
    finally:
        store.close()


def _commit(store: Engine, submission: Submission, ids: IdSequence) -> None:
    with bulk.transaction(store.sync_engine()) as transaction:
        store_events.commit(transaction, [submission], ids, SHARD)


def _made(requests: Sequence[bytes], app_id: int, span_ms: int) -> Iterator[list[NewEvent]]:
    """The events of one request after the other, without end."""
    templates, dice, prefix = [Template(request) for request in requests], random.Random(7), uuid4().hex[:8]
    number = 0
    while True:
        request = templates[number % len(templates)].fill(prefix, number)
        now_ms, judged = clock.now_ms(), []
        events = event_service_pb.IngestEventsRequest.FromString(request).events
        for index, event in enumerate(events, number * len(events)):
            time_ms = now_ms - dice.randrange(span_ms)
            event.event_id = event_id(prefix, index, time_ms)
            event.timestamp.FromMilliseconds(time_ms)
            judged.append(Judged(event, event.SerializeToString(), time_ms))
        yield prepare(judged, app_id, now_ms)
        number += 1
