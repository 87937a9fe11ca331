"""What whoever runs the server does for accounts, on the running program: resets, service tokens, and what a restart keeps."""

from collections.abc import Callable

import pytest

from tests.client import PASSWORD, Account, Rest
from tests.collector import Collector, run

FREE_ATTEMPTS = 3


@pytest.fixture
def collector(start_collector: Callable[..., Collector]) -> Collector:
    return start_collector("sqlite", env={"HEALTHGUARD_LOGIN_FREE_ATTEMPTS": str(FREE_ATTEMPTS)})


def told(collector: Collector, *arguments: str) -> str:
    """What a command beside the running collector says on stdout."""
    done = run(*arguments, "--data-dir", str(collector.data_dir), "--database-url", collector.database_url)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def login(rest: Rest, email: str, password: str) -> int:
    return rest.http.post("/api/auth/login", json={"email": email, "password": password}).status_code


def me(rest: Rest, token: str) -> int:
    return rest.http.get("/api/auth/me", headers={"authorization": f"Bearer {token}"}).status_code


def test_a_reset_ends_every_session_and_gives_a_password_that_works(
    collector: Collector, connect: Callable[[str], Rest]
) -> None:
    rest = connect(collector.rest)
    account = rest.register()
    password = told(collector, "user", "reset", account.email.upper())
    assert me(rest, account.token) == 401
    assert login(rest, account.email, PASSWORD) == 401
    assert login(rest, account.email, password) == 200
    done = run("user", "reset", "nobody@example.test", "--database-url", collector.database_url)
    assert (done.returncode, done.stderr) == (1, "healthguard: User not found.\n")


def test_a_service_token_lives_until_it_is_revoked(collector: Collector, connect: Callable[[str], Rest]) -> None:
    rest = connect(collector.rest)
    account = rest.register()
    rest.create_app(account)
    made = ("token", "create", "--user", account.email, "--name", "billing", "--scope", "read", "--days", "30")
    token = told(collector, *made)
    assert token.startswith("service_")
    service = Account(account.id, account.email, token)
    assert len(rest.get(service, "/api/apps")["apps"]) == 1
    refused = rest.http.post("/api/apps", json={"name": "More"}, headers=service.headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "SCOPE_MISSING")

    listed = told(collector, "token", "list")
    assert token not in listed
    token_id, email, scopes, _, name = listed.split()
    assert (email, scopes, name) == (account.email, "read", "billing")
    told(collector, "token", "revoke", token_id)
    assert me(rest, token) == 401
    assert told(collector, "token", "list") == ""


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--user", "nobody@example.test", "--name", "x", "--scope", "read"), "User not found."),
        (("--user", "a@example.test", "--name", "x", "--scope", "everything"), "--scope"),
        (("--user", "a@example.test", "--name", "", "--scope", "read"), "--name"),
    ],
)
def test_a_service_token_needs_a_user_a_name_and_known_scopes(
    shared_sqlite: Collector, arguments: tuple[str, ...], fault: str
) -> None:
    done = run("token", "create", *arguments, "--database-url", shared_sqlite.database_url)
    assert done.returncode == 1
    assert fault in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_failed_sign_ins_still_count_after_a_restart(collector: Collector, connect: Callable[[str], Rest]) -> None:
    rest = connect(collector.rest)
    account = rest.register()
    address = {"x-forwarded-for": rest.http.headers["x-forwarded-for"]}
    assert [login(rest, account.email, "wrong-password") for _ in range(FREE_ATTEMPTS)] == [401] * FREE_ATTEMPTS
    collector.kill()
    collector.restart()
    again = connect(collector.rest)
    again.http.headers.update(address)
    # A kill and a start take longer than the first pause; so the next failure earns a longer one, not a first one.
    statuses = [login(again, account.email, "wrong-password") for _ in range(2)]
    assert statuses[-1] == 429
