"""Packs: events that share a payload read like those with one of their own, and what is removed is nowhere any more."""

import random
from collections.abc import Sequence
from itertools import count

from sqlmodel import Session, select

from server.store import end_users, events, payload, removal
from server.store.bulk import bulk_of
from server.store.engine import Engine
from server.store.events import NewEvent
from server.store.packs import MAX_BYTES, PART_BYTES, Stored, messages
from server.store.sequence import Sequence as IdSequence
from server.store.tables import EventRow, PayloadPackRow
from tests.store.build import event, submission

Messages = dict[tuple[int, bytes], bytes]
IDS = IdSequence()
_numbers = count()
_dice = random.Random(3)


def said(length: int) -> bytes:
    """A message of which only the number is its own, with as much behind it as nothing compresses."""
    return b"number %d of the client that says nearly the same " % next(_numbers) + _dice.randbytes(length)


async def commit(store: Engine, *requests: Sequence[NewEvent]) -> None:
    submissions = [submission(*request, app=request[0].app_id) for request in requests]
    await store.write_bulk(events.commit, submissions, IDS, 0)


def stored(session: Session) -> Messages:
    """Every stored event's message, read as a page of its app's events is."""
    apps = session.exec(select(EventRow.app_id).distinct()).all()
    pages = {app: end_users.events_page(session, app, None, b"", 10_000) for app in apps}
    return {(app, key): message for app, page in pages.items() for key, message in page}


def packed(session: Session) -> list[bytes]:
    """Every message that is in a pack, whether or not an event has it."""
    rows = session.exec(
        select(PayloadPackRow).order_by(PayloadPackRow.app_id, PayloadPackRow.id, PayloadPackRow.part)
    ).all()
    packs: dict[tuple[int, int], bytes] = {}
    for row in rows:
        packs[row.app_id, row.id] = packs.get((row.app_id, row.id), b"") + row.data
    return [message for data in packs.values() for message in payload.unpack(data).values()]


def alone(session: Session) -> int:
    """Events with a payload of their own."""
    return sum(row.pack_offset is None for row in session.exec(select(EventRow)))


def remove(session: Session, keys: Sequence[tuple[int, bytes]]) -> None:
    removal.remove(bulk_of(session), keys)


def of(*made: NewEvent) -> Messages:
    return {(one.app_id, one.event_key): one.message for one in made}


async def test_neighbours_of_one_app_share_packs(store: Engine) -> None:
    batch = [event(message=said(10)) for _ in range(payload.MAX_PACKED + 2)]
    other = [event(app=2, message=said(10)) for _ in range(2)]
    await commit(store, batch, other, [event(app=3, message=said(10))])
    assert await store.read(alone) == 1
    assert sorted(await store.read(packed)) == sorted(one.message for one in (*batch, *other))
    assert {(app, key) for app, key in await store.read(stored)} >= set(of(*batch, *other))


async def test_messages_come_back_as_they_were_whatever_their_size(store: Engine) -> None:
    sizes = (0, 1, PART_BYTES, 3 * PART_BYTES, MAX_BYTES - 100, 10, 2 * MAX_BYTES, 5, 5)
    batch = [event(message=said(size)) for size in sizes] + [event(message=b"")]
    await commit(store, batch)
    assert await store.read(stored) == of(*batch)


async def test_what_is_sent_again_is_not_packed_again(store: Engine) -> None:
    first, second, third = (event(key, message=said(10)) for key in ("first", "second", "third"))
    await commit(store, [first, second])
    await commit(store, [event("second", message=said(10)), third, first])
    assert await store.read(stored) == of(first, second, third)
    assert sorted(await store.read(packed)) == sorted((first.message, second.message))


async def test_removed_events_leave_nothing_in_their_pack(store: Engine) -> None:
    batch = [event(message=said(2_000)) for _ in range(6)]
    await commit(store, batch)
    gone = [(one.app_id, one.event_key) for one in batch]
    await store.write(remove, [gone[0], gone[4], (1, b"never stored")])
    assert await store.read(stored) == of(*batch[1:4], batch[5])
    assert await store.read(packed) == [one.message for one in (*batch[1:4], batch[5])]
    await store.write(remove, gone)
    assert await store.read(packed) == []
    assert await store.read(lambda session: session.exec(select(PayloadPackRow)).all()) == []


async def test_a_message_removed_since_its_event_was_read_is_none(store: Engine) -> None:
    batch = [event(message=said(10)) for _ in range(3)]
    await commit(store, batch)
    rows = await store.read(lambda session: session.exec(select(EventRow)).all())
    read = {row.event_key: Stored(row.app_id, row.id, row.pack_offset, row.payload) for row in rows}
    first, second, _ = (read[one.event_key] for one in batch)

    def found(session: Session) -> list[bytes | None]:
        return messages(bulk_of(session), [first, second])

    await store.write(remove, [(1, batch[0].event_key)])
    assert await store.read(found) == [None, batch[1].message]
    await store.write(remove, [(1, batch[1].event_key), (1, batch[2].event_key)])
    assert await store.read(found) == [None, None]


async def test_any_history_of_requests_and_removals_keeps_exactly_what_is_stored(store: Engine) -> None:
    dice = random.Random(11)
    kept: Messages = {}
    for _ in range(25):
        requests = [
            [event(app=app, message=said(dice.choice((0, 20, 3_000)))) for _ in range(dice.randrange(1, 40))]
            for app in (dice.randrange(1, 4) for _ in range(dice.randrange(1, 5)))
        ]
        await commit(store, *requests)
        kept |= of(*(one for request in requests for one in request))
        gone = dice.sample(sorted(kept), dice.randrange(len(kept)))
        await store.write(remove, gone)
        for key in gone:
            del kept[key]
        assert await store.read(stored) == kept
        inside = await store.read(packed)
        assert len(inside) == len(set(inside)) == len(kept) - await store.read(alone)
        assert set(inside) <= set(kept.values())


async def test_an_id_that_two_processes_gave_mixes_nothing(store: Engine) -> None:
    """The second transaction that comes by the id runs again, with other ids."""

    class Given(IdSequence):
        def take(self, count: int) -> list[int]:
            return next(given, None) or super().take(count)

    given = iter([[7, 8], [7, 8]])
    first, second = ([event(message=said(10)) for _ in range(2)] for _ in range(2))
    for request in (first, second):
        await store.write_bulk(events.commit, [submission(*request)], Given(), 0)
    assert await store.read(stored) == of(*first, *second)
