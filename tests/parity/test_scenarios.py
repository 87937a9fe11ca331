"""What callers do, through every door: the answers, the errors and the counts must not depend on the way in."""

from dataclasses import dataclass
from uuid import uuid4

import pytest

from tests.client import PASSWORD
from tests.parity.driver import Driver, Json, Refused
from tests.sample import error_event, http_event, now_ms, performance_event

NOBODYS_TOKEN = "session_" + "x" * 21


@dataclass(frozen=True)
class Tenant:
    """A user with one app."""

    email: str
    token: str
    app: Json

    @property
    def app_key(self) -> str:
        return self.app["appKey"]


@pytest.fixture
async def tenant(driver: Driver) -> Tenant:
    return await new_tenant(driver)


async def new_tenant(driver: Driver) -> Tenant:
    email = new_email()
    token = (await driver.register(email, PASSWORD))["token"]
    return Tenant(email, token, (await driver.create_app(token, "Shop"))["app"])


def new_email() -> str:
    return f"{uuid4().hex}@example.test"


async def refusal(call) -> tuple[str, str]:
    """The kind and reason with which a call is refused."""
    with pytest.raises(Refused) as caught:
        await call
    assert caught.value.message
    return caught.value.kind, caught.value.reason


async def test_registration_signs_in(driver: Driver) -> None:
    email = new_email()
    answer = await driver.register(f"  {email.upper()}\n", PASSWORD)
    assert answer["token"].startswith("session_")
    assert answer["user"]["id"].startswith("user_")
    assert answer["user"]["email"] == email
    assert abs(answer["user"]["createdAt"] - now_ms()) < 60_000
    assert await driver.me(answer["token"]) == {"user": answer["user"]}


async def test_login_makes_another_session(driver: Driver, tenant: Tenant) -> None:
    answer = await driver.login(tenant.email, PASSWORD)
    assert answer["token"] != tenant.token
    assert (await driver.me(answer["token"])) == (await driver.me(tenant.token))


async def test_logout_ends_one_session_only(driver: Driver, tenant: Tenant) -> None:
    second = (await driver.login(tenant.email, PASSWORD))["token"]
    await driver.logout(second)
    assert await refusal(driver.me(second)) == ("UNAUTHENTICATED", "UNAUTHENTICATED")
    assert (await driver.me(tenant.token))["user"]["email"] == tenant.email


@pytest.mark.parametrize(
    ("email", "password", "reason"),
    [
        ("not-an-address", PASSWORD, "INVALID_EMAIL"),
        ("", PASSWORD, "INVALID_EMAIL"),
        ("a" * 250 + "@example.test", PASSWORD, "INVALID_EMAIL"),
        ("a@example.test", "1234567", "PASSWORD_TOO_SHORT"),
        ("a@example.test", "x" * 1025, "PASSWORD_TOO_LONG"),
        ("not-an-address", "short", "INVALID_EMAIL"),
    ],
)
async def test_bad_credentials_are_refused_alike_by_register_and_login(
    driver: Driver, email: str, password: str, reason: str
) -> None:
    assert await refusal(driver.register(email, password)) == ("INVALID_ARGUMENT", reason)
    assert await refusal(driver.login(email, password)) == ("INVALID_ARGUMENT", reason)


async def test_second_registration_of_an_address_is_refused(driver: Driver, tenant: Tenant) -> None:
    assert await refusal(driver.register(tenant.email.upper(), PASSWORD)) == (
        "ALREADY_EXISTS",
        "EMAIL_ALREADY_REGISTERED",
    )


async def test_unknown_account_and_wrong_password_answer_alike(driver: Driver, tenant: Tenant) -> None:
    wrong = await refusal(driver.login(tenant.email, "wrong-password"))
    assert wrong == ("UNAUTHENTICATED", "INVALID_CREDENTIALS")
    assert await refusal(driver.login(new_email(), PASSWORD)) == wrong


@pytest.mark.parametrize("token", [None, NOBODYS_TOKEN, "session_", "x"])
async def test_calls_of_users_need_a_good_token(driver: Driver, token: str | None) -> None:
    expected = ("UNAUTHENTICATED", "UNAUTHENTICATED")
    assert await refusal(driver.me(token)) == expected
    assert await refusal(driver.logout(token)) == expected
    assert await refusal(driver.list_apps(token)) == expected
    assert await refusal(driver.create_app(token, "Shop")) == expected
    assert await refusal(driver.overview(token)) == expected
    assert await refusal(driver.issues(token)) == expected
    assert await refusal(driver.issue(token, "web_x:js:1")) == expected
    assert await refusal(driver.ledger(token)) == expected
    assert await refusal(driver.performance(token, appKey="web_x")) == expected


async def test_apps_are_listed_newest_first(driver: Driver, tenant: Tenant) -> None:
    second = (await driver.create_app(tenant.token, "  Phone  ", "ios"))["app"]
    assert second["name"] == "Phone"
    assert second["appKey"].startswith("ios_")
    assert second["projectId"] != tenant.app["projectId"]
    assert (await driver.list_apps(tenant.token))["apps"] == [second, tenant.app]


@pytest.mark.parametrize(
    ("name", "type", "reason"),
    [
        ("   ", "web", "APP_NAME_REQUIRED"),
        ("x" * 256, "web", "APP_NAME_TOO_LONG"),
        ("Shop", "toaster", "UNSUPPORTED_APP_TYPE"),
        ("", "toaster", "APP_NAME_REQUIRED"),
    ],
)
async def test_apps_need_a_name_and_a_known_type(
    driver: Driver, tenant: Tenant, name: str, type: str, reason: str
) -> None:
    assert await refusal(driver.create_app(tenant.token, name, type)) == ("INVALID_ARGUMENT", reason)


async def test_a_batch_is_counted_everywhere(driver: Driver, tenant: Tenant) -> None:
    batch = [error_event(), error_event(anonymousId="anon_2"), http_event(), performance_event(anonymousId="anon_3")]
    answer = await driver.ingest(tenant.app_key, batch)
    assert (answer["accepted"], answer["rejected"]) == (4, [])
    totals = {"events": 4, "errors": 2, "failedRequests": 1, "affectedUsers": 2, "issues": 2}
    assert (await driver.overview(tenant.token, appKey=tenant.app_key))["totals"] == totals
    assert (await driver.overview(tenant.token))["totals"] == totals
    assert await books(driver, tenant) == {"received": 4, "stored": 4, "duplicate": 0, "rejected": 0, "limited": 0}


async def books(driver: Driver, tenant: Tenant) -> Json:
    """The sums over the ledger of the tenant's app."""
    entries = (await driver.ledger(tenant.token, appKey=tenant.app_key))["entries"]
    return {key: sum(e[key] for e in entries) for key in ("received", "stored", "duplicate", "rejected", "limited")}


async def test_a_resent_batch_answers_the_same_and_changes_nothing(driver: Driver, tenant: Tenant) -> None:
    batch = [error_event(), http_event(), performance_event()]
    first = await driver.ingest(tenant.app_key, batch)
    before = await driver.overview(tenant.token), (await driver.issues(tenant.token))["issues"]
    second = await driver.ingest(tenant.app_key, batch)
    assert first["accepted"] == second["accepted"] == 3
    assert (await driver.overview(tenant.token), (await driver.issues(tenant.token))["issues"]) == before
    assert await books(driver, tenant) == {"received": 6, "stored": 3, "duplicate": 3, "rejected": 0, "limited": 0}


async def test_an_event_named_twice_in_one_batch_is_counted_once(driver: Driver, tenant: Tenant) -> None:
    event = error_event()
    assert (await driver.ingest(tenant.app_key, [event, event]))["accepted"] == 2
    assert (await driver.overview(tenant.token))["totals"]["events"] == 1
    assert (await driver.issues(tenant.token))["issues"][0]["eventCount"] == 1


async def test_a_bad_event_never_costs_its_neighbours(driver: Driver, tenant: Tenant) -> None:
    nameless, timeless = error_event(eventId=""), error_event()
    del timeless["timestamp"]
    foreign, endless = error_event(appKey="web_other"), error_event(eventId="x" * 129)
    answer = await driver.ingest(tenant.app_key, [error_event(), nameless, timeless, foreign, endless, error_event()])
    assert answer["accepted"] == 2
    verdicts = [(verdict["index"], verdict["code"], verdict["field"]) for verdict in answer["rejected"]]
    assert verdicts == [
        (1, "EVENT_ID_REQUIRED", "eventId"),
        (2, "TIMESTAMP_REQUIRED", "timestamp"),
        (3, "APP_KEY_MISMATCH", "appKey"),
        (4, "TOO_LONG", "eventId"),
    ]
    assert all(verdict["message"] for verdict in answer["rejected"])
    assert await books(driver, tenant) == {"received": 6, "stored": 2, "duplicate": 0, "rejected": 4, "limited": 0}


async def test_a_batch_of_only_bad_events_is_acknowledged(driver: Driver, tenant: Tenant) -> None:
    answer = await driver.ingest(tenant.app_key, [error_event(type=""), error_event(eventId="")])
    assert answer["accepted"] == 0
    assert [verdict["code"] for verdict in answer["rejected"]] == ["TYPE_REQUIRED", "EVENT_ID_REQUIRED"]
    assert (await driver.overview(tenant.token))["totals"]["events"] == 0


async def test_a_batch_holds_from_one_to_the_most_events(driver: Driver, tenant: Tenant) -> None:
    most = driver.most_events
    batch = [performance_event() for _ in range(most + 1)]
    assert (await driver.ingest(tenant.app_key, batch[:most]))["accepted"] == most
    assert await refusal(driver.ingest(tenant.app_key, batch)) == ("INVALID_ARGUMENT", "TOO_MANY_EVENTS")
    assert await refusal(driver.ingest(tenant.app_key, [])) == ("INVALID_ARGUMENT", "EVENTS_REQUIRED")
    assert (await driver.overview(tenant.token))["totals"]["events"] == most


async def test_a_batch_needs_an_app_that_exists(driver: Driver) -> None:
    assert await refusal(driver.ingest("", [error_event()])) == ("INVALID_ARGUMENT", "APP_KEY_REQUIRED")
    assert await refusal(driver.ingest("web_" + "x" * 21, [error_event()])) == ("NOT_FOUND", "APP_NOT_FOUND")


async def test_issues_tell_what_their_events_say(driver: Driver, tenant: Tenant) -> None:
    start = now_ms() - 10_000
    first = error_event(timestamp=start, release="1.0.0", message="boom", fingerprint="js:a:b")
    second = error_event(timestamp=start + 5, release="1.1.0", platform="ios", message="bang", fingerprint="js:a:b")
    await driver.ingest(tenant.app_key, [second])
    await driver.ingest(tenant.app_key, [first])
    (issue,) = (await driver.issues(tenant.token, appKey=tenant.app_key))["issues"]
    expected = {
        "id": f"{tenant.app_key}:js:a:b",
        "appKey": tenant.app_key,
        "fingerprint": "js:a:b",
        "message": "bang",
        "errorType": "js",
        "eventCount": 2,
        "firstSeenAt": start,
        "lastSeenAt": start + 5,
        "firstSeenRelease": "1.1.0",
        "lastSeenRelease": "1.0.0",
        "fixedInRelease": None,
        "verifiedInRelease": None,
        "status": "open",
        "platformDistribution": {"web": 1, "ios": 1},
        "archived": False,
        "archivedAt": None,
    }
    assert {name: issue[name] for name in expected} == expected


async def test_an_issue_shows_its_events_newest_first_and_as_sent(driver: Driver, tenant: Tenant) -> None:
    start = now_ms() - 10_000
    extra = {"custom": {"deep": [1, 2.5, None, {"x": True}]}, "context": {"cart": 3}}
    events = [error_event(timestamp=start + n, message=f"number {n}", **extra) for n in range(3)]
    await driver.ingest(tenant.app_key, events)
    detail = await driver.issue(tenant.token, f"{tenant.app_key}:js:abc123")
    assert detail["issue"] == (await driver.issues(tenant.token))["issues"][0]
    assert [_without_empty_lists(event) for event in detail["events"]] == [
        _without_empty_lists(e) for e in reversed(events)
    ]


def _without_empty_lists(event: Json) -> Json:
    """Protocol Buffers cannot tell an empty list from an absent one; REST can, and tests/rest proves it."""
    return {key: value for key, value in event.items() if value != []}


async def test_lists_go_by_last_seen_and_continue_by_token(driver: Driver, tenant: Tenant) -> None:
    start = now_ms() - 10_000
    await driver.ingest(tenant.app_key, [error_event(fingerprint=f"js:{n}", timestamp=start + n) for n in range(5)])
    seen: list[str] = []
    page_token = ""
    while True:
        page = await driver.issues(tenant.token, appKey=tenant.app_key, pageSize=2, pageToken=page_token)
        assert len(page["issues"]) <= 2
        seen += [issue["fingerprint"] for issue in page["issues"]]
        page_token = page.get("nextPageToken", "")
        if not page_token:
            break
    assert seen == ["js:4", "js:3", "js:2", "js:1", "js:0"]


async def test_page_tokens_are_bound_to_their_filter(driver: Driver, tenant: Tenant) -> None:
    await driver.ingest(tenant.app_key, [error_event(fingerprint=f"js:{n}") for n in range(3)])
    page_token = (await driver.issues(tenant.token, pageSize=1))["nextPageToken"]
    expected = ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN")
    assert await refusal(driver.issues(tenant.token, pageSize=1, pageToken=page_token, platform="ios")) == expected
    assert await refusal(driver.issues(tenant.token, pageSize=1, pageToken="nonsense")) == expected
    assert await refusal(driver.issues(tenant.token, pageSize=1001)) == ("INVALID_ARGUMENT", "INVALID_PAGE_SIZE")


async def test_filters_narrow_totals_and_lists(driver: Driver, tenant: Tenant) -> None:
    start = now_ms() - 100_000
    old = error_event(fingerprint="js:old", timestamp=start, platform="ios")
    new = error_event(fingerprint="js:new", timestamp=start + 50_000)
    await driver.ingest(tenant.app_key, [old, new])
    recent = {"start": start + 1}
    assert await _fingerprints(driver, tenant, **recent) == ["js:new"]
    assert await _fingerprints(driver, tenant, end=start) == ["js:old"]
    assert await _fingerprints(driver, tenant, platform="ios") == ["js:old"]
    assert await _fingerprints(driver, tenant, status="archived") == []
    assert await _fingerprints(driver, tenant, status="all") == ["js:new", "js:old"]
    assert (await driver.overview(tenant.token, **recent))["totals"]["events"] == 1
    assert (await driver.overview(tenant.token, platform="ios"))["totals"]["events"] == 1
    assert (await driver.overview(tenant.token, platform="android"))["totals"]["events"] == 0


async def _fingerprints(driver: Driver, tenant: Tenant, **filters: object) -> list[str]:
    return [issue["fingerprint"] for issue in (await driver.issues(tenant.token, **filters))["issues"]]


async def test_a_time_range_must_not_end_before_it_starts(driver: Driver, tenant: Tenant) -> None:
    await driver.ingest(tenant.app_key, [error_event()])
    expected = ("INVALID_ARGUMENT", "INVALID_TIME_RANGE")
    backwards = {"start": now_ms(), "end": now_ms() - 1000}
    assert await refusal(driver.overview(tenant.token, **backwards)) == expected
    assert await refusal(driver.issues(tenant.token, **backwards)) == expected
    assert await refusal(driver.issue(tenant.token, f"{tenant.app_key}:js:abc123", **backwards)) == expected
    assert await refusal(driver.ledger(tenant.token, **backwards)) == expected


async def test_an_issue_nobody_has_is_not_found(driver: Driver, tenant: Tenant) -> None:
    expected = ("NOT_FOUND", "ISSUE_NOT_FOUND")
    for issue_id in ("nonsense", f"{tenant.app_key}:js:none", "web_nobody:js:1", "汉字", f"{tenant.app_key}:"):
        assert await refusal(driver.issue(tenant.token, issue_id)) == expected


async def test_another_tenant_sees_nothing(driver: Driver, tenant: Tenant) -> None:
    await driver.ingest(tenant.app_key, [error_event(), http_event()])
    other = await new_tenant(driver)
    zeros = {"events": 0, "errors": 0, "failedRequests": 0, "affectedUsers": 0, "issues": 0}
    for app_key in (tenant.app_key, "web_nobody"):
        assert (await driver.overview(other.token, appKey=app_key))["totals"] == zeros
        assert (await driver.issues(other.token, appKey=app_key))["issues"] == []
        assert (await driver.ledger(other.token, appKey=app_key))["entries"] == []
    assert (await driver.overview(other.token))["totals"] == zeros
    assert (await driver.issues(other.token, status="all"))["issues"] == []
    assert (await driver.list_apps(other.token))["apps"] == [other.app]
    assert await refusal(driver.issue(other.token, f"{tenant.app_key}:js:abc123")) == ("NOT_FOUND", "ISSUE_NOT_FOUND")


async def test_the_same_event_id_in_two_apps_is_two_events(driver: Driver, tenant: Tenant) -> None:
    second = (await driver.create_app(tenant.token, "Second"))["app"]["appKey"]
    event = error_event()
    assert (await driver.ingest(tenant.app_key, [event]))["accepted"] == 1
    assert (await driver.ingest(second, [event]))["accepted"] == 1
    totals = (await driver.overview(tenant.token))["totals"]
    assert (totals["events"], totals["issues"]) == (2, 2)


async def test_an_implausible_time_counts_as_now_and_comes_back_as_sent(driver: Driver, tenant: Tenant) -> None:
    wild = error_event(timestamp=now_ms() + 3_600_000)
    await driver.ingest(tenant.app_key, [wild])
    detail = await driver.issue(tenant.token, f"{tenant.app_key}:js:abc123")
    assert detail["events"][0]["timestamp"] == wild["timestamp"]
    assert abs(detail["issue"]["lastSeenAt"] - now_ms()) < 60_000


async def test_hostile_text_is_kept(driver: Driver, tenant: Tenant) -> None:
    text = "NUL \x00 emoji 😀 quote ' -- ; DROP TABLE events"
    await driver.ingest(tenant.app_key, [error_event(message=text, fingerprint="js:a/b?c#d%41:é", userId="u" * 100)])
    detail = await driver.issue(tenant.token, f"{tenant.app_key}:js:a/b?c#d%41:é")
    assert detail["events"][0]["message"] == text
    assert detail["issue"]["fingerprint"] == "js:a/b?c#d%41:é"
