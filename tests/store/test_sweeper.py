"""The sweeper on a real store: one at a time, in small steps, beside ingest, and until the data fits."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import Session, col, func, select

from server import sweeper as sweeper_module
from server.disk_budget import DiskBudget
from server.ingest.writer import IngestWriter, in_thread
from server.store import batches, events, images, retention, sessions, totals
from server.store.engine import Engine
from server.store.images import Picture
from server.store.retention import DAY_MS
from server.store.sequence import Sequence
from server.store.session_tables import SessionBatchRow, SessionRow, SessionSignalRow
from server.store.space import usage
from server.store.tables import EventRow
from server.store.totals import EventFilter
from server.sweeper import LeaseLost, Sweeper
from tests.store.build import NOW, event, new_batch, new_session, submission
from tests.store.test_retention import APPS, add_apps, stored_keys

DAYS = 30
_random = random.Random(5)


def sweeper_of(store: Engine, now_ms: int, budget_bytes: int = 0) -> Sweeper:
    return Sweeper(store, DiskBudget(store, budget_bytes), DAYS, now_ms=lambda: now_ms)


async def fill(store: Engine, count: int, received: int = NOW, payload_bytes: int = 1_000) -> None:
    for _ in range(count // 500):
        stored = [
            event(issue=None, user=n, at=received, received=received, message=_random.randbytes(payload_bytes))
            for n in range(500)
        ]
        await store.write_bulk(events.commit, [submission(*stored)], Sequence(), 0)


def file_sizes(store: Engine) -> tuple[int, int]:
    """Of a SQLite database and its write-ahead log."""
    database = Path(str(store.url.database))
    return database.stat().st_size, database.with_name(f"{database.name}-wal").stat().st_size


def count(session: Session) -> int:
    return session.exec(select(func.count()).select_from(EventRow)).one()


@pytest.fixture
async def filled(store: Engine) -> AsyncIterator[Engine]:
    await store.write(add_apps)
    await fill(store, 3_000)
    return store


async def test_old_events_go_and_young_ones_stay(filled: Engine) -> None:
    await fill(filled, 500, received=NOW + 20 * DAY_MS)
    first = sweeper_of(filled, NOW + DAYS * DAY_MS)
    await first.look()
    assert await filled.read(count) == 3_500
    await first.close()
    await sweeper_of(filled, NOW + DAYS * DAY_MS + 1).look()
    assert await filled.read(count) == 500


async def test_recorded_sessions_go_with_the_retention_of_their_app(store: Engine) -> None:
    await store.write(add_apps)
    app_id = min(APPS)
    for number, received_ms in enumerate([NOW, NOW + 1, NOW + 2, NOW + DAY_MS]):
        await store.write(sessions.begin, new_session(app_id, number, received_ms))
        await store.write(batches.append, [new_batch(app_id, number)], Sequence(), 0)
    by_days = await store.read(retention.retentions, DAYS)
    days = next(days for days, apps in by_days.items() if app_id in apps)
    await sweeper_of(store, NOW + 3 + days * DAY_MS).look()
    for table in (SessionRow.id, SessionBatchRow.session_id, SessionSignalRow.session_id):
        assert await store.read(lambda session, table=table: session.exec(select(table)).all()) == [3]


async def test_a_session_does_not_outlive_its_retention_by_more_than_a_look(store: Engine) -> None:
    await store.write(add_apps)
    app_id = min(APPS)
    for number in range(5):
        await store.write(sessions.begin, new_session(app_id, number, NOW + number * 1_000))
    by_days = await store.read(retention.retentions, DAYS)
    end = NOW + next(days for days, apps in by_days.items() if app_id in apps) * DAY_MS
    clock = [end]
    sweeper = Sweeper(store, DiskBudget(store, 0), DAYS, now_ms=lambda: clock[0])
    left = []
    for at in (end, end + 1, end + 2_001, end + 2_001, end + 9_000):
        clock[0] = at
        await sweeper.look()
        left.append(len(await store.read(_session_ids)))
    assert left == [5, 4, 2, 2, 0]


async def test_sessions_go_too_where_no_events_are_left_to_go(store: Engine) -> None:
    await store.write(add_apps)
    app_id = min(APPS)
    ids = Sequence()
    for number in range(40):
        await store.write(sessions.begin, new_session(app_id, number, NOW + number * 1_000))
        batch = replace(new_batch(app_id, number), payload=_random.randbytes(100_000))
        await store.write(batches.append, [batch], ids, 0)
    limit = await used(store)
    await sweeper_of(store, NOW + 60_000, limit).look()
    left = await store.read(_session_ids)
    assert 20 < len(left) < 40
    assert left == list(range(40 - len(left), 40)), "not the oldest went"
    assert (await store.read(usage)).used_bytes <= 0.95 * limit


async def test_pictures_count_where_they_lie_on_this_machine(store: Engine) -> None:
    await store.write(add_apps)
    app_id = min(APPS)
    for number in range(4):
        await store.write(sessions.begin, new_session(app_id, number, NOW + number * 1_000))
        picture = Picture(NOW, f"{number:064x}", "image/jpeg", 50_000_000, "")
        await store.write(images.register, app_id, [picture], NOW)
        assert await store.write(images.show, app_id, number, [picture])
    budget = DiskBudget(store, 130_000_000, with_blobs=True)
    await Sweeper(store, budget, DAYS, now_ms=lambda: NOW + 60_000).look()
    assert await store.read(_session_ids) == [2, 3]
    assert (await budget.measure()).used_bytes < 130_000_000


async def used(store: Engine) -> int:
    """Bytes without SQLite's log, which the sweeper does not let weigh on events."""
    await store.checkpoint()
    return (await store.read(usage)).used_bytes


def _session_ids(session: Session) -> list[int]:
    return sorted(session.exec(select(SessionRow.id)))


async def test_space_is_given_back_or_used_again(filled: Engine) -> None:
    before = await filled.read(usage)
    await sweeper_of(filled, NOW + (DAYS + 1) * DAY_MS).look()
    assert await filled.read(count) == 0
    after = await filled.read(usage)
    assert after.used_bytes < before.used_bytes - 3_000 * 1_000
    if filled.is_sqlite:
        assert after.reusable_bytes == 0
        database_bytes, log_bytes = file_sizes(filled)
        assert database_bytes < before.file_bytes / 3
        assert log_bytes == 0
    else:
        with filled.sync_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (TRUNCATE off) events, payload_packs")
        await fill(filled, 2_500)
        # 2.5 MB went in; what grows are indexes by id, at their end.
        assert (await filled.read(usage)).file_bytes <= before.file_bytes * 1.05


async def test_over_the_budget_the_oldest_go_until_the_rest_fits(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper_module, "BATCHES_BETWEEN_MEASURES", 1)
    await store.write(add_apps)
    for day in range(20):
        await fill(store, 500, received=NOW + day * DAY_MS, payload_bytes=2_000 if day % 2 else 500)
    now = NOW + 20 * DAY_MS
    limit = await used(store)
    sweeper = sweeper_of(store, now, limit)
    await sweeper.look()
    measured = await store.read(usage)
    assert 0.7 * limit < measured.used_bytes <= 0.95 * limit
    left = await store.read(lambda session: set(session.exec(select(EventRow.received_ms))))
    assert left
    assert left == {NOW + day * DAY_MS for day in range(20 - len(left), 20)}, "not the oldest went"
    assert (await store.read(totals.event_totals, EventFilter(APPS))).events == 20 * 500
    removed = 20 * 500 - await store.read(count)
    await sweeper.look()
    assert 20 * 500 - await store.read(count) == removed, "what fits was touched"


async def test_a_budget_that_nothing_fits_takes_all_events_and_ends(filled: Engine) -> None:
    await filled.write_bulk(events.commit, [submission(*(event(user=n) for n in range(5)))], Sequence(), 0)
    await sweeper_of(filled, NOW + 60_000, budget_bytes=1).look()
    assert await filled.read(count) == 0


async def test_what_issues_keep_lives_four_times_as_long_over_the_budget(store: Engine) -> None:
    await store.write(add_apps)
    empty = await used(store)
    rare = [event(issue="js:rare", received=NOW + day * DAY_MS, at=NOW + day * DAY_MS) for day in range(4)]
    await store.write_bulk(events.commit, [submission(*rare)], Sequence(), 0)
    for day in range(4, 14):
        await fill(store, 500, received=NOW + day * DAY_MS)
    now = NOW + 14 * DAY_MS
    limit = await used(store)
    await sweeper_of(store, now, limit).look()
    assert {key for _, key in await store.read(stored_keys)} >= {one.event_key for one in rare}
    await _forget_lease(store)
    await sweeper_of(store, now, (empty + limit) // 2).look()
    keys = {key for _, key in await store.read(stored_keys)}
    oldest = await store.read(
        lambda session: session.exec(
            select(func.min(EventRow.received_ms)).where(col(EventRow.issue_id).is_(None))
        ).one()
    )
    assert NOW + 4 * DAY_MS < oldest < now
    seen = rare[-1].time_ms
    assert ({one.event_key for one in rare} <= keys) == (now - seen <= 4 * (now - oldest))


async def test_one_of_two_processes_works_and_the_other_goes_on_after_it(
    store: Engine,
) -> None:
    await store.write(add_apps)
    await fill(store, 500)
    now = NOW + (DAYS + 1) * DAY_MS
    with closing(Engine(store.url.render_as_string(hide_password=False))) as second:
        first, other = sweeper_of(store, now), sweeper_of(second, now)
        await first.look()
        await fill(store, 500)
        with pytest.raises(LeaseLost):
            await other.look()
        assert await store.read(count) == 500
        await first.close()
        await other.look()
        assert await store.read(count) == 0


async def test_a_worker_that_loses_its_lease_stops_and_the_next_finishes(
    filled: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep, now = retention.sweep, NOW + (DAYS + 1) * DAY_MS
    first = sweeper_of(filled, now)

    def sweep_and_die(*args: object) -> object:
        monkeypatch.setattr(retention, "sweep", sweep)
        raise InterruptedError

    monkeypatch.setattr(retention, "sweep", sweep_and_die)
    with pytest.raises(InterruptedError):
        await first.look()
    assert await filled.read(count) == 3_000
    with pytest.raises(LeaseLost):
        await sweeper_of(filled, now).look()
    await sweeper_of(filled, now + 30_000).look()
    assert await filled.read(count) == 0


async def test_ingest_goes_on_while_old_events_go(filled: Engine) -> None:
    """Submissions of two writers during a sweep: each is acknowledged, stored and counted."""
    writer = IngestWriter(filled, in_thread(filled), shard=0)
    now = NOW + (DAYS + 1) * DAY_MS
    sweeping = asyncio.create_task(sweeper_of(filled, now).look())
    acknowledged: set[str] = set()
    beside = 0
    while not sweeping.done() or beside < 20:
        batch = [event(user=n, at=now, received=now) for n in range(20)]
        assert await writer.submit(submission(*batch)) == [True] * 20
        acknowledged.update(one.event_key for one in batch)
        beside += 1
        await asyncio.sleep(0)
    await sweeping
    await writer.close()
    assert {key for _, key in await filled.read(stored_keys)} == acknowledged
    assert (await filled.read(totals.event_totals, EventFilter(APPS))).events == 3_000 + len(acknowledged)


async def test_a_started_sweeper_looks_by_itself_and_ends_when_asked(filled: Engine) -> None:
    sweeper = sweeper_of(filled, NOW + (DAYS + 1) * DAY_MS)
    sweeper.start()
    async with asyncio.timeout(30):
        while await filled.read(count):  # noqa: ASYNC110 -- another thread works on it
            await asyncio.sleep(0.01)
    await sweeper.close()
    await sweeper_of(filled, NOW).look()


async def _forget_lease(store: Engine) -> None:
    with store.sync_engine().begin() as connection:
        connection.exec_driver_sql("DELETE FROM leases")
