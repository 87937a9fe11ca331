"""What most tests start is a fork that spares the imports: it is told from a real start by nothing but its time."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests import collector
from tests.collector import Collector, run

EPHEMERAL = ("--rest", "127.0.0.1:0", "--grpc", "127.0.0.1:0")


@pytest.mark.parametrize(
    ("arguments", "env", "code"),
    [
        (("doctor", "--help"), {}, 0),
        (("nonsense",), {}, 2),
        (("serve", *EPHEMERAL, "--data-dir", "/proc/self"), {}, 1),
        (("serve", *EPHEMERAL), {"HEALTHGUARD_SECRET": "short"}, 1),
    ],
)
def test_a_fork_says_and_ends_as_a_real_start(
    arguments: tuple[str, ...], env: dict[str, str], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    forked = run(*arguments, env=env)
    monkeypatch.setattr(collector, "forks", None)
    real = run(*arguments, env=env)
    assert (forked.returncode, forked.stdout, forked.stderr) == (real.returncode, real.stdout, real.stderr)
    assert real.returncode == code


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_fork_obeys_signals_and_tells_how_it_ended(number: int, code: int, tmp_path: Path) -> None:
    with Collector(tmp_path / "data") as server:
        assert server.process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            server.wait(0.01)
        server.signal(number)
        assert server.wait() == code
        assert server.process.poll() == code
        server.signal(number)  # to nobody: another process may have its number by now


def test_forks_share_no_pipe_or_socket(tmp_path: Path) -> None:
    with Collector(tmp_path / "one") as first, Collector(tmp_path / "two") as second:
        assert not lines_of(first) & lines_of(second)


def lines_of(server: Collector) -> set[str]:
    """Its pipes and sockets, without the standard input that all programs have in common."""
    files = [str(file.readlink()) for file in Path(f"/proc/{server.process.pid}/fd").iterdir() if file.name != "0"]
    return {file for file in files if file.startswith(("pipe:", "socket:"))}
