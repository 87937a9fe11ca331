"""Starts of the real program without its imports: one process makes them once and forks for each start.

Of the 2.6 seconds of CPU that a start takes 2.0 are imports, the same each time. From there on a fork is the program: it runs
`python -m server` with its own arguments, environment and files, and ends as the interpreter ends.
"""

import array
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

MOST_BYTES = 262_144
"""Of one order: arguments and environment."""

STATUS = "i"
"""How a status travels: what `subprocess.Popen` calls the return code."""


class Forked:
    """What tests need of `subprocess.Popen`, for a program whose parent is the process that forks."""

    def __init__(self, pid: int, process: int, status: int) -> None:
        self.pid = pid
        self.stdout: IO[str] | None = None
        self.returncode: int | None = None
        self._process, self._status = process, status
        self._asking = threading.Lock()

    def poll(self) -> int | None:
        """The exit code, or the negative number of the signal, of a program that has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """As `poll`, once it has ended."""
        with self._asking:
            if self.returncode is None:
                self.returncode = self._told_within(timeout)
                os.close(self._process)
                os.close(self._status)
            return self.returncode

    def _told_within(self, timeout: float | None) -> int:
        # Not select(): tests of floods have more than 1,024 files open.
        poll = select.poll()
        poll.register(self._status, select.POLLIN)
        if not poll.poll(None if timeout is None else timeout * 1_000):
            raise subprocess.TimeoutExpired("a forked program", timeout or 0)
        told = os.read(self._status, 16)
        if not told:
            raise ChildProcessError("the process that forks ended before its program")
        return array.array(STATUS, told)[0]

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._process, number)


class Forks:
    """The process that forks, begun with its first order: `home` is where it and its programs work."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self._home, self._environment = home, environment
        self._orders: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._ordering = threading.Lock()

    def launch(self, arguments: Sequence[str], environment: Mapping[str, str], stderr: IO[bytes] | None) -> Forked:
        """Start the program, its standard output a pipe."""
        reading, writing = os.pipe()
        forked = self.start(arguments, environment, writing, stderr.fileno() if stderr else 2)
        os.close(writing)
        forked.stdout = os.fdopen(reading, "r")
        return forked

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], stdout: int, stderr: int) -> Forked:
        """Start the program with what it writes going to these files."""
        order = json.dumps({"arguments": arguments, "environment": dict(environment)}).encode()
        reading, writing = os.pipe()
        with self._ordering:
            pid, process = self._order(order, [stdout, stderr, writing])
        os.close(writing)
        return Forked(pid, process, reading)

    def _order(self, order: bytes, files: list[int]) -> tuple[int, int]:
        orders = self._orders = self._orders or self._begin()
        try:
            socket.send_fds(orders, [order], files)
            pid, processes, _, _ = socket.recv_fds(orders, MOST_BYTES, 1)
        except ConnectionError:
            pid = b""
        if not pid:
            self.close()
            raise AssertionError("the process that forks has ended; its standard error says why")
        return int(pid), processes[0]

    def _begin(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "tests.forks", str(theirs.fileno())]
            self._process = subprocess.Popen(command, cwd=self._home, env=self._environment, pass_fds=[theirs.fileno()])
        return ours

    def close(self) -> None:
        """End it, and what still runs of its programs."""
        if self._orders and self._process:
            self._orders.close()
            self._process.wait()
            self._orders = self._process = None


class _Order(NamedTuple):
    """What a program is to be: its arguments and environment, its standard output and standard error."""

    arguments: list[str]
    environment: dict[str, str]
    files: list[int]


def _fork_on_order(orders: socket.socket) -> _Order | None:
    """Fork for each order; in the fork, the order. None when nobody is left to give one: programs end with their tests."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests and their programs
    _import("server.cli")
    with orders, selectors.DefaultSelector() as watched:
        watched.register(orders, selectors.EVENT_READ)
        while watched.get_map():
            for key, _ in watched.select():
                if key.fileobj is not orders:
                    _tell_its_end(watched, key)
                elif order := _read(orders):
                    if _fork(order, orders, watched):
                        return order
                else:
                    watched.unregister(orders)
                    for left in watched.get_map().values():
                        signal.pidfd_send_signal(left.fd, signal.SIGKILL)
    return None


def _read(orders: socket.socket) -> _Order | None:
    order, files, _, _ = socket.recv_fds(orders, MOST_BYTES, 3)
    return _Order(**json.loads(order), files=files) if order else None


def _fork(order: _Order, orders: socket.socket, watched: selectors.BaseSelector) -> bool:
    """Whether this is the fork."""
    *files, status = order.files
    if order.arguments[0].startswith("serve"):
        _import("server.app")  # a server does so after it has begun; other commands never do
    pid = os.fork()
    if pid == 0:
        return True
    for file in files:
        os.close(file)
    process = os.pidfd_open(pid)
    watched.register(process, selectors.EVENT_READ, (pid, status))
    socket.send_fds(orders, [str(pid).encode()], [process])
    return False


def _import(module: str) -> None:
    if module not in sys.modules:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the program has its own word on them
            importlib.import_module(module)
        # A collection in a fork would write to every object that is there by now, and so copy the memory that forks share.
        gc.collect()
        gc.freeze()


def _tell_its_end(watched: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    pid, status = key.data
    _, how = os.waitpid(pid, 0)
    with contextlib.suppress(BrokenPipeError):  # whoever ordered it has gone
        os.write(status, array.array(STATUS, [os.waitstatus_to_exitcode(how)]).tobytes())
    watched.unregister(key.fileobj)
    os.close(key.fd)
    os.close(status)


def _become(order: _Order) -> None:
    """Be the program that was ordered, to its end."""
    stdout, stderr, _ = order.files
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(order.environment)
    sys.argv = ["-m", *order.arguments]
    runpy.run_module("server", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    ordered = _fork_on_order(socket.socket(fileno=int(sys.argv[1])))
    if ordered:
        _become(ordered)
