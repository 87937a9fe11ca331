"""Signals told batch by batch, in any order, are those of the whole session read at once."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlmodel import Session, select

from server.mobile.beats import beat, beats_of
from server.mobile.codec import Message
from server.mobile.signals import freezes, rage_taps
from server.store import batches, sessions
from server.store.batches import NewBatch
from server.store.engine import Engine
from server.store.sequence import Sequence as IdSequence
from server.store.session_tables import SessionRow, SessionSignalRow
from server.store.signals import NewSignal

CLICK, INPUT, PERFORMANCE = 100, 101, 102
ROUNDS = 25


def some_messages(rng: random.Random) -> list[Message]:
    """A life of an app: taps in bursts, measurements, pauses, and times in the background."""
    found: list[Message] = []
    now = 1_000_000
    for index in range(rng.randint(5, 60)):
        kind = rng.random()
        now += rng.choice([50, 120, 299, 300, 1_000, 20_000, 59_999, 60_000, 200_000])
        if kind < 0.6:
            label = rng.choice(["Buy", "Buy", "Back", ""])
            found.append(Message(index, CLICK, "", now, {"label": label, "x": index, "y": 0}))
        elif kind < 0.7:
            found.append(Message(index, INPUT, "", now, {"value": "***", "valueMasked": True, "label": "Name"}))
        elif kind < 0.9:
            found.append(Message(index, PERFORMANCE, "", now, {"name": "fps", "value": 60}))
        else:
            found.append(Message(index, PERFORMANCE, "", now, {"name": "background", "value": rng.randint(0, 1)}))
    return found


def cut(rng: random.Random, messages: Sequence[Message]) -> list[list[Message]]:
    parts: list[list[Message]] = []
    rest = list(messages)
    while rest:
        size = rng.randint(1, 12)
        parts.append(rest[:size])
        rest = rest[size:]
    return parts


def new_batch(number: int, messages: list[Message]) -> NewBatch:
    last = max(message.timestamp_ms for message in messages)
    return NewBatch(
        app_id=1, session_id=1, content=str(number), received_ms=0, payload=b"", size_bytes=1, layout="current",
        status="complete", fault="", damaged=False, messages=len(messages), counts={}, first_ms=0, last_ms=last,
        alive_ms=last, user_id=None, anonymous_id=None, metadata={}, beats=beats_of(map(beat, messages)), events_due=False,
    )  # fmt: skip


def expected(messages: list[Message]) -> set[tuple[str, int, int, str, int]]:
    end = max(message.timestamp_ms for message in messages)
    taps = {("rage_taps", run.start_ms, run.end_ms, run.label, run.count) for run in rage_taps(map(beat, messages))}
    return taps | {("freeze", f.start_ms, f.end_ms, f.label, 1) for f in freezes(map(beat, messages), end_ms=end)}


def stored(session: Session) -> set[tuple[str, int, int, str, int]]:
    rows = session.exec(select(SessionSignalRow))
    return {(row.kind, row.start_ms, row.end_ms, row.label, row.count) for row in rows}


def begin(session: Session) -> None:
    new = sessions.NewSession(
        app_id=1, id=1, start_ms=0, received_ms=0, listed=True, platform="ios", device="", device_type="",
        os_version="", tracker_version="", release="", user_uuid="", start=b"",
    )  # fmt: skip
    sessions.begin(session, new)


def counted(session: Session) -> dict[str, int]:
    """What the session says it has of each kind of signal, as far as it has any."""
    row = session.exec(select(SessionRow)).one()
    kinds = {
        "crash": row.crashes,
        "failed_request": row.failed_requests,
        "rage_taps": row.rage_taps,
        "freeze": row.freezes,
    }
    return {kind: count for kind, count in kinds.items() if count}


def recount(session: Session) -> dict[str, int]:
    return dict(Counter(session.exec(select(SessionSignalRow.kind))))


def clear(session: Session) -> None:
    for table in ("sessions", "session_batches", "session_signals"):
        session.connection().exec_driver_sql(f"DELETE FROM {table}")


@pytest.mark.parametrize("in_order", [True, False], ids=["in order", "in any order"])
async def test_signals_are_those_of_the_whole_session(store: Engine, in_order: bool) -> None:
    for seed in range(ROUNDS):
        rng = random.Random(seed)
        messages = some_messages(rng)
        parts = list(enumerate(cut(rng, messages)))
        if not in_order:
            rng.shuffle(parts)
        await store.write(clear)
        await store.write(begin)
        while parts:
            together = [new_batch(number, part) for number, part in parts[: rng.randint(1, 3)]]
            del parts[: len(together)]
            kept = await store.write(batches.append, [*together, together[0]], IdSequence(), 1)
            assert [one.is_new for one in kept] == [True] * len(together) + [False]
        assert await store.read(stored) == expected(messages), seed
        assert await store.read(counted) == await store.read(recount), seed


async def test_signals_that_batches_repeat_are_counted_once(store: Engine) -> None:
    await store.write(begin)
    crashes = [NewSignal("crash", str(key), 5, 5, "SIGSEGV", event_key=str(key).encode()) for key in (1, 2, 1)]
    calls = [NewSignal("failed_request", str(key), 5, 6, "GET /") for key in (3, 4)]
    for number, signals in enumerate((crashes, [*calls, crashes[1]], calls)):
        batch = replace(new_batch(number, [Message(1, CLICK, "", 5, {"label": "Buy"})]), signals=signals)
        await store.write(batches.append, [batch], IdSequence(), 1)
    assert await store.read(counted) == await store.read(recount) == {"crash": 2, "failed_request": 2}
