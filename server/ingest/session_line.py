"""The session line: one straight way from the bytes a tracker sent to a stored batch and the events that follow from it."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog
import zstandard
from healthguard.v1 import event_service_pb2 as event_service_pb

from server import clock, logs, metrics
from server.errors import BatchTooLarge, InvalidSessionToken
from server.ingest.admission import Admission
from server.ingest.limits import MAX_AHEAD_MS, MAX_IDENTITY
from server.ingest.line import MAX_EVENTS, IngestLine
from server.ingest.session_events import events_of, signals_of
from server.ingest.session_resolve import SessionResolver
from server.ingest.session_writer import SessionWriter
from server.mobile.body import Body, BodyTooLarge, unpack
from server.mobile.codec import BatchStatus
from server.mobile.reading import Reading, Said, read
from server.store import batches as store_batches, sessions
from server.store.batches import DueBatch, NewBatch
from server.store.engine import Engine
from server.store.sessions import MobileApp, Recorded

MAX_BATCH_BYTES: Final = 1_000_000
"""What trackers are told; they stop at half of it. Counted as it is sent."""

MAX_UNPACKED_BYTES: Final = 8 * 1_048_576
"""Logs shrink ten times; a bomb shrinks a thousand times."""

OVERDUE_MS: Final = 60_000
"""How long the events of a batch may take before somebody else sees to them."""

DUE_AT_ONCE: Final = 20

READERS: Final = 2
"""Threads that read batches, off the event loop: half a megabyte takes some 30 ms. More would only take turns."""

MAX_METADATA_TEXT: Final = 1_000

log = structlog.get_logger("ingest.session")


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
        self._turn = asyncio.Semaphore(READERS)
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
            async with self._turn:
                batch, reading = await asyncio.to_thread(self._read, app, session, body, late)
            if not batch.size_bytes:
                return
            kept = await self._writer.submit(batch)
            if kept is None:
                raise InvalidSessionToken
            metrics.SESSION_BATCHES.labels("stored" if kept.is_new else "duplicate", reading.status.value).inc()
            await self._raise_events(app, kept.session, batch.content, reading)

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
            async with self._turn:
                reading = await asyncio.to_thread(_reading, data, due.session, app, self._now_ms())
            await self._raise_events(app, due.session, due.content, reading)

    async def _raise_events(self, app: MobileApp, session: Recorded, content: str, reading: Reading) -> None:
        events = list(events_of(reading, session))
        for start in range(0, len(events), MAX_EVENTS):
            request = event_service_pb.IngestEventsRequest(
                app_key=app.app_key, events=events[start : start + MAX_EVENTS]
            )
            await self._events.take(request)
        if events:
            await self._engine.write(store_batches.settle, app.id, session.id, content)

    def _read(self, app: MobileApp, session: Recorded, body: bytes, late: bool) -> tuple[NewBatch, Reading]:
        """The batch, ready to store, and what it says."""
        unpacked = _unpack(body)
        data = unpacked.data
        now_ms = self._now_ms()
        reading = _reading(data, session, app, now_ms + MAX_AHEAD_MS)
        signals = signals_of(reading, session.user_uuid)
        status = BatchStatus.DAMAGED_TAIL if unpacked.fault and reading.messages else reading.status
        batch = NewBatch(
            app_id=app.id,
            session_id=session.id,
            content=hashlib.sha256(data).hexdigest()[:32],
            received_ms=now_ms,
            # One each: compressors are not for two threads at once.
            payload=zstandard.ZstdCompressor(level=1).compress(data),
            size_bytes=len(data),
            layout=reading.layout.value,
            status=status.value,
            fault=_clean(unpacked.fault or reading.fault, MAX_METADATA_TEXT),
            damaged=status is not BatchStatus.COMPLETE,
            messages=reading.messages,
            counts=reading.counts,
            first_ms=reading.first_ms,
            last_ms=reading.last_ms,
            alive_ms=reading.alive_ms,
            user_id=_said(reading.user_id, MAX_IDENTITY),
            anonymous_id=_said(reading.anonymous_id, MAX_IDENTITY),
            metadata={
                _clean(key, MAX_IDENTITY): Said(said.time_ms, _clean(said.text, MAX_METADATA_TEXT))
                for key, said in reading.metadata.items()
            },
            beats=reading.beats,
            events_due=bool(signals),
            signals=signals,
            fell_ms=reading.fell_ms if late else None,
        )
        return batch, reading


def _reading(data: bytes, session: Recorded, app: MobileApp, latest_ms: int) -> Reading:
    """What the batch says; nothing where our reader fails, for the batch is kept all the same."""
    try:
        return read(data, session.platform, with_calls=app.reports_failed_calls, latest_ms=latest_ms)
    except Exception:
        log.exception("a batch broke its reader")
        nothing = read(b"", session.platform, with_calls=False, latest_ms=latest_ms)
        return replace(nothing, status=BatchStatus.UNDECODABLE, fault="the reader failed")


def _unpack(body: bytes) -> Body:
    try:
        return unpack(body, limit_bytes=MAX_UNPACKED_BYTES)
    except BodyTooLarge as error:
        raise BatchTooLarge from error


def _said(said: Said | None, limit: int) -> Said | None:
    return None if said is None else Said(said.time_ms, _clean(said.text, limit))


def _clean(text: str, limit: int) -> str:
    """Text as any column can hold it: bounded, without NUL."""
    return text[:limit].replace("\0", "\ufffd")
