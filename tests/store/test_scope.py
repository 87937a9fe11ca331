"""Who sees and changes what, by role, key and time, alike on both engines."""

import pytest

from server import clock
from server.context import User
from server.errors import AppNotFound, OwnerStays, RoleTooLow, TooManyMembers
from server.ids import new_id
from server.store import apps, members, scope
from server.store.app_settings import AppSettings
from server.store.apps import App, AppChange
from server.store.engine import Engine
from server.store.scope import Role
from tests.store.test_apps import create, new_owner

DAY_MS = 86_400_000


@pytest.fixture
async def owner(store: Engine) -> User:
    return await new_owner(store)


@pytest.fixture
async def app(store: Engine, owner: User) -> App:
    return await create(store, owner)


async def join(store: Engine, owner: User, app: App, role: Role) -> User:
    user = await new_owner(store)
    await store.write(members.add, owner.id, app.public_id, user.email, role, clock.now_ms())
    return user


async def rotate(store: Engine, owner: User, app: App, grace_ms: int = DAY_MS) -> App:
    rotation = await store.write(apps.rotate_key, owner.id, app.public_id, new_id, clock.now_ms(), grace_ms)
    return rotation.app


async def test_each_role_sees_and_the_higher_ones_may_more(store: Engine, owner: User, app: App) -> None:
    editor, viewer = await join(store, owner, app, Role.EDITOR), await join(store, owner, app, Role.VIEWER)
    seen = {app.id: app.app_key}
    for user, held in ((owner, Role.OWNER), (editor, Role.EDITOR), (viewer, Role.VIEWER)):
        for role in Role:
            expected = seen if held >= role else {}
            assert await store.read(scope.visible_apps, user.id, role=role) == expected
            named = store.read(scope.visible_apps, user.id, app.app_key, role)
            access = store.read(scope.accessible, user.id, app.public_id, role)
            if held >= role:
                assert await named == seen
                assert (await access)[1] is held
            else:
                with pytest.raises(RoleTooLow):
                    await named
                with pytest.raises(RoleTooLow):
                    await access


async def test_a_stranger_sees_nothing_whatever_is_asked(store: Engine, app: App) -> None:
    stranger = await new_owner(store)
    for role in Role:
        assert await store.read(scope.visible_apps, stranger.id, app.app_key, role) == {}
        with pytest.raises(AppNotFound):
            await store.read(scope.accessible, stranger.id, app.public_id, role)
    assert await store.read(scope.visible_by_key, stranger.id, [app.app_key]) == {}


async def test_an_old_key_names_the_app_until_it_expires(
    store: Engine, owner: User, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotated = await rotate(store, owner, app)
    keys = (app.app_key, rotated.app_key)
    for key in keys:
        assert await store.read(scope.visible_apps, owner.id, key) == {app.id: rotated.app_key}
        found = await store.read(scope.ingest_app, key)
        assert found == scope.IngestApp(app.id, frozenset(keys), AppSettings())
    assert await store.read(scope.visible_by_key, owner.id, [*keys, "web_x"]) == dict.fromkeys(keys, app.id)
    later = clock.now_ms() + DAY_MS + 1
    monkeypatch.setattr(clock, "now_ms", lambda: later)
    assert await store.read(scope.visible_apps, owner.id, app.app_key) == {}
    assert await store.read(scope.visible_by_key, owner.id, keys) == {rotated.app_key: app.id}
    assert await store.read(scope.ingest_app, app.app_key) is None
    assert (await store.read(scope.ingest_app, rotated.app_key)).keys == {rotated.app_key}


async def test_old_keys_that_expired_make_room_for_others(store: Engine, owner: User, app: App) -> None:
    for _ in range(2 * apps.MAX_OLD_KEYS):
        app = await rotate(store, owner, app, grace_ms=0)
    assert await store.read(scope.visible_apps, owner.id) == {app.id: app.app_key}


async def test_settings_reach_ingest(store: Engine, owner: User, app: App) -> None:
    settings = AppSettings(30, 12.5, 0, False, ("https://a.example", "null"))
    every = frozenset(AppSettings.__slots__)
    changed = await store.write(apps.update, owner.id, app.public_id, AppChange(None, settings, every))
    assert (changed.settings, changed.name) == (settings, app.name)
    assert (await store.read(scope.ingest_app, app.app_key)).settings == settings
    some = AppChange("New", AppSettings(), frozenset({"capture_rate", "allowed_origins"}))
    await store.write(apps.update, owner.id, app.public_id, some)
    found = await store.read(apps.find, owner.id, app.public_id)
    assert found.settings == AppSettings(30, 12.5, None, False)
    assert found.name == "New"


async def test_a_deleted_app_names_nothing(store: Engine, owner: User, app: App) -> None:
    rotated = await rotate(store, owner, app)
    await store.write(apps.delete, owner.id, app.public_id, clock.now_ms())
    for key in (app.app_key, rotated.app_key):
        assert await store.read(scope.ingest_app, key) is None
        assert await store.read(scope.visible_apps, owner.id, key) == {}
    assert await store.read(scope.visible_apps, owner.id) == {}
    assert await store.read(scope.visible_by_key, owner.id, [app.app_key, rotated.app_key]) == {}
    assert await store.read(apps.page, owner.id, None, 10) == []
    with pytest.raises(AppNotFound):
        await store.write(apps.delete, owner.id, app.public_id, clock.now_ms())


@pytest.mark.parametrize("text", ["web_\0", "\0", "", "x" * 100_000, "'; DROP TABLE apps --"])
async def test_hostile_keys_and_ids_name_nothing(store: Engine, owner: User, app: App, text: str) -> None:
    assert await store.read(scope.ingest_app, text) is None
    assert await store.read(scope.visible_by_key, owner.id, [text]) == {}
    with pytest.raises(AppNotFound):
        await store.read(scope.accessible, owner.id, text)
    assert await store.read(scope.member_of, app.id, text) is None


async def test_members_are_bounded_but_for_changes(
    store: Engine, owner: User, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "MAX_MEMBERS", 2)
    viewer = await join(store, owner, app, Role.VIEWER)
    with pytest.raises(TooManyMembers):
        await join(store, owner, app, Role.VIEWER)
    changed = await store.write(members.add, owner.id, app.public_id, viewer.email, Role.EDITOR, clock.now_ms())
    assert changed.role is Role.EDITOR
    with pytest.raises(OwnerStays):
        await store.write(members.remove, owner.id, app.public_id, owner.public_id)
    listed = await store.read(members.members, viewer.id, app.public_id)
    assert [(member.email, member.role) for member in listed] == [
        (owner.email, Role.OWNER),
        (viewer.email, Role.EDITOR),
    ]
