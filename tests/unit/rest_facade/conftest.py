"""The facade over fake services, in process and without a socket."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from rest_facade.app import create_app
from rest_facade.inprocess import InProcessChannel, InProcessServer
from rest_facade.settings import FacadeSettings
from tests.unit.rest_facade.fakes import Services

DASHBOARDS = ("http://shop.example", "http://a.test", "null")


@pytest.fixture(scope="session")
def shared_services() -> Services:
    return Services()


@pytest.fixture(scope="session")
def channel(shared_services: Services) -> InProcessChannel:
    server = InProcessServer()
    shared_services.register(server)
    return InProcessChannel(server)


@pytest.fixture(scope="session")
def default_app(channel: InProcessChannel) -> ASGIApp:
    """Made once: reading and checking the document takes most of a second."""
    return create_app(FacadeSettings(cors_origins=DASHBOARDS), channel)


@pytest.fixture
def services(shared_services: Services) -> Services:
    """The fake services, with nothing asked and nothing prepared."""
    shared_services.reset()
    return shared_services


@pytest.fixture
async def clients() -> AsyncIterator[Callable[[ASGIApp], httpx.AsyncClient]]:
    opened: list[httpx.AsyncClient] = []

    def client(app: ASGIApp) -> httpx.AsyncClient:
        opened.append(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://collector.test"))
        return opened[-1]

    yield client
    for one in opened:
        await one.aclose()


@pytest.fixture
def open_facade(
    channel: InProcessChannel, services: Services, clients: Callable[..., Any]
) -> Callable[..., httpx.AsyncClient]:
    """Makes a client of a facade with the given settings."""
    return lambda **settings: clients(create_app(FacadeSettings(**settings), channel))


@pytest.fixture
def facade(default_app: ASGIApp, services: Services, clients: Callable[..., Any]) -> httpx.AsyncClient:
    """A client of a facade with default settings and some dashboards."""
    return clients(default_app)
