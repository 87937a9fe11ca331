"""From the bytes that a tracker sent to a stored batch: unpacked, read, compressed, and stored with what follows from it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog
import zstandard
from sqlmodel import Session

from server.errors import BatchTooLarge, DomainError, InvalidSessionToken
from server.mobile.body import Body, BodyTooLarge, unpack
from server.mobile.codec import BatchStatus
from server.mobile.reading import Reading, Said, read
from server.mobile.signals import Crash, NetworkCall
from server.store import batches
from server.store.batches import NewBatch
from server.store.sequence import Sequence as IdSequence
from server.store.sessions import Recorded
from server.store.signals import signals_of

MAX_UNPACKED_BYTES: Final = 8 * 1_048_576
"""Logs shrink ten times; a bomb shrinks a thousand times."""

MAX_NAME: Final = 256
"""Characters of a user's id and of a key of metadata: the former are in an index, whose page must hold several."""

MAX_METADATA_TEXT: Final = 1_000

log = structlog.get_logger("store.receiving")


@dataclass(frozen=True, slots=True)
class Received:
    """The body of one batch, and what has to be known to read it.

    `session` is as it was lately; `late` says that the batch may belong to an earlier one. Times after `latest_ms` are a
    wrong clock's.
    """

    app_id: int
    session: Recorded
    with_calls: bool
    body: bytes
    late: bool
    received_ms: int
    latest_ms: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch that is stored: in which session, whether it was new there, and what becomes an event."""

    session: Recorded
    is_new: bool
    content: str
    status: BatchStatus
    crashes: Sequence[Crash]
    failed_calls: Sequence[NetworkCall]


Outcome = Taken | DomainError | None
"""What became of a batch: an empty one is nothing. BatchTooLarge, or InvalidSessionToken where its session is gone."""


@dataclass(slots=True)
class _Read:
    batch: NewBatch
    reading: Reading


def receive(session: Session, received: Sequence[Received], ids: IdSequence, longest_ms: int) -> list[Outcome]:
    """Read batches and store them with what follows from them; what became of each.

    All is read before anything is asked of the session, so that no transaction is open meanwhile.
    """
    found = [_read(one) for one in received]
    whole = [one for one in found if isinstance(one, _Read)]
    kept = iter(batches.append(session, [one.batch for one in whole], ids, longest_ms))
    return [_taken(one, next(kept)) if isinstance(one, _Read) else one for one in found]


def _taken(one: _Read, kept: batches.Kept | None) -> Outcome:
    if kept is None:
        return InvalidSessionToken()
    reading = one.reading
    return Taken(kept.session, kept.is_new, one.batch.content, reading.status, reading.crashes, reading.failed_calls)


def _read(received: Received) -> _Read | BatchTooLarge | None:
    try:
        unpacked = unpack(received.body, limit_bytes=MAX_UNPACKED_BYTES)
    except BodyTooLarge:
        return BatchTooLarge()
    if not unpacked.data:
        return None
    reading = reading_of(unpacked.data, received.session, with_calls=received.with_calls, latest_ms=received.latest_ms)
    return _Read(_new_batch(received, unpacked, reading), reading)


def reading_of(data: bytes, session: Recorded, *, with_calls: bool, latest_ms: int) -> Reading:
    """What the batch says; nothing where our reader fails, for the batch is kept all the same."""
    try:
        return read(data, session.platform, with_calls=with_calls, latest_ms=latest_ms)
    except Exception:
        log.exception("a batch broke its reader")
        nothing = read(b"", session.platform, with_calls=False, latest_ms=latest_ms)
        return replace(nothing, status=BatchStatus.UNDECODABLE, fault="the reader failed")


def _new_batch(received: Received, unpacked: Body, reading: Reading) -> NewBatch:
    data = unpacked.data
    signals = signals_of(reading, received.session.user_uuid)
    status = BatchStatus.DAMAGED_TAIL if unpacked.fault and reading.messages else reading.status
    return NewBatch(
        app_id=received.app_id,
        session_id=received.session.id,
        content=hashlib.sha256(data).hexdigest()[:32],
        received_ms=received.received_ms,
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
        user_id=_said(reading.user_id, MAX_NAME),
        anonymous_id=_said(reading.anonymous_id, MAX_NAME),
        metadata={
            _clean(key, MAX_NAME): Said(said.time_ms, _clean(said.text, MAX_METADATA_TEXT))
            for key, said in reading.metadata.items()
        },
        beats=reading.beats,
        events_due=bool(signals),
        signals=signals,
        fell_ms=reading.fell_ms if received.late else None,
    )


def _said(said: Said | None, limit: int) -> Said | None:
    return None if said is None else Said(said.time_ms, _clean(said.text, limit))


def _clean(text: str, limit: int) -> str:
    """Text as any column can hold it: bounded, without NUL."""
    return text[:limit].replace("\0", "\ufffd")
