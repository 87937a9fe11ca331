"""Slows down those who guess: failed sign-ins per account and address, registrations per address.

All of it lives in memory and counts per process: with N workers an attacker gets up to N times the attempts, a restart
forgets. Both are bounded, and neither is worth a write to the store for every wrong password.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from server.errors import TooManyAttempts, TooManyRegistrations

Clock = Callable[[], float]

MAX_KEYS = 10_000
"""Keys remembered; the longest untouched go first."""

LONGEST_WAIT_S = 900.0
ADDRESS_FREE_ATTEMPTS = 100
"""Failures in a row from one address before it is slowed: an office behind one address has many forgetful people."""


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last_s: float = 0.0


class Backoff:
    """Failures in a row by key. After the free ones each attempt has to wait 1, 2, 4 ... up to 900 s after the last."""

    def __init__(self, free_attempts: int, clock: Clock) -> None:
        self._free = free_attempts
        self._clock = clock
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """Seconds until the key may try again; 0 when it may now."""
        seen = self._failures.get(key)
        if seen is None or seen.count < self._free:
            return 0.0
        pause = min(LONGEST_WAIT_S, 2.0 ** min(seen.count - self._free, 10))
        return max(0.0, seen.last_s + pause - self._clock())

    def count(self, key: str) -> None:
        """Note one failure."""
        seen = self._failures.setdefault(key, _Failures())
        seen.count, seen.last_s = seen.count + 1, self._clock()
        self._failures.move_to_end(key)
        if len(self._failures) > MAX_KEYS:
            self._failures.popitem(last=False)

    def uncount(self, key: str) -> None:
        """Take one failure back: it was not the caller's."""
        seen = self._failures.get(key)
        if seen is not None:
            seen.count -= 1

    def forgive(self, key: str) -> None:
        """Forget the key's failures."""
        self._failures.pop(key, None)


class SignInThrottle:
    """Guards sign-ins of an account from an address, and of all accounts from it."""

    def __init__(self, free_attempts: int, clock: Clock = time.monotonic) -> None:
        self._accounts = Backoff(free_attempts, clock)
        self._addresses = Backoff(ADDRESS_FREE_ATTEMPTS, clock)

    def begin(self, email: str, address: str) -> None:
        """Admit one attempt, counted as failed until `succeeded`, so that a hundred at once get no further than one
        by one. Raises TooManyAttempts with the time to wait; an attempt refused so is not counted.
        """
        account, network = _keys(email, address)
        wait_s = max(self._accounts.wait_s(account), self._addresses.wait_s(network))
        if wait_s > 0:
            raise TooManyAttempts(retry_after_s=wait_s)
        self._accounts.count(account)
        self._addresses.count(network)

    def succeeded(self, email: str, address: str) -> None:
        """The attempt was right: what failed before it is forgotten."""
        account, network = _keys(email, address)
        self._accounts.forgive(account)
        self._addresses.forgive(network)

    def abandoned(self, email: str, address: str) -> None:
        """The attempt was never judged, through no fault of the caller."""
        account, network = _keys(email, address)
        self._accounts.uncount(account)
        self._addresses.uncount(network)


class RegistrationThrottle:
    """A token bucket per address: so many at once, refilled evenly over the hour."""

    def __init__(self, per_hour: int, clock: Clock = time.monotonic) -> None:
        self._capacity = float(per_hour)
        self._per_s = per_hour / 3600
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> None:
        """Admit one registration. Raises TooManyRegistrations with the time until the next one."""
        key, now = network_of(address), self._clock()
        left, since = self._buckets.get(key, (self._capacity, now))
        left = min(self._capacity, left + (now - since) * self._per_s)
        if left < 1:
            raise TooManyRegistrations(retry_after_s=(1 - left) / self._per_s)
        self._buckets[key] = (left - 1, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > MAX_KEYS:
            self._buckets.popitem(last=False)


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that any IPv6 host can roam in."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


def _keys(email: str, address: str) -> tuple[str, str]:
    network = network_of(address)
    return f"{network} {email}", network
