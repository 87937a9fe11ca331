"""An open store on each engine, and short words for building what goes into it."""

from collections.abc import Callable, Iterator

import pytest

from server.store import migrate
from server.store.engine import Engine


@pytest.fixture
def store(engine: str, new_database: Callable[[str], str]) -> Iterator[Engine]:
    """An empty database with the schema in it."""
    opened = Engine(new_database(engine))
    migrate.upgrade(opened)
    yield opened
    opened.close()
