"""Bodies of batches that arrive together: each fares by itself."""

import gzip

import pytest
from sqlmodel import Session, select

from server.errors import BatchTooLarge, InvalidSessionToken
from server.mobile.codec import BatchStatus, encode_message
from server.store import receiving, sessions
from server.store.engine import Engine
from server.store.receiving import Outcome, Received, Taken
from server.store.sequence import Sequence as IdSequence
from server.store.session_tables import SessionBatchRow, SessionRow
from server.store.sessions import Recorded
from tests.store.build import new_session

NOW = 1_710_417_000_000
TAP = encode_message(100, NOW, {"label": "Buy", "x": 1, "y": 2})
LOG = encode_message(103, NOW + 1, {"severity": "info", "content": "one"})
CRASH = encode_message(97, NOW + 2, {"name": "SIGSEGV", "reason": "", "stacktrace": "0 App"})
BOMB = gzip.compress(bytes(receiving.MAX_UNPACKED_BYTES + 1))


def begin(session: Session) -> None:
    for number in (1, 2):
        sessions.begin(session, new_session(1, number, NOW))


def received(session_id: int, body: bytes) -> Received:
    known = Recorded(session_id, NOW, "ios", "", "", "", "", "", "", "")
    return Received(1, known, with_calls=False, body=body, late=False, received_ms=NOW, latest_ms=NOW + 1_000)


async def take(store: Engine, *bodies: Received) -> list[Outcome]:
    return await store.write(receiving.receive, bodies, IdSequence(), 1)


def counted(session: Session) -> dict[int, tuple[int, int, int]]:
    return {row.id: (row.batches, row.messages, row.crashes) for row in session.exec(select(SessionRow))}


async def test_each_fares_by_itself(store: Engine) -> None:
    await store.write(begin)
    first, bomb, gone, empty, junk, crash, again = await take(
        store,
        received(1, TAP + LOG),
        received(1, BOMB),
        received(9, TAP),
        received(2, gzip.compress(b"")),
        received(2, b"\xff" * 40),
        received(1, gzip.compress(CRASH)),
        received(1, gzip.compress(TAP + LOG)),
    )
    assert isinstance(bomb, BatchTooLarge)
    assert isinstance(gone, InvalidSessionToken)
    assert empty is None
    assert isinstance(first, Taken)
    assert isinstance(junk, Taken)
    assert isinstance(crash, Taken)
    assert isinstance(again, Taken)
    assert (first.is_new, first.status) == (True, BatchStatus.COMPLETE)
    assert (junk.is_new, junk.status) == (True, BatchStatus.UNDECODABLE)
    assert [one.name for one in crash.crashes] == ["SIGSEGV"]
    assert (again.is_new, again.content) == (False, first.content)
    assert await store.read(counted) == {1: (2, 3, 1), 2: (1, 0, 0)}


async def test_a_batch_that_breaks_the_reader_is_kept_and_flagged(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = receiving.read

    def broken(data: bytes, *args: object, **kwargs: object) -> object:
        return read(data, *args, **kwargs) if not data else 1 // 0

    monkeypatch.setattr(receiving, "read", broken)
    await store.write(begin)
    [taken] = await take(store, received(1, TAP))
    assert isinstance(taken, Taken)
    assert (taken.is_new, taken.status) == (True, BatchStatus.UNDECODABLE)
    stored = await store.read(lambda session: session.exec(select(SessionBatchRow.fault)).all())
    assert stored == ["the reader failed"]
