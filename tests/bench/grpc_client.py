"""One process of the gRPC load generator: sends serialised batches with fresh ids and prints what it saw as JSON.

Run by grpc_load.py, which writes the plan to standard input, waits for `ready`, and then says `go`.
"""

import asyncio
import json
import re
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
from healthguard.v1 import event_service_pb2 as event_service_pb

from tests.bench.workload import ID_MARK, USER_MARK, event_id

METHOD = "/healthguard.v1.EventService/IngestEvents"
USERS = 20_000
EVENTS_PER_USER = 50
CONNECTIONS = 4
"""Of each process: several processes of a collector share its port by connection."""

READY = "ready"


class Template:
    """A serialised request whose marks are patched in place, which costs a fraction of serialising it."""

    def __init__(self, request: bytes) -> None:
        self._request = bytearray(request)
        self._ids = [match.start() for match in re.finditer(ID_MARK.encode(), request)]
        self._users = [match.start() for match in re.finditer(USER_MARK.encode(), request)]

    def fill(self, prefix: str, number: int) -> bytes:
        """The request with ids that nobody used before; up to 50 events in a row share a user."""
        first, now_ms = number * len(self._ids), time.time_ns() // 1_000_000
        for index, at in enumerate(self._ids, first):
            self._request[at : at + len(ID_MARK)] = event_id(prefix, index, now_ms).encode()
        for index, at in enumerate(self._users):
            self._request[at : at + len(USER_MARK)] = b"anon_%012d" % ((number + index // EVENTS_PER_USER) % USERS)
        return bytes(self._request)


class Client:
    """Sends until its time or its number of requests is over, some requests always under way."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._latencies_ms: list[float] = []
        self._accepted = self._rejected = self._failed = 0
        self._numbers: Iterator[int] = iter(range(plan["requests"]))
        parts = Path(plan["templates"]).read_bytes()
        sizes = plan["template_bytes"]
        starts = [sum(sizes[:i]) for i in range(len(sizes))]
        self._templates = [Template(parts[start : start + size]) for start, size in zip(starts, sizes, strict=True)]

    async def run(self) -> dict[str, Any]:
        """Connect, wait for `go`, send, and tell."""
        async with AsyncExitStack() as stack:
            calls = [await self._connect(stack) for _ in range(CONNECTIONS)]
            sys.stdout.write(f"{READY}\n")
            sys.stdout.flush()
            sys.stdin.readline()
            began, cpu_before_s = time.perf_counter(), _cpu_s()
            await asyncio.gather(*(self._send(calls[i % CONNECTIONS], began) for i in range(self._plan["concurrency"])))
            return self._told(time.perf_counter() - began, _cpu_s() - cpu_before_s)

    async def _connect(self, stack: AsyncExitStack) -> Any:
        """The call over a connection of its own."""
        options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(self._plan["target"], options=options))
        await channel.channel_ready()
        return channel.unary_unary(METHOD, response_deserializer=event_service_pb.IngestEventsResponse.FromString)

    async def _send(self, call: Any, began: float) -> None:
        for number in self._numbers:
            if time.perf_counter() - began >= self._plan["seconds"]:
                return
            request = self._templates[number % len(self._templates)].fill(self._plan["prefix"], number)
            sent = time.perf_counter()
            try:
                answer = await call(request, timeout=60)
            except grpc.aio.AioRpcError:
                self._failed += 1
                continue
            self._latencies_ms.append((time.perf_counter() - sent) * 1000)
            self._accepted += answer.accepted
            self._rejected += bool(answer.rejected)

    def _told(self, seconds: float, cpu_s: float) -> dict[str, Any]:
        return {
            "seconds": seconds,
            "latencies_ms": self._latencies_ms,
            "accepted": self._accepted,
            "rejected": self._rejected,
            "failed": self._failed,
            "cpu_s": cpu_s,
        }


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    client = Client(json.loads(sys.stdin.readline()))
    sys.stdout.write(json.dumps(asyncio.run(client.run())) + "\n")
