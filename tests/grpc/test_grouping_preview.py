"""A second version of the grouping, registered by the test alone: what the RPC tells of it, and that nothing else changes."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from rest_facade.inprocess import InProcessChannel
from server import app
from server.config import Settings
from server.ingest.grouping import VERSIONS, v1
from server.services import issue_grouping
from tests.client import PASSWORD
from tests.parity.grpc_driver import GrpcDriver
from tests.sample import error_event, http_event


@pytest.fixture
def second_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goes by the first word of an error's message."""
    version = SimpleNamespace(
        VERSION="v2",
        error_inputs=v1.error_inputs,
        error_fingerprint=lambda event: f"v2:{event.message.split()[0]}",
        request_inputs=v1.request_inputs,
        request_fingerprint=v1.request_fingerprint,
        masked=v1.masked,
    )
    monkeypatch.setitem(VERSIONS, "v2", version)


@pytest.fixture
async def driver(engine: str, migrated: Callable[[str], str], tmp_path: Path) -> AsyncIterator[GrpcDriver]:
    settings = Settings.load(data_dir=tmp_path, database_url=migrated(engine))
    async with app.open_backend(settings) as backend:
        yield GrpcDriver(InProcessChannel(backend.in_process()))


@pytest.mark.usefixtures("second_version")
async def test_a_dry_run_tells_what_a_new_version_would_join_and_split(
    driver: GrpcDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await driver.register("ann@example.test", PASSWORD))["token"]
    made = (await driver.create_app(token, "Shop"))["app"]
    messages = ("Order 1 gone", "Order 2 gone", "Order 3 lost", "1 order", "2 orders", "2 order", "Alone")
    sent = [error_event(fingerprint="", message=message) for message in messages]
    await driver.ingest(made["appKey"], [*sent, http_event(), error_event(fingerprint="js:own")])
    before = (await driver.issues(token))["issues"]
    assert await driver.preview(token, made["id"]) == {
        "version": "v2",
        "issues": 6,
        "events": 8,
        "joined": 4,
        "split": 1,
        "complete": True,
    }
    orders = [issue["id"] for issue in before if issue["message"].startswith("Order")]
    await driver.merge(token, orders[0], orders[1:])
    assert (await driver.preview(token, made["id"], "v2"))["joined"] == 2
    await driver.unmerge(token, orders[1])
    assert (await driver.preview(token, made["id"], "v1"))["joined"] == 0
    assert (await driver.issues(token))["issues"] == before
    found = await driver.grouping(token, orders[0])
    assert (found["version"], found["knownVersions"]) == ("v1", ["v1", "v2"])
    monkeypatch.setattr(issue_grouping, "PREVIEWED_ISSUES", 4)
    monkeypatch.setattr(issue_grouping, "ISSUES_PER_TURN", 2)
    part = await driver.preview(token, made["id"])
    assert (part["issues"], part["complete"]) == (4, False)
