"""What one address may ask of this process: requests a second, and requests at once, over both doors together.

An IPv6 address counts as its /64, in which any host can roam. Both tables are bounded, whoever asks: requests at once by
the requests there are, rates by forgetting the addresses that were heard of longest ago.
"""

import math
import time
from collections.abc import Callable

from server.address import network_of
from server.errors import LimitExceeded, TooManyAtOnce, TooManyRequests

BURST_S = 10
"""An address may be ahead of its rate by what it grants in so many seconds: a page that opens asks for much at once."""

MAX_KEPT = 32_768
"""Addresses whose rate is remembered, about 5 MB of them. Who comes from more of them than that has as many rates anyway."""

AT_ONCE_RETRY_S = 1.0


class AddressLimits:
    """Admits requests by their client's address. `requests_per_s` is 0 where there is no rate."""

    def __init__(self, *, requests_per_s: float, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s = 1 / requests_per_s if requests_per_s else 0.0
        self._at_once = at_once
        self._clock = clock
        self._working: dict[str, int] = {}
        self._due = _Recent(MAX_KEPT)

    def enter(self, address: str) -> LimitExceeded | None:
        """Begin a request; None where it was admitted, and then `leave` has to follow."""
        key = network_of(address)
        working = self._working.get(key, 0)
        if working >= self._at_once:
            return TooManyAtOnce(AT_ONCE_RETRY_S)
        if self._interval_s and (wait_s := self._take(key)):
            return TooManyRequests(wait_s)
        self._working[key] = working + 1
        return None

    def leave(self, address: str) -> None:
        """End a request that was admitted."""
        key = network_of(address)
        left = self._working[key] - 1
        if left:
            self._working[key] = left
        else:
            del self._working[key]

    def _take(self, key: str) -> float:
        """Count one request; seconds to wait where it comes too early, and then it does not count."""
        now = self._clock()
        due = max(now, self._due.get(key))
        wait_s = due - now - BURST_S
        if wait_s > 0:
            return wait_s
        self._due.put(key, due + self._interval_s)
        return 0.0


class _Recent:
    """Numbers by key, of which the ones put longest ago are forgotten, half of all at a time."""

    def __init__(self, most: int) -> None:
        self._half = most // 2
        self._young: dict[str, float] = {}
        self._old: dict[str, float] = {}

    def get(self, key: str) -> float:
        """The number last put, or one before all others."""
        number = self._young.get(key)
        return self._old.get(key, -math.inf) if number is None else number

    def put(self, key: str, number: float) -> None:
        if len(self._young) >= self._half and key not in self._young:
            self._old, self._young = self._young, {}
        self._young[key] = number
