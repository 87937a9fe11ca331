"""The four ways in: gRPC over a socket, gRPC in process, REST in one process, REST from a separate process."""

from collections.abc import Callable, Iterator

import pytest

from tests.collector import Collector

DOORS = ("grpc-socket", "grpc-in-process", "rest-one-process", "rest-separate")


@pytest.fixture(scope="session")
def facades(
    start_on: Callable[..., Collector], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Collector]]:
    """A separate REST process in front of a separate gRPC process, by engine."""
    started: dict[str, Collector] = {}
    servers: list[Collector] = []

    def facade(engine: str) -> Collector:
        if engine not in started:
            server = start_on(engine, command="serve-grpc", env=UNTHROTTLED)
            servers.append(server)
            started[engine] = Collector(tmp_path_factory.mktemp("facade"), "serve-rest", "--target", server.grpc)
        return started[engine]

    yield facade
    for process in (*started.values(), *servers):
        process.close()
