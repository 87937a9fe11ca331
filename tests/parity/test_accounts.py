"""Looking after an account, through every door: where it is signed in, and its password."""

from tests.client import PASSWORD
from tests.parity.driver import Driver
from tests.parity.test_scenarios import new_email, refusal

NEW_PASSWORD = "another-horse-10"
NOT_SIGNED_IN = ("UNAUTHENTICATED", "UNAUTHENTICATED")


async def test_sessions_are_listed_and_end_one_by_one_or_all_but_one(driver: Driver) -> None:
    email = new_email()
    first = await driver.register(email, PASSWORD)
    stranger = (await driver.register(new_email(), PASSWORD))["token"]
    second, third = [(await driver.login(email, PASSWORD, name))["token"] for name in ("Firefox", "x" * 200)]
    listed = (await driver.login_sessions(second))["sessions"]
    assert {one["clientName"] for one in listed} == {"", "Firefox", "x" * 100}
    assert [one["clientName"] for one in listed if one["current"]] == ["Firefox"]
    assert all(one["expiresAt"] > one["createdAt"] > 0 for one in listed)
    (oldest,) = (one["id"] for one in listed if one["clientName"] == "")

    not_there = ("NOT_FOUND", "LOGIN_SESSION_NOT_FOUND")
    assert await refusal(driver.revoke_login_session(stranger, oldest)) == not_there
    await driver.revoke_login_session(second, oldest)
    assert await refusal(driver.revoke_login_session(second, oldest)) == not_there
    assert await refusal(driver.me(first["token"])) == NOT_SIGNED_IN

    await driver.revoke_other_login_sessions(second)
    assert await refusal(driver.me(third)) == NOT_SIGNED_IN
    assert [one["current"] for one in (await driver.login_sessions(second))["sessions"]] == [True]
    assert await driver.me(stranger)


async def test_a_new_password_ends_every_session_and_begins_one(driver: Driver) -> None:
    email = new_email()
    token = (await driver.register(email, PASSWORD))["token"]
    too_short = ("INVALID_ARGUMENT", "PASSWORD_TOO_SHORT")
    assert await refusal(driver.change_password(token, PASSWORD, "short")) == too_short
    nothing = ("INVALID_ARGUMENT", "CURRENT_PASSWORD_REQUIRED")
    assert await refusal(driver.change_password(token, "", NEW_PASSWORD)) == nothing
    wrong = ("PERMISSION_DENIED", "WRONG_PASSWORD")
    assert await refusal(driver.change_password(token, "not-my-password", NEW_PASSWORD)) == wrong
    assert await driver.me(token)

    answer = await driver.change_password(token, PASSWORD, NEW_PASSWORD)
    assert await refusal(driver.me(token)) == NOT_SIGNED_IN
    assert (await driver.me(answer["token"]))["user"] == answer["user"]
    assert await refusal(driver.login(email, PASSWORD)) == ("UNAUTHENTICATED", "INVALID_CREDENTIALS")
    assert await driver.login(email, NEW_PASSWORD)
