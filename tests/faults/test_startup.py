"""What keeps the program from starting is told in one clear line and exit code 1, never as a traceback."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client import Rest
from tests.collector import Collector, run
from tests.sample import error_event

EPHEMERAL = ("--rest", "127.0.0.1:0", "--grpc", "127.0.0.1:0")


def refused(*arguments: str, env: dict[str, str] | None = None) -> list[str]:
    """The lines in which `serve` says why it will not start."""
    done = run("serve", *arguments, env=env)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "Traceback" not in said
    return done.stderr.strip().splitlines()


@pytest.mark.parametrize("door", ["--rest", "--grpc"])
def test_a_taken_port(door: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        (line,) = refused(*EPHEMERAL, door, address, "--data-dir", str(tmp_path))
    assert door in line
    assert address in line


def test_a_data_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (line,) = refused(*EPHEMERAL, "--data-dir", str(tmp_path / "file" / "data"))
    assert str(tmp_path / "file" / "data") in line


def test_a_data_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (line,) = refused(*EPHEMERAL, "--data-dir", str(tmp_path / "file"))
    assert str(tmp_path / "file") in line


def test_a_data_directory_that_may_not_be_written() -> None:
    # Nobody may write there, not even root.
    (line,) = refused(*EPHEMERAL, "--data-dir", "/proc/self")
    assert "/proc/self" in line


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--rest", "nonsense"), "--rest"),
        (("--grpc", "127.0.0.1:99999"), "--grpc"),
        (("--database-url", "mysql://x/y"), "--database-url"),
        (("--database-url", "sqlite://"), "--database-url"),
        (("--workers", "0"), "--workers"),
        (("--workers", "2"), "--workers"),
        (("--blob-url", "ftp://x"), "--blob-url"),
    ],
)
def test_a_bad_flag_is_named(arguments: tuple[str, str], named: str, tmp_path: Path) -> None:
    (line,) = refused(*EPHEMERAL, "--data-dir", str(tmp_path), *arguments)
    assert named in line


@pytest.mark.real_start
def test_all_bad_settings_are_told_at_once(tmp_path: Path) -> None:
    env = {"HEALTHGUARD_SESSION_TTL_S": "soon", "HEALTHGUARD_REST": "nonsense", "HEALTHGUARD_SECRET": "short"}
    lines = refused("--data-dir", str(tmp_path), env=env)
    assert len(lines) == len(env)
    assert all(any(name in line for line in lines) for name in env)


def damaged(data_dir: Path) -> str:
    """The one line about a file that is at fault, which is left as it was."""
    database = data_dir / "healthguard.db"
    before = database.read_bytes()
    (line,) = refused(*EPHEMERAL, "--data-dir", str(data_dir))
    assert database.read_bytes() == before
    assert str(database) in line
    assert "restore" in line
    return line


@pytest.mark.real_start
def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "healthguard.db").write_bytes(b"not a database, but long enough to look at" * 100)
    assert "is damaged (file is not a database)" in damaged(tmp_path)


@pytest.mark.parametrize("harm", ["cut", "scribbled"])
def test_a_database_with_damaged_pages(harm: str, tmp_path: Path) -> None:
    assert run("migrate", "--data-dir", str(tmp_path)).returncode == 0
    database = tmp_path / "healthguard.db"
    content = database.read_bytes()
    half = len(content) // 2
    kept = content[half + 8_192 :] if harm == "scribbled" else b""
    database.write_bytes(content[:half] + b"\x5a" * (8_192 if kept else 0) + kept)
    assert "is damaged" in damaged(tmp_path)


def test_a_second_server_on_one_file_refuses_and_the_first_goes_on(
    tmp_path: Path, connect: Callable[[str], Rest]
) -> None:
    with Collector(tmp_path / "data") as first:
        rest = connect(first.rest)
        account, app_key = rest.new_app_key()
        (line,) = refused(*EPHEMERAL, "--data-dir", str(first.data_dir))
        assert "another HealthGuard Collector uses" in line
        assert str(first.data_dir / "healthguard.db") in line
        elsewhere = ("--data-dir", str(tmp_path / "other"))
        url = f"sqlite:///{first.data_dir}/healthguard.db"
        assert "another HealthGuard Collector" in refused(*EPHEMERAL, *elsewhere, "--database-url", url)[0]
        assert run("migrate", "--data-dir", str(first.data_dir)).returncode == 1
        assert rest.ingest(app_key, [error_event()]).json() == {"accepted": 1}
        assert rest.totals(account)["events"] == 1
        first.kill()
        first.restart()


def test_a_postgresql_that_is_not_there(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://healthguard:hunter2@/healthguard?host={tmp_path}"
    (line,) = refused(*EPHEMERAL, "--data-dir", str(tmp_path), "--database-url", url)
    assert "hunter2" not in line


def test_a_postgresql_schema_that_is_old_names_the_command(tmp_path: Path, new_database: Callable[[str], str]) -> None:
    url = new_database("postgresql")
    (line,) = refused(*EPHEMERAL, "--data-dir", str(tmp_path), "--database-url", url)
    assert "; run: " in line
    assert " migrate (with the same --database-url)" in line
