"""Passwords: judged, hashed with argon2id and checked, off the event loop and never more at once than the machine bears."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.errors import PasswordTooLong, PasswordTooShort, SignInBusy

T = TypeVar("T")

SHORTEST_UTF16_UNITS = 8
LONGEST_BYTES = 1_024
"""A bound on work, far above any passphrase; argon2 itself would take 4 GiB."""

THREADS = 2
MAX_WAITING = 64
"""At 25 ms each in two threads the last of them waits 0.8 s; more would only time out."""

# OWASP's choice for argon2id where memory is dear: 19 MiB and two passes, about 25 ms here.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def judge(password: str) -> None:
    """Raises PasswordTooShort or PasswordTooLong. Length counts as in the documented API: UTF-16 units, not trimmed."""
    if len(password.encode("utf-16-le")) // 2 < SHORTEST_UTF16_UNITS:
        raise PasswordTooShort
    if len(password.encode()) > LONGEST_BYTES:
        raise PasswordTooLong


class Passwords:
    """Hashes and checks in a small pool. Both raise SignInBusy when too many wait already."""

    def __init__(self, hasher: PasswordHasher = _HASHER) -> None:
        self._hasher = hasher
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="password")
        self._waiting = 0
        self._nobodys_hash = hasher.hash("the password of nobody")

    async def hash(self, password: str) -> str:
        """The hash to store."""
        return await self._run(self._hasher.hash, password)

    async def check(self, password: str, stored: str | None) -> bool:
        """Whether the password belongs to the stored hash. Without one it works just as long, and says no."""
        matches = await self._run(self._matches, stored or self._nobodys_hash, password)
        return matches and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than today's and should be made anew."""
        return self._hasher.check_needs_rehash(stored)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., T], *args: str) -> T:
        if self._waiting >= MAX_WAITING:
            raise SignInBusy(retry_after_s=1)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        finally:
            self._waiting -= 1
