"""The dashboard, used by a real browser against the real program."""

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import figures
from tests.collector import Collector, run
from tests.conftest import UNTHROTTLED, StartCollector, unavailable

HERE = Path(__file__).parent
TIMEOUT_S = 240
DAYS = 14

Json = dict[str, Any]
Browse = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="session")
def demo(start_on: StartCollector) -> Iterator[tuple[Collector, dict[str, str]]]:
    """A collector with the demo's two weeks, and how to sign in."""
    with start_on("sqlite", env=UNTHROTTLED) as collector:
        done = run("demo", "--rest", collector.rest.removeprefix("http://"), "--days", str(DAYS))
        assert done.returncode == 0, done.stderr
        found = re.search(r"sign in as (\S+) with password (\S+)", done.stdout)
        assert found is not None, done.stdout
        yield collector, {"EMAIL": found[1], "PASSWORD": found[2]}


@pytest.fixture
def browse() -> Browse:
    """Starts one of the scripts beside this file against a collector."""
    node, chromium = shutil.which("node"), shutil.which("chromium")
    if node is None or chromium is None:
        unavailable("the dashboard's tests need node and chromium (on Debian: apt-get install chromium)")
    if not (HERE / "node_modules").is_dir():
        unavailable("the packages of the dashboard's tests are missing: make setup")

    def start(script: str, base: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(node), HERE / script],
            env=os.environ | {"BASE": base, "CHROMIUM": str(chromium)} | env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def told(process: subprocess.Popen[str]) -> Json:
    """What the script says at its end; fails with its complaint where it has one."""
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, err
    read: Json = json.loads(out.splitlines()[-1])
    return read


@pytest.fixture
def empty(start_collector: StartCollector) -> Collector:
    """A collector on an address that stays when it is restarted."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    return start_collector("sqlite", "--rest", address, env=UNTHROTTLED)


def test_the_demo_looks_right_everywhere_and_its_recordings_play(
    demo: tuple[Collector, dict[str, str]], browse: Browse
) -> None:
    collector, account = demo
    shots = {"SHOTS": os.environ["HEALTHGUARD_SHOTS"]} if "HEALTHGUARD_SHOTS" in os.environ else {}
    looking, playing = (browse(script, collector.rest, **account, **shots) for script in ("look.mjs", "play.mjs"))
    assert told(playing) == {"done": True}
    seen = told(looking)
    assert seen["seen"] == 48
    figures.tell("dashboard", pages_seen=seen["seen"], bytes_at_first_load=seen["firstLoadBytes"])


def test_a_whole_day_of_a_new_user(shared_sqlite: Collector, browse: Browse) -> None:
    assert told(browse("act.mjs", shared_sqlite.rest)) == {"done": True}


def test_hostile_events_are_shown_as_text(shared_sqlite: Collector, browse: Browse) -> None:
    assert told(browse("hostile.mjs", shared_sqlite.rest)) == {"issues": 5}


def test_an_outage_is_told_and_heals_by_itself(empty: Collector, browse: Browse) -> None:
    watching = browse("away.mjs", empty.rest)
    assert watching.stdin is not None
    assert watching.stdout is not None
    for asked, act in (("stop", empty.stop), ("start", empty.restart)):
        assert watching.stdout.readline().strip() == asked
        act()
        watching.stdin.write("done\n")
        watching.stdin.flush()
    assert told(watching) == {"healed": True}
