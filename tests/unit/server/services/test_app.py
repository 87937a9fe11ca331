"""Apps of a user, over a real server."""

from typing import Any

import grpc
import grpc.aio
import pytest
from healthguard.v1 import (
    app_service_pb2 as app_pb,
    app_service_pb2_grpc as app_grpc,
    auth_service_pb2 as auth_pb,
    auth_service_pb2_grpc as auth_grpc,
)

from server.services.app import TYPES
from tests.unit.server.conftest import NOW_MS, Door
from tests.unit.server.status_of import failure_of


class Person:
    """A signed-in user and the apps they see."""

    def __init__(self, door: Door, token: str) -> None:
        self._stub = app_grpc.AppServiceStub(door.channel)
        self._metadata = (("authorization", f"Bearer {token}"),)

    async def create(self, **fields: Any) -> Any:
        return (await self._stub.CreateApp(app_pb.CreateAppRequest(**fields), metadata=self._metadata)).app

    async def list(self, **fields: Any) -> Any:
        return await self._stub.ListApps(app_pb.ListAppsRequest(**fields), metadata=self._metadata)

    async def refused(self, call: Any) -> str:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call
        return failure_of(raised.value).reason


async def person(door: Door, email: str) -> Person:
    request = auth_pb.RegisterRequest(email=email, password="correct-horse-9")
    return Person(door, (await auth_grpc.AuthServiceStub(door.channel).Register(request)).token)


@pytest.fixture
async def ann(door: Door) -> Person:
    return await person(door, "ann@example.test")


async def test_an_app_is_web_unless_said_otherwise(ann: Person, door: Door) -> None:
    app = await ann.create(name="  Shop 应用 ")
    assert (app.name, app.type) == ("Shop 应用", "web")
    assert app.app_key.startswith("web_")
    assert len(app.app_key) == len("web_") + 21
    assert app.id.startswith("app_record_")
    assert app.project_id > 0
    assert app.create_time.ToMilliseconds() == NOW_MS
    assert door.forgotten == [(app.project_id, app.app_key)]


@pytest.mark.parametrize("kind", sorted(TYPES))
async def test_the_key_begins_with_the_type(ann: Person, kind: str) -> None:
    app = await ann.create(name="Shop", type=kind)
    assert app.type == kind
    assert app.app_key.startswith(f"{kind}_")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "   ", "type": "nonsense"}, "APP_NAME_REQUIRED"),
        ({"type": "web"}, "APP_NAME_REQUIRED"),
        ({"name": "\0"}, "APP_NAME_REQUIRED"),
        ({"name": "n" * 256}, "APP_NAME_TOO_LONG"),
        ({"name": "X", "type": ""}, "UNSUPPORTED_APP_TYPE"),
        ({"name": "X", "type": "Web"}, "UNSUPPORTED_APP_TYPE"),
    ],
)
async def test_faults_are_named_and_the_name_is_judged_first(ann: Person, fields: dict[str, str], reason: str) -> None:
    assert await ann.refused(ann.create(**fields)) == reason


async def test_pages_are_newest_first_and_end(ann: Person) -> None:
    made = [(await ann.create(name=f"App {number}")).id for number in range(5)]
    first = await ann.list(page_size=2)
    second = await ann.list(page_size=2, page_token=first.next_page_token)
    last = await ann.list(page_size=2, page_token=second.next_page_token)
    assert [app.id for page in (first, second, last) for app in page.apps] == made[::-1]
    assert last.next_page_token == ""
    assert [app.id for app in (await ann.list()).apps] == made[::-1]


async def test_nobody_sees_the_apps_of_others_not_even_by_their_page_token(ann: Person, door: Door) -> None:
    for number in range(3):
        await ann.create(name=f"App {number}")
    bob = await person(door, "bob@example.test")
    assert list((await bob.list()).apps) == []
    token = (await ann.list(page_size=1)).next_page_token
    assert await bob.refused(bob.list(page_token=token)) == "INVALID_PAGE_TOKEN"


@pytest.mark.parametrize("size", [-1, 1_001])
async def test_page_sizes_have_bounds(ann: Person, size: int) -> None:
    assert await ann.refused(ann.list(page_size=size)) == "INVALID_PAGE_SIZE"
