"""Slows down those who guess: failed sign-ins per account and address, registrations per address.

Counted in the store, so that a restart forgets nothing and all processes count together. An attempt that has to wait costs
one read; one that is admitted costs a short transaction beside 25 ms of hashing, of which the machine does two at a time.
What is stored of an account or address is a hash under the installation's secret: no address can be read back from it.
"""

from collections.abc import Callable
from hashlib import blake2b

from server import clock
from server.address import network_of
from server.errors import TooManyAttempts
from server.store import throttles
from server.store.engine import Engine

ADDRESS_FREE_ATTEMPTS = 100
"""Failures in a row from one address before it is slowed: an office behind one address has many forgetful people."""


class Keys:
    """Names accounts and addresses without telling them."""

    def __init__(self, secret: bytes) -> None:
        self._key = blake2b(secret, digest_size=32).digest()

    def of_account(self, email: str, address: str) -> bytes:
        """An account as it is tried from one address."""
        return self._hash(f"account {network_of(address)} {email}")

    def of_address(self, address: str) -> bytes:
        """All accounts as they are tried from one address."""
        return self._hash(f"address {network_of(address)}")

    def of_registrations(self, address: str) -> bytes:
        """Registrations from one address."""
        return self._hash(f"registrations {network_of(address)}")

    def _hash(self, text: str) -> bytes:
        return blake2b(text.encode(), digest_size=16, key=self._key).digest()


class SignInThrottle:
    """Guards sign-ins of an account from an address, and of all accounts from it."""

    def __init__(
        self, engine: Engine, keys: Keys, free_attempts: int, now_ms: Callable[[], int] = clock.now_ms
    ) -> None:
        self._engine = engine
        self._keys = keys
        self._free_attempts = free_attempts
        self._now_ms = now_ms

    async def begin(self, email: str, address: str) -> None:
        """Admit one attempt, counted as failed until it is forgiven. Raises TooManyAttempts with the time to wait; an
        attempt refused so is not counted.
        """
        wait_ms = await self._engine.read(throttles.wait_ms, self.keys(email, address), self._now_ms())
        if wait_ms > 0:
            raise TooManyAttempts(retry_after_s=wait_ms / 1_000)
        account, network = self.keys(email, address)
        free = {account: self._free_attempts, network: ADDRESS_FREE_ATTEMPTS}
        await self._engine.write(throttles.attempt, free, self._now_ms())

    async def abandoned(self, email: str, address: str) -> None:
        """The attempt was never judged, through no fault of the caller."""
        await self._engine.write(throttles.abandon, self.keys(email, address), self._now_ms())

    def keys(self, email: str, address: str) -> tuple[bytes, bytes]:
        """Under what attempts of the account from the address are counted; to be forgiven when one was right."""
        return self._keys.of_account(email, address), self._keys.of_address(address)


class RegistrationThrottle:
    """So many registrations from an address at once, given back evenly over the hour."""

    def __init__(self, engine: Engine, keys: Keys, per_hour: int, now_ms: Callable[[], int] = clock.now_ms) -> None:
        self._engine = engine
        self._keys = keys
        self._per_hour = per_hour
        self._now_ms = now_ms

    async def take(self, address: str) -> None:
        """Admit one registration. Raises TooManyRegistrations with the time until the next one."""
        key = self._keys.of_registrations(address)
        await self._engine.write(throttles.take, key, self._per_hour, self._now_ms())
