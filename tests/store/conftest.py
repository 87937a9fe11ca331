"""An open store on each engine, and short words for building what goes into it."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from server.store.engine import Engine


@pytest.fixture
def store(engine: str, migrated: Callable[[str], str]) -> Iterator[Engine]:
    """An empty database with the schema in it."""
    with closing(Engine(migrated(engine))) as opened:
        yield opened
