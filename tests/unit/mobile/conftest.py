"""The golden vectors that OpenReplay's own code was run on, and how a listed message reads with us."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.mobile.codec import Message
from server.mobile.messages import json_name
from tests.conftest import RECORDINGS

Vector = dict[str, Any]

_FILE = "openreplay-vectors.json"
_KINDS = ("batch", "primitive", "token", "session_id", "frames", "image_upload")
# Where nobody has the recordings the tests still have to be there, for the fixture to say so.
_NOT_THERE = "not there"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test with an argument `batch_vector`, `token_vector`, ... one case for each vector of that kind."""
    for kind in _KINDS:
        if f"{kind}_vector" in metafunc.fixturenames:
            path = RECORDINGS / _FILE
            names = list(_of_kind(path, kind)) if path.exists() else [_NOT_THERE]
            metafunc.parametrize(f"{kind}_vector", names, ids=names, indirect=True)


def _of_kind(path: Path, kind: str) -> dict[str, Vector]:
    return {vector["name"]: vector for vector in json.loads(path.read_text()) if vector["kind"] == kind}


def _one(kind: str) -> Any:
    def vector(request: pytest.FixtureRequest, golden_dir: Path) -> Vector:
        return _of_kind(golden_dir / _FILE, kind)[request.param]

    return pytest.fixture(vector)


def _all(kind: str) -> Any:
    def vectors(golden_dir: Path) -> dict[str, Vector]:
        return _of_kind(golden_dir / _FILE, kind)

    return pytest.fixture(vectors)


batch_vector, batch_vectors = _one("batch"), _all("batch")
primitive_vector = _one("primitive")
token_vector, token_vectors = _one("token"), _all("token")
session_id_vector = _one("session_id")
frames_vector = _one("frames")
image_upload_vector = _one("image_upload")


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
