"""Guessing passwords and mass registration are slowed, and the slowed client is told when to come back."""

from collections.abc import Callable

import pytest

from tests.client import PASSWORD, Rest
from tests.collector import Collector

FREE_ATTEMPTS = 3


@pytest.fixture
def rest(start_collector: Callable[..., Collector], connect: Callable[[str], Rest]) -> Rest:
    env = {"HEALTHGUARD_REGISTRATIONS_PER_HOUR": "2", "HEALTHGUARD_LOGIN_FREE_ATTEMPTS": str(FREE_ATTEMPTS)}
    return connect(start_collector("sqlite", env=env).rest)


def attempt(rest: Rest, email: str, password: str, address: str = "") -> tuple[int, str, str | None]:
    headers = {"x-forwarded-for": address} if address else {}
    answer = rest.http.post("/api/auth/login", json={"email": email, "password": password}, headers=headers)
    return answer.status_code, answer.json().get("code", ""), answer.headers.get("retry-after")


def test_failed_logins_in_a_row_are_slowed_per_address_and_account(rest: Rest) -> None:
    account = rest.register()
    for _ in range(FREE_ATTEMPTS):
        assert attempt(rest, account.email, "wrong-password")[:2] == (401, "INVALID_CREDENTIALS")
    status, code, retry_after = attempt(rest, account.email, "wrong-password")
    assert (status, code) == (429, "TOO_MANY_ATTEMPTS")
    assert int(str(retry_after)) >= 1
    assert attempt(rest, account.email, PASSWORD)[0] == 429
    assert attempt(rest, account.email, PASSWORD, address="192.0.2.1")[0] == 200
    assert attempt(rest, "somebody@example.test", PASSWORD)[0] == 401


def test_an_unknown_account_is_slowed_like_a_known_one(rest: Rest) -> None:
    answers = [attempt(rest, "nobody@example.test", "wrong-password")[:2] for _ in range(FREE_ATTEMPTS + 1)]
    assert answers == [(401, "INVALID_CREDENTIALS")] * FREE_ATTEMPTS + [(429, "TOO_MANY_ATTEMPTS")]


def test_registrations_are_limited_per_address(rest: Rest) -> None:
    rest.register()
    rest.register()
    body = {"email": "third@example.test", "password": PASSWORD}
    answer = rest.http.post("/api/auth/register", json=body)
    assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_REGISTRATIONS")
    assert int(answer.headers["retry-after"]) >= 1
    assert rest.http.post("/api/auth/register", json=body, headers={"x-forwarded-for": "192.0.2.2"}).status_code == 201
