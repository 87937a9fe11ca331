"""A disk that fills up: ingest says so and waits, reads stay up, nothing acknowledged is lost and nothing is corrupted."""

import base64
import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.client import Rest
from tests.collector import Collector
from tests.conftest import unavailable
from tests.faults import books
from tests.mobile.conftest import owner_on
from tests.mobile.tracker import JPEG, frames_of
from tests.sample import error_event, now_ms
from tests.store_access import stored_event_ids

SMALL_DISK_BYTES = 8 * 1_048_576
BATCHES = 400


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path | None]:
    """A file system of 8 MiB; None where this process may not mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_BYTES}", "tmpfs", str(disk)]
    done = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    yield disk if done else None
    if done:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def small_disk(mounted: Path | None, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A data directory that cannot hold much, and what the process must be started with for that to be so.

    The small file system; where there is none, a limit on the size of the files the process writes.
    """
    limit = (SMALL_DISK_BYTES, SMALL_DISK_BYTES)
    options = {} if mounted else {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit)}
    return mounted or tmp_path / "disk", options


def _incompressible() -> str:
    return base64.b64encode(os.urandom(75_000)).decode()


@pytest.mark.slow
def test_a_full_disk_refuses_and_corrupts_nothing(
    small_disk: tuple[Path, dict[str, Any]], tmp_path: Path, connect: Callable[[str], Rest]
) -> None:
    data_dir, options = small_disk
    with Collector(data_dir, env={"HEALTHGUARD_DISK_FLOOR_BYTES": "0"}, **options) as collector:
        rest = connect(collector.rest)
        account, app_key = rest.new_app_key()
        acknowledged = set()
        refusals = []
        for _ in range(BATCHES):
            event = error_event(message=_incompressible())
            answer = rest.ingest(app_key, [event])
            if answer.status_code == 202:
                acknowledged.add(event["eventId"])
            else:
                refusals.append(answer)
            if len(refusals) == 5:
                break
        assert {answer.status_code for answer in refusals} == {503}
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in refusals)
        assert {answer.json()["code"] for answer in refusals} <= {"DISK_FULL", "STORE_UNAVAILABLE"}
        totals = rest.totals(account)
        assert totals["events"] >= len(acknowledged) > 10
        assert rest.issues(account)[0]["eventCount"] == totals["events"]
        collector.kill()

    # A copy on a disk with room: opening a database is itself a write.
    rescued = shutil.copytree(data_dir, tmp_path / "rescued") / "healthguard.db"
    with closing(sqlite3.connect(rescued)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    stored = stored_event_ids(f"sqlite:///{rescued}", app_key)
    assert acknowledged <= stored.keys()
    assert len(stored) == totals["events"]


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path, connect: Callable[[str], Rest]) -> None:
    with Path("/dev/full").open("w") as full, Collector(tmp_path / "data", stderr=full) as collector:
        rest = connect(collector.rest)
        account, app_key = rest.new_app_key()
        assert rest.ingest(app_key, [error_event()]).json() == {"accepted": 1}
        assert rest.http.get("/api/issues/nonsense", headers=account.headers).status_code == 404
        assert rest.totals(account)["events"] == 1
        assert collector.stop() == 0


def test_below_the_disk_floor_ingest_is_shed_and_reads_stay_up(
    start_collector: Callable[..., Collector], connect: Callable[[str], Rest]
) -> None:
    collector = start_collector("sqlite", env={"HEALTHGUARD_DISK_FLOOR_BYTES": str(2**60)})
    rest = connect(collector.rest)
    account, app_key = rest.new_app_key()
    answer = rest.ingest(app_key, [error_event()])
    assert (answer.status_code, answer.json()["code"]) == (503, "DISK_FULL")
    assert int(answer.headers["retry-after"]) >= 1
    assert rest.totals(account)["events"] == 0


def test_a_full_disk_for_pictures_refuses_them_alone_and_leaves_no_orphan(
    mounted: Path | None, start_collector: Callable[..., Collector], connect: Callable[[str], Rest]
) -> None:
    if mounted is None:
        unavailable("a small file system cannot be mounted here")
        return
    blobs = mounted / "blobs"
    env = {"HEALTHGUARD_DISK_FLOOR_BYTES": "0"}
    collector = start_collector("sqlite", "--blob-url", f"file://{blobs}", env=env)
    rest = connect(collector.rest)
    owner = owner_on(rest)
    tracker = owner.tracker()
    tracker.start()
    at_ms, taken, refused = now_ms(), 0, []
    while len(refused) < 3:
        at_ms += 1
        answer = tracker.upload([("a", frames_of([(at_ms, JPEG + os.urandom(500_000))]))])
        taken += answer.status_code == 200
        refused += [answer] if answer.status_code != 200 else []
        assert taken < BATCHES
    assert {answer.status_code for answer in refused} == {503}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert taken > 5
    assert tracker.post("append", tracker.crash(now_ms())).status_code == 200
    assert rest.ingest(owner.app["appKey"], [error_event()]).status_code == 202
    assert len(books.shown_pictures(collector.database_url)) == taken
    books.check_blobs(collector.database_url, blobs)
    books.recount(collector.database_url)
