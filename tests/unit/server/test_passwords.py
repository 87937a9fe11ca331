"""Password hashing: right, bounded, and as slow for nobody as for somebody."""

import asyncio

import pytest
from argon2 import PasswordHasher

from server import passwords
from server.errors import SignInBusy
from server.passwords import Passwords


class CountingHasher(PasswordHasher):
    """Cheap, and remembers against which hash it verified."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=1_024, parallelism=1)
        self.verified: list[str | bytes] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002 -- argon2's own name
        self.verified.append(hash)
        return super().verify(hash, password)


async def test_a_password_matches_its_own_hash_alone() -> None:
    found = Passwords(CountingHasher())
    stored = await found.hash("correct-horse-9")
    assert await found.check("correct-horse-9", stored)
    assert not await found.check("correct-horse-8", stored)
    assert not await found.check("correct-horse-9", "damaged")


async def test_without_an_account_the_same_work_is_done_and_says_no() -> None:
    hasher = CountingHasher()
    found = Passwords(hasher)
    assert not await found.check("correct-horse-9", None)
    assert not await found.check("the password of nobody", None)
    assert len(hasher.verified) == 2
    assert str(hasher.verified[0]).startswith("$argon2id$v=19$m=1024,t=1,p=1$")


async def test_the_default_is_what_owasp_asks_for() -> None:
    stored = await Passwords().hash("correct-horse-9")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not Passwords().is_outdated(stored)


async def test_more_than_the_machine_bears_is_refused_and_room_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MAX_WAITING", 3)
    found = Passwords(CountingHasher())
    answers = await asyncio.gather(*(found.hash("correct-horse-9") for _ in range(5)), return_exceptions=True)
    assert [isinstance(answer, SignInBusy) for answer in answers] == [False] * 3 + [True] * 2
    assert await found.hash("correct-horse-9")
