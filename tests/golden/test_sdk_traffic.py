"""What real SDKs sent, replayed in order: every batch is acknowledged, and the counts come out as the recordings list."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.client import Account, Rest
from tests.collector import Collector
from tests.store_access import insert_app

Json = dict[str, Any]

# The recordings carry the times at which they were made.
ANY_AGE = {"HEALTHGUARD_EVENT_MAX_AGE_DAYS": "36500"}
COUNTED = ("events", "errors", "failedRequests")
# What an issue's events decide; wording and lifecycle are compared elsewhere.
COMPARED = (
    "id", "eventCount", "firstSeenAt", "lastSeenAt", "firstSeenRelease", "lastSeenRelease", "platformDistribution",
)  # fmt: skip
# Set by the connection itself, not by the SDK.
HOP_HEADERS = {"host", "connection", "content-length", "accept-encoding"}


@pytest.fixture(scope="module")
def lines(golden_dir: Path) -> list[Json]:
    text = (golden_dir / "sdk-traffic.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def expected(golden_dir: Path) -> dict[str, Json]:
    found: dict[str, Json] = json.loads((golden_dir / "sdk-expected.json").read_text())
    return found


class Recorder:
    """A collector in which the recorded app keys exist, owned by one account."""

    def __init__(self, collector: Collector, rest: Rest, app_keys: Iterable[str]) -> None:
        self.rest = rest
        self.owner: Account = self.rest.register()
        for app_key in app_keys:
            insert_app(collector.database_url, self.owner.email, app_key)

    def replay(self, line: Json) -> httpx.Response:
        request = line["request"]
        headers = {name: value for name, value in request["headers"].items() if name not in HOP_HEADERS}
        content = _as_javascript_writes(request["body"]) if "body" in request else None
        return self.rest.http.request(request["method"], request["path"], headers=headers, content=content)


def _as_javascript_writes(body: Any) -> bytes:
    """JSON.stringify's bytes: compact, unicode as it is, lone surrogates escaped."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in text).encode()


@pytest.fixture
def recorder(
    engine: str, start_collector: Callable[..., Collector], connect: Callable[[str], Rest], expected: dict[str, Json]
) -> Recorder:
    collector = start_collector(engine, env=ANY_AGE)
    return Recorder(collector, connect(collector.rest), expected)


def test_every_batch_is_acknowledged_in_order(recorder: Recorder, lines: list[Json]) -> None:
    refused = {}
    for line in lines:
        if line["kind"] in {"batch", "rejected", "preflight"}:
            answer = recorder.replay(line)
            if not answer.is_success:
                refused[line["n"]] = f"{answer.status_code} {answer.text}"
    assert refused == {}


def test_batches_of_the_recording_count_as_recorded(
    recorder: Recorder, lines: list[Json], expected: dict[str, Json]
) -> None:
    for line in lines:
        if line["kind"] == "batch":
            assert recorder.replay(line).json() == line["response"]["body"], line["n"]
    for app_key, wanted in expected.items():
        totals = recorder.rest.totals(recorder.owner, appKey=app_key)
        assert {name: totals[name] for name in COUNTED} == {name: wanted["overview"][name] for name in COUNTED}
        issues = recorder.rest.issues(recorder.owner, appKey=app_key, pageSize=1000)
        assert _error_issues(issues) == _error_issues(wanted["issues"])
        assert totals["affectedUsers"] == _affected_users(lines, app_key)


def _error_issues(issues: list[Json]) -> dict[str, Json]:
    """Only those whose fingerprint the SDK made: failed requests are grouped otherwise, on purpose."""
    return {issue["id"]: {name: issue[name] for name in COMPARED} for issue in issues if issue["errorType"] != "http"}


def _affected_users(lines: list[Json], app_key: str) -> int:
    events = [
        event
        for line in lines
        if line["kind"] == "batch" and line["request"]["body"]["appKey"] == app_key
        for event in line["request"]["body"]["events"]
    ]
    hit = [e for e in events if e["type"] == "error" or (e["type"] == "http" and not e["success"])]
    return len({e.get("userId") or e.get("anonymousId") for e in hit})
