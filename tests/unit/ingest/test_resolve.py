"""The resolver asks the store as seldom as it may, and never tells how an app was before a change made here."""

import asyncio
from collections.abc import Callable

import pytest

from server.errors import AppNotFound
from server.ingest.resolve import MAX_KEY_LENGTH, MISS_TTL_S, TTL_S, AppResolver
from server.store.app_settings import AppSettings
from server.store.scope import IngestApp


class Store:
    """Stands for the engine: answers from `apps`, counts the questions, and may be held up."""

    def __init__(self) -> None:
        self.apps: dict[str, IngestApp] = {}
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    async def read(self, _work: Callable[..., object], app_key: str) -> IngestApp | None:
        self.asked.append(app_key)
        found = self.apps.get(app_key)
        await self.open.wait()
        return found


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def store() -> Store:
    store = Store()
    add(store, 1, "web_new", "web_old")
    return store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def resolver(store: Store, clock: Clock) -> AppResolver:
    return AppResolver(store, clock)  # type: ignore[arg-type]


def add(store: Store, app_id: int, *keys: str, rate: float | None = None) -> None:
    app = IngestApp(app_id, frozenset(keys), AppSettings(rate_limit_events_per_s=rate))
    store.apps.update(dict.fromkeys(keys, app))


async def test_an_app_is_read_once_while_it_is_fresh(store: Store, resolver: AppResolver, clock: Clock) -> None:
    for _ in range(3):
        assert (await resolver.app("web_new")).id == 1
    assert store.asked == ["web_new"]
    clock.now += TTL_S
    add(store, 1, "web_new", rate=5.0)
    assert (await resolver.app("web_new")).settings.rate_limit_events_per_s == 5
    assert store.asked == ["web_new"] * 2


async def test_a_key_nobody_has_is_asked_for_again_soon(store: Store, resolver: AppResolver, clock: Clock) -> None:
    for _ in range(3):
        with pytest.raises(AppNotFound):
            await resolver.app("web_nobody")
    assert store.asked == ["web_nobody"]
    clock.now += MISS_TTL_S
    add(store, 2, "web_nobody")
    assert (await resolver.app("web_nobody")).id == 2


async def test_an_endless_key_is_not_even_asked_for(store: Store, resolver: AppResolver) -> None:
    with pytest.raises(AppNotFound):
        await resolver.app("x" * (MAX_KEY_LENGTH + 1))
    assert store.asked == []


async def test_a_change_is_seen_at_once_under_every_key_of_the_app(store: Store, resolver: AppResolver) -> None:
    add(store, 2, "web_other")
    for key in ("web_new", "web_old", "web_other"):
        await resolver.app(key)
    add(store, 1, "web_new", "web_old", rate=5.0)
    resolver.forget(1, "web_new")
    for key in ("web_new", "web_old"):
        assert (await resolver.app(key)).settings.rate_limit_events_per_s == 5
    await resolver.app("web_other")
    assert store.asked.count("web_other") == 1


async def test_a_key_that_was_unknown_is_found_once_it_is_made(store: Store, resolver: AppResolver) -> None:
    with pytest.raises(AppNotFound):
        await resolver.app("web_made")
    add(store, 3, "web_made")
    resolver.forget(3, "web_made")
    assert (await resolver.app("web_made")).id == 3


async def test_what_was_read_before_a_change_is_not_remembered_after_it(store: Store, resolver: AppResolver) -> None:
    store.open.clear()
    reading = asyncio.create_task(resolver.app("web_new"))
    while not store.asked:  # noqa: ASYNC110 -- one turn of the loop or two
        await asyncio.sleep(0)
    add(store, 1, "web_new", rate=5.0)
    resolver.forget(1, "web_new")
    store.open.set()
    assert (await reading).settings.rate_limit_events_per_s is None
    assert (await resolver.app("web_new")).settings.rate_limit_events_per_s == 5
