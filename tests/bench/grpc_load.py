"""The load generator for gRPC: several client processes that start together."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.bench.grpc_client import READY
from tests.bench.result import Load
from tests.bench.site import BenchFault
from tests.collector import ROOT

FOR_EVER = 1 << 40


@dataclass(frozen=True)
class Fleet:
    """Client processes, and requests that each keeps under way."""

    processes: int
    concurrency: int


class Clients:
    """Connected client processes that send batches made from the serialised `requests` once `run` is called.

    They send for some seconds or `count` times in all.
    """

    def __init__(
        self, target: str, requests: Sequence[bytes], fleet: Fleet, *, seconds: float = FOR_EVER, count: int = 0
    ) -> None:
        with tempfile.NamedTemporaryFile(suffix=".bin") as file:
            file.write(b"".join(requests))
            file.flush()
            plan = {
                "target": target,
                "templates": file.name,
                "template_bytes": [len(request) for request in requests],
                "concurrency": fleet.concurrency,
                "seconds": seconds,
            }
            shares = [count // fleet.processes + (i < count % fleet.processes) for i in range(fleet.processes)]
            self._clients = [
                _start(plan | {"prefix": uuid4().hex[:8], "requests": share if count else FOR_EVER}) for share in shares
            ]
            for client in self._clients:
                _expect(client, READY)

    def run(self) -> Load:
        """Send, wait for every answer, and return what was seen."""
        for client in self._clients:
            _say(client, "go")
        told = [json.loads(_line(client)) for client in self._clients]
        for client in self._clients:
            client.communicate()
        return _sum(told)


def _start(plan: dict[str, Any]) -> subprocess.Popen[str]:
    client = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.grpc_client"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "generated"), str(ROOT)])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    _say(client, json.dumps(plan))
    return client


def _say(client: subprocess.Popen[str], text: str) -> None:
    assert client.stdin is not None
    client.stdin.write(f"{text}\n")
    client.stdin.flush()


def _expect(client: subprocess.Popen[str], word: str) -> None:
    if _line(client).strip() != word:
        raise BenchFault("a gRPC client did not start; its error stands above")


def _line(client: subprocess.Popen[str]) -> str:
    assert client.stdout is not None
    line = client.stdout.readline()
    if not line:
        raise BenchFault(f"a gRPC client ended early with {client.wait()}; its error stands above")
    return line


def _sum(told: list[dict[str, Any]]) -> Load:
    latencies = sorted(latency for one in told for latency in one["latencies_ms"])
    return Load(
        seconds=max(one["seconds"] for one in told),
        requests=len(latencies),
        accepted=sum(one["accepted"] for one in told),
        rejected=sum(one["rejected"] for one in told),
        failed=sum(one["failed"] for one in told),
        lost=0,
        p50_ms=percentile(latencies, 50),
        p95_ms=percentile(latencies, 95),
        p99_ms=percentile(latencies, 99),
        cpu_s=sum(one["cpu_s"] for one in told),
        processes=len(told),
    )


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The value below which `percent` of the ordered values lie; 0 when there are none."""
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0
