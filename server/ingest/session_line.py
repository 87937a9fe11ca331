"""The session line: one straight way from the bytes a tracker sent to a stored batch and the events that follow from it."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import zstandard
from healthguard.v1 import event_pb2 as event_pb, event_service_pb2 as event_service_pb

from server import clock, logs, metrics
from server.errors import BatchTooLarge
from server.ingest.admission import Admission
from server.ingest.limits import MAX_AHEAD_MS
from server.ingest.line import MAX_EVENTS, IngestLine
from server.ingest.session_events import events_of
from server.ingest.session_resolve import SessionResolver
from server.ingest.session_writer import SessionWriter
from server.store import batches as store_batches, sessions
from server.store.batches import DueBatch
from server.store.engine import Engine
from server.store.receiving import MAX_UNPACKED_BYTES, Received, reading_of
from server.store.sessions import MobileApp

MAX_BATCH_BYTES: Final = 1_000_000
"""What trackers are told; they stop at half of it. Counted as it is sent."""

OVERDUE_MS: Final = 60_000
"""How long the events of a batch may take before somebody else sees to them."""

DUE_AT_ONCE: Final = 20


class SessionLine:
    """Takes batches: admit, unpack, read, store, and hand the events on."""

    def __init__(
        self,
        engine: Engine,
        admission: Admission,
        resolver: SessionResolver,
        writer: SessionWriter,
        events: IngestLine,
        now_ms: Callable[[], int] = clock.now_ms,
    ) -> None:
        self._engine = engine
        self._admission = admission
        self._resolver = resolver
        self._writer = writer
        self._events = events
        self._now_ms = now_ms

    async def take(self, app_id: int, session_id: int, body: bytes, *, late: bool) -> None:
        """Store one batch and its events durably; an empty one is nothing.

        Raises BatchTooLarge, InvalidSessionToken where the session is gone, RateLimited, or a kind of Unavailable.
        """
        if len(body) > MAX_BATCH_BYTES:
            raise BatchTooLarge
        if not body:
            return
        with self._admission.carry(app_id, 0, len(body)):
            app, session = await self._resolver.find(app_id, session_id)
            logs.bind(appKey=app.app_key, tracker=session.tracker_version)
            now_ms = self._now_ms()
            taken = await self._writer.submit(
                Received(
                    app_id=app.id,
                    session=session,
                    with_calls=app.reports_failed_calls,
                    body=body,
                    late=late,
                    received_ms=now_ms,
                    latest_ms=now_ms + MAX_AHEAD_MS,
                )
            )
            if taken is None:
                return
            metrics.SESSION_BATCHES.labels("stored" if taken.is_new else "duplicate", taken.status.value).inc()
            events = events_of(taken.crashes, taken.failed_calls, taken.session)
            await self._raise_events(app, taken.session.id, taken.content, events)

    async def finish_due(self, before_ms: int) -> int:
        """Hand on the events of batches whose process died between the two commits; how many batches there were."""
        due = await self._engine.read(store_batches.due, before_ms, DUE_AT_ONCE)
        for batch in due:
            await self._finish(batch)
        return len(due)

    async def _finish(self, due: DueBatch) -> None:
        app = await self._engine.read(sessions.mobile_app, app_id=due.app_id)
        if app is None:  # deleted meanwhile; what is left of it goes with it
            await self._engine.write(store_batches.settle, due.app_id, due.session.id, due.content)
        else:
            data = zstandard.decompress(due.payload, max_output_size=MAX_UNPACKED_BYTES)
            reading = await asyncio.to_thread(
                reading_of, data, due.session, with_calls=app.reports_failed_calls, latest_ms=self._now_ms()
            )
            events = events_of(reading.crashes, reading.failed_calls, due.session)
            await self._raise_events(app, due.session.id, due.content, events)

    async def _raise_events(
        self, app: MobileApp, session_id: int, content: str, told: Iterable[event_pb.Event]
    ) -> None:
        events = list(told)
        for start in range(0, len(events), MAX_EVENTS):
            request = event_service_pb.IngestEventsRequest(
                app_key=app.app_key, events=events[start : start + MAX_EVENTS]
            )
            await self._events.take(request)
        if events:
            await self._engine.write(store_batches.settle, app.id, session_id, content)
