"""The four ways in: gRPC over a socket, gRPC in process, REST in one process, REST from a separate process."""

from collections.abc import AsyncIterator, Callable, Iterator

import grpc
import pytest

from rest_facade.inprocess import InProcessChannel
from server import app
from server.config import Settings
from tests.collector import Collector
from tests.conftest import UNTHROTTLED
from tests.parity.driver import Driver
from tests.parity.grpc_driver import GrpcDriver
from tests.parity.rest_driver import RestDriver


@pytest.fixture(scope="session")
def separate_facade(
    engine: str, start_on: Callable[..., Collector], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """A REST process in front of a gRPC process."""
    with (
        start_on(engine, command="serve-grpc", env=UNTHROTTLED) as server,
        Collector(tmp_path_factory.mktemp("facade"), "serve-rest", "--target", server.grpc) as facade,
    ):
        yield facade


@pytest.fixture(scope="session")
def own_database(engine: str, migrated: Callable[[str], str]) -> str:
    """A database that no other process has open, for the server inside this one."""
    return migrated(engine)


async def grpc_over_a_socket(request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    collector: Collector = request.getfixturevalue("collector")
    async with grpc.aio.insecure_channel(collector.grpc) as channel:
        yield GrpcDriver(channel)


async def grpc_in_process(request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    url = request.getfixturevalue("own_database")
    data_dir = request.getfixturevalue("tmp_path")
    settings = Settings.load(data_dir=data_dir, database_url=url, registrations_per_hour=1_000_000)
    async with app.open_backend(settings) as backend:
        yield GrpcDriver(InProcessChannel(backend.in_process()))


async def rest_of_one_process(request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    async with RestDriver(request.getfixturevalue("collector").rest) as driver:
        yield driver


async def rest_of_a_separate_process(request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    async with RestDriver(request.getfixturevalue("separate_facade").rest) as driver:
        yield driver


DOORS = (grpc_over_a_socket, grpc_in_process, rest_of_one_process, rest_of_a_separate_process)


@pytest.fixture(params=DOORS, ids=lambda door: door.__name__)
async def driver(engine: str, request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    """One door; every test that asks for it runs through all of them, on both engines."""
    async for door in request.param(request):
        yield door
