"""The subcommands beside serve, run as an operator runs them."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.collector import Collector, run


@pytest.mark.real_start
def test_doctor_finds_nothing_wrong_with_a_fresh_machine(tmp_path: Path) -> None:
    done = run("doctor", "--rest", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--data-dir", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    report = done.stdout.lower()
    for checked in ("settings", "database", "schema", "disk", "clock", "port"):
        assert checked in report


def test_doctor_names_what_is_wrong(tmp_path: Path, new_database: Callable[[str], str]) -> None:
    addresses = ("--rest", "127.0.0.1:0", "--grpc", "127.0.0.1:0")
    done = run("doctor", *addresses, "--data-dir", str(tmp_path), "--database-url", new_database("postgresql"))
    assert done.returncode == 1
    assert "; run: " in done.stdout
    assert " migrate" in done.stdout
    assert "Traceback" not in done.stderr


def test_migrate_may_run_twice(engine: str, new_database: Callable[[str], str]) -> None:
    url = new_database(engine)
    for _ in range(2):
        done = run("migrate", "--database-url", url)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()


@pytest.mark.real_start
def test_demo_shows_a_collector_that_works(shared_sqlite: Collector) -> None:
    done = run("demo", "--rest", shared_sqlite.rest.removeprefix("http://"))
    assert done.returncode == 0, done.stderr
    assert "events" in done.stdout
    assert "issues" in done.stdout


def test_demo_without_a_collector_says_so(tmp_path: Path) -> None:
    done = run("demo", "--rest", "127.0.0.1:9")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "127.0.0.1:9" in done.stderr


@pytest.mark.real_start
def test_the_banner_names_both_doors_and_the_database(start_collector: Callable[..., Collector]) -> None:
    collector = start_collector("sqlite")
    assert httpx.get(f"{collector.rest}/health", trust_env=False, verify=False).json() == {
        "ok": True,
        "service": "healthguard-server",
    }
    assert httpx.get(f"{collector.rest}/ready", trust_env=False, verify=False).status_code == 200
    assert collector.stop() == 0
