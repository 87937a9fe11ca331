"""The load generator for REST: wrk with a script, in a process of its own, its answer read back as numbers."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tests.bench.result import Load
from tests.bench.site import BenchFault

SCRIPTS = Path(__file__).parent
TIMEOUT_S = 20


@dataclass(frozen=True)
class Pace:
    """How hard to push: requests a second that come whether or not others were answered, or as many as are answered."""

    connections: int
    per_s: float = 0


class Wrk:
    """One run of wrk; it works until `finish`."""

    def __init__(
        self, script: str, url: str, files: Iterable[Iterable[str]], *arguments: str, connections: int, seconds: float
    ) -> None:
        self._files = [_write_lines(lines) for lines in files]
        self._connections = connections
        command = [program(), "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", f"{TIMEOUT_S}s"]
        self._process = subprocess.Popen(
            [*command, "-s", SCRIPTS / script, url, "--", *self._files, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self) -> Load:
        """Wait for its end and return what it saw."""
        assert self._process.stdout is not None
        output = self._process.stdout.read()
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._process.stdout.close()
        for file in self._files:
            Path(file).unlink()
        for line in output.splitlines():
            if line.startswith("RESULT "):
                found = json.loads(line.removeprefix("RESULT "))
                return Load(**found, cpu_s=usage.ru_utime + usage.ru_stime, in_flight=self._connections)
        raise BenchFault(f"wrk ended with {self._process.returncode} and no result: {output.strip()[-500:]}")


def ingest(base: str, bodies: Iterable[str], pace: Pace, seconds: float, resends: float = 0) -> Wrk:
    """Start posting batches made from `bodies`, a share of them twice."""
    prefix = uuid4().hex[:8]
    url = f"{base}/api/events/batch"
    arguments = (prefix, str(pace.per_s), str(resends))
    return Wrk("ingest.lua", url, [bodies], *arguments, connections=pace.connections, seconds=seconds)


def append(base: str, batches: Iterable[str], tokens: Iterable[str], pace: Pace, together: int, seconds: float) -> Wrk:
    """Start appending each batch, given in hexadecimal, to each session, `together` sessions side by side."""
    return Wrk(
        "append.lua",
        f"{base}/v1/ios/append",
        (batches, tokens),
        str(together),
        connections=pace.connections,
        seconds=seconds,
    )


def read(base: str, paths: Iterable[str], token: str, seconds: float) -> Wrk:
    """Start asking for `paths` in turn, one after the other, as one dashboard does."""
    return Wrk("read.lua", base, [paths], token, connections=1, seconds=seconds)


def _write_lines(lines: Iterable[str]) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as file:
        file.writelines(f"{line}\n" for line in lines)
    return file.name


def program() -> str:
    """Where wrk is. Raises BenchFault without it."""
    found = shutil.which("wrk")
    if found is None:
        raise BenchFault("the load generator wrk is missing: apt-get install wrk")
    return found
