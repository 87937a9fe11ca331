"""Several worker processes on shared ports: started in turn, restarted when they die, stopped together.

The parent reserves the ports with SO_REUSEPORT, so that port 0 means one port for all and a taken port is found before
anything starts. The first worker starts alone: what keeps one from starting keeps all, and is told once.
"""

import asyncio
import os
import signal
import sys
import threading
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import structlog

from server import data_dir
from server.address import Address, Addresses, bound, reserve
from server.config import Settings

T = TypeVar("T")

READY = "ready"
"""What a worker prints on stdout once it listens."""

PROGRAM = (sys.executable, "-m", "server")
STOP_S = 10.0
LONGEST_PAUSE_S = 30.0
HEALTHY_AFTER_S = 60.0
"""A worker that lived so long was not broken from the start; its next restart comes soon again."""

_LOG = structlog.get_logger(__name__)


async def supervise(
    settings: Settings, command: str, ready: Callable[[Addresses], None], program: Sequence[str] = PROGRAM
) -> bool:
    """Run `settings.workers` processes of a subcommand until SIGTERM or SIGINT; whether all of them ended cleanly.

    `ready` is told the shared addresses when all workers listen. Raises StartupFault when a port is taken.
    """
    with ExitStack() as stack:
        rest = _reserved(stack, settings.rest_address, "--rest") if command != "serve-grpc" else None
        grpc = _reserved(stack, settings.grpc_address, "--grpc") if command != "serve-rest" else None
        addresses = Addresses(rest=rest, grpc=grpc)
        _empty_metrics(settings)
        stop = stack.enter_context(_stop_signals())
        workers = [
            _Worker(index, (*program, command), settings.worker_environment(index, addresses), stop)
            for index in range(settings.workers)
        ]
        return await _run(workers, stop, lambda: ready(addresses))


def follow_parent() -> None:
    """In a worker: end when the parent is gone, however it went. Its end of our stdin closes with it."""

    def wait() -> None:
        # Not sys.stdin: a thread that holds its lock while the interpreter ends makes the end a crash.
        while os.read(0, 1_024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="follow-parent", daemon=True).start()


class _Worker:
    """One place among the workers and the process that fills it at the moment."""

    def __init__(self, index: int, command: Sequence[str], environment: Mapping[str, str], stop: asyncio.Event) -> None:
        self._index = index
        self._command = command
        self._environment = environment
        self._stop = stop
        self._process: Process | None = None
        self._listens = False

    async def start(self) -> bool:
        """Start a process; whether it came to listen before it ended or we were told to stop."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=PIPE,
            env=self._environment,
            start_new_session=True,  # Ctrl-C reaches the parent alone, which then stops us in order
        )
        assert self._process.stdout is not None  # noqa: S101 -- PIPE was asked for
        line = await _before(self._stop, self._process.stdout.readline())
        self._listens = line is not None and line.decode().strip() == READY
        return self._listens

    async def keep(self) -> None:
        """Until told to stop, start the process again whenever it ends, at growing distances while it ends soon."""
        assert self._process is not None  # noqa: S101 -- start() comes first
        loop, pause_s = asyncio.get_running_loop(), 0.5
        began = loop.time()
        while (code := await _before(self._stop, self._process.wait())) is not None:
            self._listens = False
            pause_s = 1.0 if loop.time() - began >= HEALTHY_AFTER_S else min(LONGEST_PAUSE_S, pause_s * 2)
            _LOG.error("worker died, starting it again", worker=self._index, exitCode=code, pauseS=pause_s)
            await _before(self._stop, asyncio.sleep(pause_s))
            if not self._stop.is_set():
                began = loop.time()
                await self.start()

    async def finish(self) -> bool:
        """Stop the process, by force when it takes too long; whether it ended cleanly, if it had begun to work."""
        if self._process is None:
            return True
        if self._process.returncode is None:
            self._process.terminate()
        try:
            code = await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            _LOG.error("worker did not stop in time, killing it", worker=self._index)
            self._process.kill()
            await self._process.wait()
            return False
        return code == 0 or not self._listens


async def _run(workers: Sequence[_Worker], stop: asyncio.Event, ready: Callable[[], None]) -> bool:
    first, *others = workers
    started = await first.start() and all(await asyncio.gather(*(worker.start() for worker in others)))
    if started:
        ready()
        await asyncio.gather(*(worker.keep() for worker in workers))
    stopped_on_request = stop.is_set()
    ended_cleanly = await asyncio.gather(*(worker.finish() for worker in workers))
    return stopped_on_request and all(ended_cleanly)


async def _before(stop: asyncio.Event, work: Coroutine[None, None, T]) -> T | None:
    """The result of `work`, or None when `stop` comes first or at the same time."""
    task, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
        return None if stop.is_set() else task.result()
    finally:
        task.cancel()
        stopping.cancel()


def _reserved(stack: ExitStack, address: Address, flag: str) -> Address:
    return bound(stack.enter_context(reserve(address, flag)))


def _empty_metrics(settings: Settings) -> None:
    """Counters start at zero with the parent: files of earlier processes would be added to ours."""
    data_dir.prepare(settings.metrics_dir)
    for file in settings.metrics_dir.glob("*.db"):
        file.unlink()


@contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
