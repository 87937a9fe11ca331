"""Users and tokens, alike on both engines."""

import asyncio
from dataclasses import replace

import pytest

from server.errors import EmailAlreadyRegistered, InvalidCredentials, WrongPassword
from server.ids import new_id, token_hash
from server.store import users
from server.store.engine import Engine
from server.store.users import Account, NewUser, Token

NOW_MS = 1_800_000_000_000


def new_user(email: str = "ann@example.test") -> NewUser:
    return NewUser(new_id("user"), email, "$argon2id$not-a-real-one", NOW_MS)


def token(secret: str, expires_ms: int = NOW_MS + 1_000) -> Token:
    return Token(token_hash(secret), NOW_MS, expires_ms)


async def registered(store: Engine) -> Account:
    """The account of a new user with the token "one"."""
    await store.write(users.register, new_user(), token("one"))
    account = await store.read(users.find_account, "ann@example.test")
    assert account is not None
    return account


async def test_a_registered_user_is_found_by_email_and_by_token(store: Engine) -> None:
    user = await store.write(users.register, new_user(), token("one"))
    account = await store.read(users.find_account, "ann@example.test")
    assert account is not None
    assert (account.user, account.password_hash) == (user, "$argon2id$not-a-real-one")
    assert await store.read(users.user_of_token, token_hash("one"), NOW_MS) == user
    assert await store.read(users.find_account, "bob@example.test") is None
    assert await store.read(users.user_of_token, token_hash("two"), NOW_MS) is None


async def test_of_many_that_register_an_email_at_once_one_gets_it(store: Engine) -> None:
    tries = [store.write(users.register, new_user(), token(str(number))) for number in range(8)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, EmailAlreadyRegistered) for result in results) == 7
    (winner,) = [result for result in results if not isinstance(result, BaseException)]
    alive = [await store.read(users.user_of_token, token_hash(str(number)), NOW_MS) for number in range(8)]
    assert [user for user in alive if user is not None] == [winner]


async def test_a_token_ends_with_its_time_or_its_deletion(store: Engine) -> None:
    await store.write(users.register, new_user(), token("one"))
    assert await store.read(users.user_of_token, token_hash("one"), NOW_MS + 999) is not None
    assert await store.read(users.user_of_token, token_hash("one"), NOW_MS + 1_000) is None
    await store.write(users.delete_token, token_hash("one"))
    assert await store.read(users.user_of_token, token_hash("one"), NOW_MS) is None


async def test_a_sign_in_keeps_a_new_hash_and_clears_some_expired_tokens(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "PURGED_AT_ONCE", 2)
    account = await registered(store)
    for number in range(3):
        await store.write(users.sign_in, account, token(f"old{number}", expires_ms=NOW_MS), None)
    await store.write(users.sign_in, account, token("new"), "renewed")
    renewed = await store.read(users.find_account, "ann@example.test")
    assert renewed == replace(account, password_hash="renewed")
    secrets = ("one", "new", "old0", "old1", "old2")
    left = [secret for secret in secrets if await store.read(users.user_of_token, token_hash(secret), NOW_MS - 1)]
    assert left[:2] == ["one", "new"]
    assert len(left) <= 3


async def test_a_password_change_ends_every_session_and_what_was_begun_with_the_old_one(store: Engine) -> None:
    account = await registered(store)
    await store.write(users.sign_in, account, token("two"), None)
    await store.write(users.change_password, account, token("new"), "changed")
    left = await store.read(users.tokens_of, account.user.id, NOW_MS)
    assert [found.hash for found in left] == [token_hash("new")]
    with pytest.raises(InvalidCredentials):
        await store.write(users.sign_in, account, token("late"), None)
    with pytest.raises(WrongPassword):
        await store.write(users.change_password, account, token("later"), "changed again")
    assert await store.read(users.tokens_of, account.user.id, NOW_MS) == left


async def test_a_reset_tells_how_many_sessions_it_ended(store: Engine) -> None:
    account = await registered(store)
    await store.write(users.sign_in, account, token("two"), None)
    assert await store.write(users.reset_password, "nobody@example.test", "reset") is None
    assert await store.write(users.reset_password, "ann@example.test", "reset") == 2
    assert await store.read(users.tokens_of, account.user.id, NOW_MS) == []


async def test_other_sessions_end_and_those_of_others_do_not(store: Engine) -> None:
    account = await registered(store)
    await store.write(users.sign_in, account, token("two"), None)
    other = await store.write(users.register, new_user("bob@example.test"), token("bob"))
    await store.write(users.delete_other_tokens, account.user.id, token_hash("two"))
    assert [t.hash for t in await store.read(users.tokens_of, account.user.id, NOW_MS)] == [token_hash("two")]
    assert await store.read(users.user_of_token, token_hash("bob"), NOW_MS) == other
