"""Data of deleted apps goes in bounded batches, and nothing of their neighbours, alike on both engines."""

import pytest
import sqlalchemy as sa
from sqlmodel import Session, SQLModel, func, select

from server import clock
from server.context import User
from server.ids import new_id
from server.store import apps, batches, events, images, lifecycle, scope, sessions
from server.store.apps import App
from server.store.engine import Engine
from server.store.erasure import erase_some
from server.store.images import Picture
from server.store.performance import Measurement
from server.store.sequence import Sequence
from server.store.session_tables import BlobRow
from server.store.tables import AppRow
from tests.store.build import event, new_batch, new_session, submission
from tests.store.test_apps import create, new_owner

NOW_MS = 1_800_000_000_000
PICTURE = Picture(1, "ab" * 32, "image/jpeg", 3, "")
TABLES = [table for table in SQLModel.metadata.sorted_tables if "app_id" in table.columns]


@pytest.fixture
async def owner(store: Engine) -> User:
    return await new_owner(store)


async def record(store: Engine, app_id: int) -> None:
    """A recorded session of the app: a batch with a signal, and a screenshot."""
    await store.write(sessions.begin, new_session(app_id, 7, received_ms=NOW_MS - 1))
    await store.write(batches.append, [new_batch(app_id, 7)], Sequence(), 7_200_000)
    await store.write(images.register, app_id, [PICTURE], NOW_MS - 1)
    await store.write(images.show, app_id, 7, [PICTURE])


async def filled(store: Engine, owner: User, n_events: int = 5) -> App:
    """An app with rows in every table that holds rows of apps."""
    app = await create(store, owner)
    sent = [event(app=app.id, issue=f"js:{n}", user=n) for n in range(n_events)]
    sent[0] = sent[0]._replace(measurement=Measurement("LCP", 1_200.0, "good"))
    await store.write_bulk(events.commit, [submission(*sent, app=app.id, rejected=1)], Sequence(), 0)
    by = lifecycle.Change(owner.id, NOW_MS, Sequence(), -1)
    await record(store, app.id)
    await store.write(lifecycle.mark_fixed, {app.id: app.app_key}, "js:1", by, "1.0.0")
    await store.write(apps.rotate_key, owner.id, app.public_id, new_id, clock.now_ms(), 86_400_000)
    return app


def rows(session: Session, app_id: int) -> dict[str, int]:
    """Rows of the app by table; of the books of the blob store, objects that somebody shows."""
    return {
        table.name: session.connection()
        .execute(
            sa.select(func.count())
            .select_from(table)
            .where(table.c.app_id == app_id, table.c.refs != 0 if table.name == BlobRow.__tablename__ else sa.true())
        )
        .scalar_one()
        for table in TABLES
    }


async def test_objects_of_a_deleted_app_are_left_to_whoever_tidies_the_blob_store(store: Engine, owner: User) -> None:
    app, neighbour = await filled(store, owner), await filled(store, owner)
    await store.write(apps.delete, owner.id, app.public_id, NOW_MS)
    while await store.write(erase_some, NOW_MS, NOW_MS + 1):
        pass
    unused = await store.write(images.claim_unused, NOW_MS, NOW_MS, 10)
    assert unused == [images.Blob(app.id, PICTURE.hash)]
    await store.write(images.forget, unused)
    kept = await store.read(lambda session: [(row.app_id, row.refs) for row in session.exec(select(BlobRow))])
    assert kept == [(neighbour.id, 1)]


async def test_a_deleted_app_leaves_nothing_and_its_neighbour_everything(store: Engine, owner: User) -> None:
    app, neighbour = await filled(store, owner), await filled(store, owner)
    before = await store.read(rows, neighbour.id)
    assert 0 not in before.values(), "a table without a sample proves nothing"
    await store.write(apps.delete, owner.id, app.public_id, NOW_MS)
    while await store.write(erase_some, NOW_MS, NOW_MS + 1):
        pass
    assert set((await store.read(rows, app.id)).values()) == {0}
    assert await store.read(rows, neighbour.id) == before
    assert list(await store.read(scope.visible_apps, owner.id)) == [neighbour.id]


async def test_a_batch_is_bounded_and_the_next_one_goes_on(store: Engine, owner: User) -> None:
    app = await filled(store, owner, n_events=10)
    await store.write(apps.delete, owner.id, app.public_id, NOW_MS)
    left = sum((await store.read(rows, app.id)).values())
    batches = 0
    while left:
        assert await store.write(erase_some, NOW_MS, NOW_MS, 3)
        now_left = sum((await store.read(rows, app.id)).values())
        assert 0 < left - now_left <= 3
        left, batches = now_left, batches + 1
    assert batches > 10
    assert await store.write(erase_some, NOW_MS, NOW_MS, 3)
    assert not await store.write(erase_some, NOW_MS, NOW_MS, 3)


async def test_only_what_was_deleted_long_enough_ago_goes(store: Engine, owner: User) -> None:
    app = await filled(store, owner)
    assert not await store.write(erase_some, NOW_MS, NOW_MS)
    await store.write(apps.delete, owner.id, app.public_id, NOW_MS)
    assert not await store.write(erase_some, NOW_MS - 1, NOW_MS)
    assert await store.write(erase_some, NOW_MS, NOW_MS)


async def test_the_number_of_a_deleted_app_is_never_given_again(store: Engine, owner: User) -> None:
    app = await create(store, owner)
    await store.write(apps.delete, owner.id, app.public_id, NOW_MS)
    while await store.write(erase_some, NOW_MS, NOW_MS):
        pass
    kept = await store.read(lambda session: session.exec(select(AppRow).where(AppRow.id == app.id)).one())
    assert (kept.name, kept.erased_ms) == ("", NOW_MS)
    assert (await create(store, owner)).id > app.id


async def test_two_processes_do_not_work_on_one_app(engine: str, store: Engine, owner: User) -> None:
    """PostgreSQL: whoever comes second skips the locked app. SQLite has one writer anyway."""
    app = await filled(store, owner)
    await store.write(apps.delete, owner.id, app.public_id, NOW_MS)
    if engine == "postgresql":
        with store.sync_engine().begin() as other:
            other.execute(sa.text("SELECT id FROM apps WHERE id = :id FOR UPDATE"), {"id": app.id})
            assert not await store.write(erase_some, NOW_MS, NOW_MS)
    assert await store.write(erase_some, NOW_MS, NOW_MS)
