"""Starts of the real program without its imports: one process makes them once and forks for each start.

Of the 2.6 seconds of CPU that a start takes 2.0 are imports, the same each time; a hundred kills take a hundred starts.
"""

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import IO

from tests.collector import ROOT, environment

MOST_BYTES = 262_144
"""Of one order: arguments and environment."""


class Forked:
    """What tests need of `subprocess.Popen`, for a program that is no child of ours: how it ended nobody tells us."""

    def __init__(self, pid: int, stdout: IO[str]) -> None:
        self.pid, self.stdout = pid, stdout
        self._ended = os.pidfd_open(pid)

    def poll(self) -> int | None:
        return self.wait(0) if select.select([self._ended], [], [], 0)[0] else None

    def wait(self, timeout: float | None = None) -> int:
        """0 once it has ended, however it did."""
        if not select.select([self._ended], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("a forked program", timeout or 0)
        return 0

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._ended, number)


class Forks:
    """The process that forks."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders

    def launch(self, *arguments: str, env: Mapping[str, str], stderr: IO[bytes]) -> Forked:
        """As `tests.collector.launch`, a second or two sooner."""
        reading, writing = os.pipe()
        order = json.dumps({"arguments": arguments, "environment": environment(env)}).encode()
        socket.send_fds(self._orders, [order], [writing, stderr.fileno()])
        os.close(writing)
        return Forked(int(self._orders.recv(MOST_BYTES)), os.fdopen(reading, "r"))


@contextlib.contextmanager
def forks(env: Mapping[str, str] | None = None) -> Iterator[Forks]:
    """A process that forks for as long as the block lasts; `env` is added to its own environment."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, "-m", "tests.faults.forks", str(theirs.fileno())]
        process = subprocess.Popen(command, cwd=ROOT, env=environment(env), pass_fds=[theirs.fileno()])
    try:
        yield Forks(ours)
    finally:
        ours.close()
        process.wait()


def _fork_on_order(orders: socket.socket) -> None:
    """Fork for each order until nobody is left to give one."""
    importlib.import_module("server.app")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here
    while True:
        order, files, _, _ = socket.recv_fds(orders, MOST_BYTES, 2)
        if not order:
            return
        pid = os.fork()
        if pid == 0:
            orders.close()
            _become(json.loads(order), files)
        for file in files:
            os.close(file)
        orders.send(str(pid).encode())


def _become(order: dict[str, object], files: list[int]) -> None:
    """Be the program that was ordered, to its end."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, file in enumerate(files, start=1):
            os.dup2(file, number)
            os.close(file)
        os.environ.clear()
        os.environ.update(order["environment"])  # type: ignore[call-overload]
        sys.argv = ["healthguard", *order["arguments"]]  # type: ignore[misc]
        importlib.import_module("server.cli").main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    _fork_on_order(socket.socket(fileno=int(sys.argv[1])))
