"""A backup taken in the middle of a mixed load: what it brings back balances, whatever was half done at that instant."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client import Rest
from tests.collector import run
from tests.conftest import StartCollector
from tests.faults import books
from tests.faults.rig import Rig
from tests.store_access import stored_event_ids


@pytest.mark.slow
async def test_a_backup_under_load_balances(
    engine: str,
    start_collector: StartCollector,
    connect: Callable[[str], Rest],
    new_database: Callable[[str], str],
    tmp_path: Path,
) -> None:
    rig = Rig.on(f"backup of {engine}", start_collector(engine), connect)
    file, data_dir = tmp_path / "a.tar.zst", tmp_path / "new"
    source = ("--data-dir", str(rig.collector.data_dir), "--database-url", rig.collector.database_url)
    async with rig.under_load():
        await rig.acknowledge_more(100)
        before = set(rig.crowd.acknowledged), set(rig.phones.shots)
        taken = await asyncio.to_thread(run, "backup", str(file), *source)
        await rig.acknowledge_more(100)
    assert (taken.returncode, taken.stderr) == (0, "")
    assert "were not in the blob store" not in taken.stdout
    await rig.check()

    url = new_database(engine)
    brought = run("restore", str(file), "--data-dir", str(data_dir), "--database-url", url)
    assert (brought.returncode, brought.stderr) == (0, "")
    stored = stored_event_ids(url, rig.crowd.app_key)
    assert before[0] <= stored.keys() <= rig.crowd.sent
    assert before[1] <= books.shown_pictures(url)
    books.recount(url)
    books.check_blobs(url, data_dir / "blobs")
