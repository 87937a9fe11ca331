"""The parent of several workers, with small programs in their place."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from server import workers
from server.address import Addresses
from server.config import Settings

OBEDIENT = (
    "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]);"
    "print('ready', flush=True); signal.sigwait([signal.SIGTERM])"
)
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
BROKEN = "raise SystemExit(3)"


class Parent:
    """A supervisor over `count` copies of a program, each noting its start in a file."""

    def __init__(self, folder: Path, source: str, count: int = 2) -> None:
        url = "postgresql+psycopg://host/name"
        self._notes = folder / "starts"
        self._settings = Settings(
            data_dir=folder, database_url=url, workers=count, rest="127.0.0.1:0", grpc="127.0.0.1:0"
        )
        note = f"import os; open({str(self._notes)!r}, 'a').write(os.environ['HEALTHGUARD_WORKER'] + chr(10))"
        self._program = (sys.executable, "-c", f"{note}\n{source}")
        self.told: list[Addresses] = []
        self.running = asyncio.create_task(
            workers.supervise(self._settings, "serve", self.told.append, program=self._program)
        )

    def starts(self) -> list[str]:
        return self._notes.read_text().split() if self._notes.exists() else []

    async def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(2_000):
            if holds() or self.running.done():
                break
            await asyncio.sleep(0.01)
        assert holds()

    async def stop(self) -> bool:
        os.kill(os.getpid(), signal.SIGTERM)
        return await self.running


async def test_all_workers_start_are_announced_once_and_stop_cleanly(tmp_path: Path) -> None:
    parent = Parent(tmp_path, OBEDIENT, count=3)
    await parent.until(lambda: len(parent.told) == 1)
    assert sorted(parent.starts()) == ["0", "1", "2"]
    (addresses,) = parent.told
    assert addresses.rest is not None
    assert addresses.grpc is not None
    assert 0 not in {addresses.rest.port, addresses.grpc.port}
    assert await parent.stop()


async def test_a_worker_that_dies_is_started_again(tmp_path: Path) -> None:
    first_of_worker_1_dies = (
        "n = open(" + repr(str(tmp_path / "starts")) + ").read().split().count('1')\n"
        "import sys, time\n"
        "if os.environ['HEALTHGUARD_WORKER'] == '1' and n == 1: print('ready', flush=True); sys.exit(3)\n"
    )
    parent = Parent(tmp_path, first_of_worker_1_dies + OBEDIENT)
    await parent.until(lambda: parent.starts().count("1") == 2)
    assert parent.starts().count("0") == 1
    assert len(parent.told) == 1
    await parent.stop()


async def test_what_keeps_the_first_worker_from_starting_is_told_once(tmp_path: Path) -> None:
    parent = Parent(tmp_path, BROKEN, count=3)
    assert not await parent.running
    assert parent.starts() == ["0"]
    assert parent.told == []


async def test_a_worker_that_does_not_stop_in_time_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "STOP_S", 0.2)
    parent = Parent(tmp_path, DEAF)
    await parent.until(lambda: len(parent.told) == 1)
    assert not await parent.stop()


def test_a_worker_ends_with_its_parent() -> None:
    source = "import time; from server.workers import follow_parent; follow_parent(); print('up', flush=True); time.sleep(60)"
    with subprocess.Popen(
        (sys.executable, "-c", source),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdin is not None
        assert worker.stdout.readline() == b"up\n"
        worker.stdin.close()
        assert worker.wait(20) == -signal.SIGTERM
