"""Admit: what the process can carry is bounded before any work is done for it."""

import math
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from server.errors import DiskFull, Overloaded, RateLimited

DISK_CHECK_INTERVAL_S = 1.0
DISK_RETRY_S = 30
BURST_S = 10
MAX_BUCKETS = 10_000


class Admission:
    """Refuses a request that would exceed its app's rate, the bytes in flight, or the room on the disk.

    `rate_per_s` counts events per app, with a burst of ten seconds; 0 sets no limit. An app's own rate may be lower, not
    higher: it must not starve its neighbours. `directories` are those of the store that are on this machine.
    """

    def __init__(
        self,
        *,
        max_inflight_bytes: int,
        disk_floor_bytes: int,
        directories: Sequence[Path],
        rate_per_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_inflight_bytes = max_inflight_bytes
        self._inflight_bytes = 0
        self._disk_floor_bytes = disk_floor_bytes
        self._directories = directories
        self._disk_checked = float("-inf")
        self._disk_low = False
        self._rate_per_s = rate_per_s or math.inf
        self._buckets: dict[int, tuple[float, float]] = {}
        self._clock = clock

    def carry(self, app_id: int, events: int, size_bytes: int, app_rate_per_s: float | None = None) -> "_Carried":
        """Hold `size_bytes` during the `with` of what this returns. Raises RateLimited, Overloaded or DiskFull."""
        if self._inflight_bytes + size_bytes > self._max_inflight_bytes and self._inflight_bytes:
            raise Overloaded
        if self._is_disk_low():
            raise DiskFull(DISK_RETRY_S)
        self._take_tokens(app_id, events, app_rate_per_s)
        return _Carried(self, size_bytes)

    def hold(self, size_bytes: int) -> None:
        """Count so many bytes, or fewer than none, as in flight."""
        self._inflight_bytes += size_bytes

    def _is_disk_low(self) -> bool:
        now = self._clock()
        if now - self._disk_checked >= DISK_CHECK_INTERVAL_S:
            self._disk_checked = now
            self._disk_low = any(_free_bytes(path) < self._disk_floor_bytes for path in self._directories)
        return self._disk_low

    def wait_s(self, app_id: int, events: int, app_rate_per_s: float | None = None) -> float:
        """Seconds until the rate of the app lets so many events in; 0 where it does now. Takes nothing."""
        rate_per_s = min(self._rate_per_s, app_rate_per_s or math.inf)
        if rate_per_s == math.inf:
            return 0.0
        wanted = min(events, rate_per_s * BURST_S)
        return max(0.0, (wanted - self._tokens(app_id, rate_per_s)) / rate_per_s)

    def _take_tokens(self, app_id: int, events: int, app_rate_per_s: float | None) -> None:
        wait_s = self.wait_s(app_id, events, app_rate_per_s)
        if wait_s:
            raise RateLimited(wait_s)
        rate_per_s = min(self._rate_per_s, app_rate_per_s or math.inf)
        if rate_per_s < math.inf:
            tokens = self._tokens(app_id, rate_per_s)
            if len(self._buckets) >= MAX_BUCKETS:
                self._buckets.clear()
            self._buckets[app_id] = (tokens - events, self._clock())

    def _tokens(self, app_id: int, rate_per_s: float) -> float:
        now = self._clock()
        burst = rate_per_s * BURST_S
        tokens, since = self._buckets.get(app_id, (burst, now))
        return min(burst, tokens + (now - since) * rate_per_s)


class _Carried:
    """The bytes of one request that was admitted."""

    __slots__ = ("_admission", "_size_bytes")

    def __init__(self, admission: Admission, size_bytes: int) -> None:
        self._admission, self._size_bytes = admission, size_bytes

    def __enter__(self) -> None:
        self._admission.hold(self._size_bytes)

    def __exit__(self, *_: object) -> None:
        self._admission.hold(-self._size_bytes)


def _free_bytes(directory: Path) -> float:
    """What the disk of a directory has left. One that is gone tells nothing: writing to it will."""
    try:
        disk = os.statvfs(directory)
    except OSError:
        return math.inf
    return disk.f_bavail * disk.f_frsize
