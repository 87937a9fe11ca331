"""The real program as a subprocess: started on free ports, read by its banner, stopped, killed and restarted."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Self

from tests.forks import Forked, Forks

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120  # a busy machine
STOP_SECONDS = 10
LOG_SECONDS = 10
RUN_SECONDS = 120
_ADDRESS = re.compile(r"^\s+(REST|gRPC)\s+(?:https?://)?(\S+:\d+)")

forks: Forks | None = None
"""What starts programs where somebody has set it: the same programs, without the time that their imports take."""


class Collector:
    """One `python -m server` process. `rest` is its base URL and `grpc` its target, as far as it serves them."""

    def __init__(
        self,
        data_dir: Path,
        command: str = "serve",
        *options: str,
        env: dict[str, str] | None = None,
        **popen: Any,
    ) -> None:
        self.data_dir = data_dir
        self.database_url = ""
        self._log = data_dir.parent / f"{data_dir.name}.log"
        self._doors = {"serve": ("REST", "gRPC"), "serve-grpc": ("gRPC",), "serve-rest": ("REST",)}[command]
        addresses = [word for door in self._doors for word in (f"--{door.lower()}", "127.0.0.1:0")]
        self._arguments = [command, *addresses, "--data-dir", str(data_dir), *options]
        # Tests come from many addresses, which they name as a proxy on this machine would.
        self._env = {"HEALTHGUARD_TRUSTED_PROXIES": "127.0.0.1"} | (env or {})
        self._popen = popen
        self.launch: Callable[..., Any] = launch
        """What starts it, and starts it again."""
        self._start()

    def _start(self) -> None:
        with self._log.open("ab") as log:
            self.process = self.launch(*self._arguments, env=self._env, **{"stderr": log} | self._popen)
        banner: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=_pass_on, args=(self.process.stdout, banner), daemon=True).start()
        try:
            found = self._addresses(banner)
        except BaseException:
            self.kill()
            raise
        scheme = "https" if "HEALTHGUARD_TLS_CERT" in self._env else "http"
        self.rest = f"{scheme}://{found['REST']}" if "REST" in found else ""
        self.grpc = found.get("gRPC", "")

    def _addresses(self, banner: queue.Queue[str | None]) -> dict[str, str]:
        found: dict[str, str] = {}
        while len(found) < len(self._doors):
            line = banner.get(timeout=START_SECONDS)
            if line is None:
                ended = self.process.wait(STOP_SECONDS)
                raise AssertionError(f"the collector ended with {ended}: {self.log_text()[-2000:]}")
            if match := _ADDRESS.match(line):
                found[match[1]] = match[2]
        return found

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """The exit code, once it ended by itself."""
        return self.process.wait(seconds)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it without a chance to say goodbye."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Start it again on the same data, on new ports."""
        self._start()

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()

    def log_text(self) -> str:
        return self._log.read_text()

    def logs(self) -> list[dict[str, Any]]:
        """Every line it logged, oldest first, without one that is being written."""
        return [json.loads(line) for line in self.log_text().split("\n")[:-1] if line]

    def lines_of(self, request_id: str) -> list[dict[str, Any]]:
        """What it logged of one request; a line may come a moment after the answer."""
        until = time.monotonic() + LOG_SECONDS
        while not (found := [line for line in self.logs() if line.get("requestID") == request_id]):
            if time.monotonic() > until:
                break
            time.sleep(0.02)
        return found

    def memory_bytes(self, what: str = "VmRSS") -> int:
        """Resident memory now, or `VmHWM` for its peak so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{what}:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]

    def open_files(self) -> int:
        """How many file descriptors it holds."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def forget_peak(self) -> int:
        """Let the peak of its memory begin anew; what it takes now."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self.memory_bytes("VmHWM")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _pass_on(lines: IO[str], banner: queue.Queue[str | None]) -> None:
    """Reads to the end of one process, so that it never blocks on a full pipe, whatever was started after it."""
    with lines:
        for line in lines:
            banner.put(line)
    banner.put(None)


def launch(
    *arguments: str, env: Mapping[str, str] | None = None, stderr: IO[Any] | None = None, **options: Any
) -> subprocess.Popen[str] | Forked:
    """Start `python -m server` with no settings from outside, its standard output a pipe."""
    if forks and _settings_alone(env) and not options:
        return forks.launch(arguments, environment(env), stderr)
    return subprocess.Popen(
        _command(arguments),
        cwd=ROOT,
        env=environment(env),
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        **options,
    )


def run(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `python -m server` to its end, its output captured."""
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        if forks and _settings_alone(env):
            process = forks.start(arguments, environment(env), stdout.fileno(), stderr.fileno())
        else:
            process = subprocess.Popen(
                _command(arguments), cwd=ROOT, env=environment(env), stdout=stdout, stderr=stderr
            )
        try:
            code = process.wait(RUN_SECONDS)
        except BaseException:
            process.kill()
            process.wait()
            raise
        stdout.seek(0)
        stderr.seek(0)
        return subprocess.CompletedProcess(arguments, code, stdout.read(), stderr.read())


def _command(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "server", *arguments]


def _settings_alone(env: Mapping[str, str] | None) -> bool:
    """Whether these variables are the program's own, which it reads when it begins; others Python and libraries read before."""
    return all(name.startswith("HEALTHGUARD_") for name in env or {})


def environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    """What a program of ours is started with: these variables, and no settings from outside."""
    # Python may keep what it compiles: these tests start the program dozens of times.
    kept = {n: v for n, v in os.environ.items() if not n.startswith("HEALTHGUARD_") and n != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join([str(ROOT / "generated"), str(ROOT)])
    return {**kept, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **(extra or {})}
