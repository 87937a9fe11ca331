"""Commands that the program prints can be pasted where it was started."""

import sys
from pathlib import Path

import pytest

from server import program


@pytest.fixture
def unknown_to_the_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_program_below_here_is_named_by_its_path(unknown_to_the_shell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(unknown_to_the_shell / ".venv/bin/healthguard"), "serve"])
    assert program.command() == ".venv/bin/healthguard"


def test_a_module_is_named_as_it_is_run(unknown_to_the_shell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(unknown_to_the_shell / "server/__main__.py"), "serve"])
    assert program.command().endswith(" -m server")


def test_a_program_the_shell_finds_is_named_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "healthguard").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program.command() == "healthguard"
