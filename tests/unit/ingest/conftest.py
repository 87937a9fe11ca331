"""The recordings, as events."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from healthguard.v1 import event_pb2 as event_pb

from tests.unit.ingest.events import event_from_json


@pytest.fixture
def sdk_events(golden_dir: Path) -> list[event_pb.Event]:
    """Every event of the recorded SDK traffic, in order; each test gets its own, because scrubbing changes them."""
    return [event_from_json(sent) for sent in _sent(golden_dir / "sdk-traffic.jsonl")]


@pytest.fixture(scope="session")
def recorded_pairs(golden_dir: Path) -> dict[str, Any]:
    """The recorded requests and answers by name."""
    pairs = json.loads((golden_dir / "healthguard.json").read_text(encoding="utf-8"))
    return {pair["name"]: pair for pair in pairs}


def _sent(recording: Path) -> Iterator[dict[str, Any]]:
    for line in recording.read_text(encoding="utf-8").splitlines():
        recorded = json.loads(line)
        if recorded["kind"] in {"batch", "rejected"}:
            body = recorded["request"]["body"]
            yield from (json.loads(body) if isinstance(body, str) else body)["events"]
