"""The command line without a server: help, and faults in one line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.cli import app
from server.config import Settings


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HEALTHGUARD_{name.upper()}", raising=False)


def told(*arguments: str) -> list[str]:
    """The lines on stderr of a command that must fail."""
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1, done.output
    assert done.stdout == ""
    return done.stderr.splitlines()


@pytest.mark.parametrize("command", ["serve", "serve-grpc", "serve-rest", "migrate", "doctor", "demo"])
def test_every_command_explains_itself(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"])
    assert done.exit_code == 0
    assert f"Usage: healthguard {command}" in done.output.replace("root", "healthguard")
    assert command in CliRunner().invoke(app, ["--help"]).output


def test_each_faulty_setting_has_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHGUARD_LOG_LEVEL", "loud")
    lines = told("serve", "--rest", "nowhere", "--workers", "2")
    assert len(lines) == 3
    assert all(line.startswith("healthguard: ") for line in lines)
    assert lines[-1].startswith("healthguard: --workers (HEALTHGUARD_WORKERS): SQLite allows one worker")


def test_rest_alone_needs_a_target() -> None:
    (line,) = told("serve-rest")
    assert line.startswith("healthguard: --target (HEALTHGUARD_TARGET): ")


def test_a_data_directory_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (line,) = told("serve", "--data-dir", str(tmp_path / "file"))
    assert line.startswith("healthguard: --data-dir (HEALTHGUARD_DATA_DIR): cannot write to ")


def test_a_database_that_does_not_answer_is_one_line() -> None:
    (line,) = told("migrate", "--database-url", "postgresql+psycopg://me:swordfish@127.0.0.1:9/name")
    assert line.startswith("healthguard: --database-url (HEALTHGUARD_DATABASE_URL): ")
    assert "swordfish" not in line


def test_a_demo_without_a_collector_says_what_to_start() -> None:
    (line,) = told("demo", "--rest", "127.0.0.1:9")
    assert "127.0.0.1:9" in line
    assert " serve" in line


def test_migrate_says_what_it_did(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/healthguard.db"
    first = CliRunner().invoke(app, ["migrate", "--data-dir", str(tmp_path), "--database-url", url])
    again = CliRunner().invoke(app, ["migrate", "--data-dir", str(tmp_path), "--database-url", url])
    assert first.stdout == f"{url}: the schema was empty and is current now\n"
    assert again.stdout == f"{url}: the schema was current already\n"
