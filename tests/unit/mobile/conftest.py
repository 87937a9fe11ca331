"""The golden vectors that OpenReplay's own code was run on, and how a listed message reads with us."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.mobile.codec import Message
from server.mobile.messages import json_name

Vector = dict[str, Any]

_VECTORS: list[Vector] = json.loads(Path(__file__).with_name("openreplay-vectors.json").read_text())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test with an argument `batch_vector`, `token_vector`, ... one case for each vector of that kind."""
    for name in metafunc.fixturenames:
        kind = name.removesuffix("_vector")
        if kind != name:
            cases = _named(kind)
            metafunc.parametrize(name, cases.values(), ids=cases)


def _named(kind: str) -> dict[str, Vector]:
    return {vector["name"]: vector for vector in _VECTORS if vector["kind"] == kind}


@pytest.fixture
def batch_vectors() -> dict[str, Vector]:
    """All batches, by name."""
    return _named("batch")


@pytest.fixture
def token_vectors() -> dict[str, Vector]:
    """All tokens, by name."""
    return _named("token")


@pytest.fixture
def as_listed() -> Callable[[Vector], Message]:
    """Turns a message of the vectors into ours: JSON names, its own time beside its fields, no Length."""

    def convert(listed: Vector) -> Message:
        fields = {json_name(name): value for name, value in listed["fields"].items()}
        own_time = fields.pop("timestamp", listed["timestamp"])
        fields.pop("length", None)
        # Web batches sign their clock, message times are unsigned.
        return Message(listed["index"], listed["type"], listed["name"], own_time % 2**64, fields)

    return convert
