"""Apps and their order, alike on both engines."""

import pytest

from server.context import User
from server.ids import new_id, token_hash
from server.store import apps, users
from server.store.apps import App, NewApp
from server.store.engine import Engine
from server.store.users import NewUser, Token

NOW_MS = 1_800_000_000_000


async def new_owner(store: Engine) -> User:
    user = NewUser(new_id("user"), f"{new_id('mail')}@example.test", "hash", NOW_MS)
    return await store.write(users.register, user, Token(token_hash(new_id("session")), NOW_MS, NOW_MS + 1))


@pytest.fixture
async def owner(store: Engine) -> User:
    return await new_owner(store)


async def create(store: Engine, owner: User, name: str = "Shop 应用") -> App:
    new = NewApp(new_id("app_record"), owner.id, name, new_id("web"), "web", NOW_MS)
    return await store.write(apps.create, new)


async def test_an_app_comes_back_as_it_was_made(store: Engine, owner: User) -> None:
    made = await create(store, owner)
    assert await store.read(apps.page, owner.id, None, 10) == [made]
    assert made.id > 0
    assert made.name == "Shop 应用"


async def test_pages_are_newest_first_even_when_made_in_the_same_instant(store: Engine, owner: User) -> None:
    made = [await create(store, owner, f"App {number}") for number in range(5)]
    newest_first = made[::-1]
    assert await store.read(apps.page, owner.id, None, 2) == newest_first[:2]
    assert await store.read(apps.page, owner.id, newest_first[1].id, 2) == newest_first[2:4]
    assert await store.read(apps.page, owner.id, newest_first[4].id, 2) == []


async def test_nobody_is_given_the_apps_of_others(store: Engine, owner: User) -> None:
    await create(store, owner)
    other = await new_owner(store)
    assert await store.read(apps.page, other.id, None, 10) == []
