"""What the running program keeps to itself: senders' addresses, and every secret that passes through it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from server.config import Settings
from tests.client import PASSWORD, Rest
from tests.collector import Collector, run
from tests.sample import error_event

SENDER = "203.0.113.77"


def stored_event(rest: Rest, *, noted: bool | None) -> dict[str, object]:
    """An event as it was stored, of an app whose owner chose this."""
    account = rest.register()
    app = rest.create_app(account)
    if noted is not None:
        body = {"settings": {"storeIpAddresses": noted}}
        assert rest.http.patch(f"/api/apps/{app['id']}", json=body, headers=account.headers).is_success
    batch = {"appKey": app["appKey"], "events": [error_event()]}
    assert rest.http.post("/api/events/batch", json=batch, headers={"x-forwarded-for": SENDER}).status_code == 202
    (event,) = rest.get(account, f"/api/issues/{app['appKey']}:js:abc123")["events"]
    return event


@pytest.mark.parametrize("noted", [None, False, True])
def test_the_senders_address_is_stored_only_where_the_app_wants_it(rest: Rest, noted: bool | None) -> None:
    event = stored_event(rest, noted=noted)
    assert (SENDER in str(event)) is bool(noted)
    assert event.get("ipAddress") == (SENDER if noted else None)


@pytest.mark.real_start
def test_no_secret_shows_in_logs_metrics_errors_or_the_process_list(
    start_collector: Callable[..., Collector], connect: Callable[[str], Rest]
) -> None:
    secret, previous = "in-force-" + "s" * 40, "before-" + "p" * 40
    env = {"HEALTHGUARD_SECRET": secret, "HEALTHGUARD_PREVIOUS_SECRETS": previous, "HEALTHGUARD_LOG_LEVEL": "debug"}
    collector = start_collector("sqlite", env=env)
    rest = connect(collector.rest)
    account = rest.register()
    where = ("--data-dir", str(collector.data_dir), "--database-url", collector.database_url)
    made = run("token", "create", "--user", account.email, "--name", "x", "--scope", "read", *where)
    service = made.stdout.strip()
    answers = [
        rest.http.get("/api/auth/me", headers={"authorization": f"Bearer {token}"})
        for token in (account.token, service, "session_not-one-of-ours")
    ]
    wrong = {"currentPassword": "not-my-password", "newPassword": "the-new-password"}
    answers.append(rest.http.post("/api/auth/password", json=wrong, headers=account.headers))
    answers.append(rest.http.get("/metrics"))
    command = Path(f"/proc/{collector.process.pid}/cmdline").read_text()
    said = collector.log_text() + command + "".join(answer.text for answer in answers)
    told = (secret, previous, PASSWORD, service, "not-my-password", "the-new-password", "session_not-one-of-ours")
    assert [word for word in told if word in said] == []


def test_settings_do_not_show_their_secrets() -> None:
    url = "postgresql+psycopg://me:swordfish@db.example/name"
    settings = Settings(secret="s" * 40, previous_secrets="p" * 40, database_url=url)
    shown = repr(settings) + str(settings)
    assert [secret for secret in ("s" * 40, "p" * 40, "swordfish") if secret in shown] == []
