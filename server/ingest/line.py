"""The ingest line: one straight way from a request to its verdicts."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from healthguard.v1 import event_pb2 as event_pb, event_service_pb2 as event_service_pb

from server import clock, metrics
from server.errors import (
    AppKeyRequired,
    DomainError,
    EventsRequired,
    LimitExceeded,
    OriginNotAllowed,
    TooManyEvents,
    Unavailable,
)
from server.ingest.admission import Admission
from server.ingest.judge import event_time_ms, judge
from server.ingest.prepare import Judged, prepare
from server.ingest.privacy import privacy_of
from server.ingest.resolve import AppResolver
from server.ingest.writer import IngestWriter
from server.store.counters import REJECTED
from server.store.events import NewEvent, Submission
from server.store.scope import IngestApp

_STORED, _DUPLICATE = event_service_pb.EVENT_OUTCOME_STORED, event_service_pb.EVENT_OUTCOME_DUPLICATE

MAX_EVENTS = 1_000
IP_ADDRESS = "ipAddress"
EVENTS_PER_TURN = 100
BYTES_PER_TURN = 256 * 1024
"""Events and their bytes that are prepared before other requests get a turn of the loop: about 3 ms."""

_Sent: TypeAlias = tuple[int, event_pb.Event, bytes]
"""An event, its place in the request, and how it is serialised."""

_Rejected: TypeAlias = tuple[int, str, event_pb.FieldFault]


class IngestLine:
    """Takes batches: admit, resolve, judge, scrub, group, write."""

    def __init__(
        self,
        resolver: AppResolver,
        admission: Admission,
        writer: IngestWriter,
        *,
        max_age_ms: int,
        now_ms: Callable[[], int] = clock.now_ms,
    ) -> None:
        self._resolver = resolver
        self._admission = admission
        self._writer = writer
        self._max_age_ms = max_age_ms
        self._now_ms = now_ms

    async def take(
        self, request: event_service_pb.IngestEventsRequest, origin: str = "", address: str = ""
    ) -> event_service_pb.IngestEventsResponse:
        """Store what is good and tell of each event what became of it, once that is durable.

        `origin` is that of the page that sends; what names none is no browser. `address` is the sender's. Raises
        AppKeyRequired, EventsRequired, TooManyEvents, AppNotFound, OriginNotAllowed, RateLimited, or a kind of Unavailable.
        """
        _check_envelope(request)
        app = await self._resolver.app(request.app_key)
        now_ms, events = self._now_ms(), len(request.events)
        try:
            _check_origin(app, origin)
            await _respect(app, request.events, address)
            # What an event takes is asked by serialising it, which storing it needs anyway.
            sent = [(index, event, event.SerializeToString()) for index, event in enumerate(request.events)]
            size_bytes = sum(len(message) for _, _, message in sent)
            with self._admission.carry(app.id, events, size_bytes, app.settings.rate_limit_events_per_s):
                verdicts, rejected = await self._submit(sent, app, now_ms)
                # Dozens of requests wait for their commit at once; what each of them keeps meanwhile, caches do not.
                del request, sent
                stored = await verdicts
        except (OriginNotAllowed, LimitExceeded, Unavailable) as error:
            self.note_limited(app.id, events, error)
            raise
        metrics.count_verdicts(stored, _others(rejected))
        return _answer(stored, rejected)

    async def _submit(
        self, sent: list[_Sent], app: IngestApp, now_ms: int
    ) -> tuple[Awaitable[list[bool]], list[_Rejected]]:
        """Judge the events and hand the good ones over; what will tell which of those are new, and the others."""
        good: list[NewEvent] = []
        rejected: list[_Rejected] = []
        for turn in _turns(sent):
            if good or rejected:
                await asyncio.sleep(0)
            judged = []
            for index, event, message in turn:
                fault = judge(event, len(message), app.keys)
                if fault is None:
                    judged.append(Judged(event, message, event_time_ms(event, now_ms, self._max_age_ms)))
                else:
                    rejected.append((index, event.event_id, fault))
            good += prepare(judged, app.id, now_ms)
        return self._writer.submit(Submission(app.id, now_ms // 60_000, good, _others(rejected))), rejected

    def note_limited(self, app_id: int, events: int, error: DomainError) -> None:
        """Count events that were refused for what `error` says."""
        self._writer.note_limited(app_id, self._now_ms() // 60_000, events, error.reason)
        metrics.INGESTED_EVENTS.labels("limited", error.reason).inc(events)


def _check_envelope(request: event_service_pb.IngestEventsRequest) -> None:
    if not request.app_key:
        raise AppKeyRequired
    if not request.events:
        raise EventsRequired
    if len(request.events) > MAX_EVENTS:
        raise TooManyEvents


def _check_origin(app: IngestApp, origin: str) -> None:
    """Browsers write origins in lower case and leave the default port out, as the settings keep them."""
    allowed = app.settings.allowed_origins
    if origin and allowed and origin not in allowed:
        raise OriginNotAllowed


async def _respect(app: IngestApp, events: Sequence[event_pb.Event], address: str) -> None:
    """Mask what the app wants masked beside what always is, and note the sender only where it wants that."""
    privacy, noted = privacy_of(app.settings), address if app.settings.store_ip_addresses else ""
    if privacy is None and not noted:
        return
    for index, event in enumerate(events):
        if privacy is not None:
            privacy.apply(event)
        if noted:
            event.extra[IP_ADDRESS] = noted
        if index % EVENTS_PER_TURN == EVENTS_PER_TURN - 1:
            await asyncio.sleep(0)


def _turns(sent: list[_Sent]) -> Iterator[list[_Sent]]:
    """The events in parts that are small enough to be prepared at once."""
    turn: list[_Sent] = []
    size_bytes = 0
    for event in sent:
        turn.append(event)
        size_bytes += len(event[2])
        if len(turn) == EVENTS_PER_TURN or size_bytes >= BYTES_PER_TURN:
            yield turn
            turn, size_bytes = [], 0
    if turn:
        yield turn


def _others(rejected: Iterable[_Rejected]) -> Counter[tuple[str, str]]:
    return Counter((REJECTED, fault.code) for _, _, fault in rejected)


def _answer(stored: list[bool], rejected: list[_Rejected]) -> event_service_pb.IngestEventsResponse:
    outcomes = [_STORED if is_new else _DUPLICATE for is_new in stored]
    response = event_service_pb.IngestEventsResponse(accepted=len(stored))
    for index, event_id, fault in rejected:
        outcomes.insert(index, event_service_pb.EVENT_OUTCOME_REJECTED)
        response.rejected.add(index=index, event_id=event_id, code=fault.code, field=fault.field, message=fault.message)
    response.outcomes.extend(outcomes)
    return response
