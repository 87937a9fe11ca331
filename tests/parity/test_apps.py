"""Apps from creation to deletion, their keys, settings and members, alike through every door."""

from typing import Any

import pytest

from tests.client import PASSWORD
from tests.parity.driver import Driver, Json
from tests.parity.test_scenarios import NOBODYS_TOKEN, Tenant, books, new_email, new_tenant, refusal
from tests.sample import error_event, http_event, now_ms

ZEROS = {"events": 0, "errors": 0, "failedRequests": 0, "affectedUsers": 0, "issues": 0}
APP_NOT_FOUND = ("NOT_FOUND", "APP_NOT_FOUND")
ROLE_TOO_LOW = ("PERMISSION_DENIED", "ROLE_TOO_LOW")
OWNER_STAYS = ("FAILED_PRECONDITION", "OWNER_STAYS")
USER_NOT_FOUND = ("NOT_FOUND", "USER_NOT_FOUND")
DAY_MS = 86_400_000


@pytest.fixture
async def owner(driver: Driver) -> Tenant:
    return await new_tenant(driver)


async def member(driver: Driver, owner: Tenant, role: str) -> Tenant:
    """A user with an app of their own who has this role in the owner's app."""
    found = await new_tenant(driver)
    await driver.add_member(owner.token, owner.app["id"], found.email, role)
    return found


async def user_id(driver: Driver, tenant: Tenant) -> str:
    return (await driver.me(tenant.token))["user"]["id"]


def every_app_change(driver: Driver, token: str | None, app: Json) -> list[Any]:
    """One call of each RPC that changes one app."""
    return [
        driver.update_app(token, app["id"], name="Stolen"),
        driver.update_app(token, app["id"], settings={"retentionDays": 1}),
        driver.rotate_key(token, app["id"]),
        driver.add_member(token, app["id"], new_email(), "viewer"),
        driver.remove_member(token, app["id"], "user_x"),
        driver.delete_app(token, app["id"]),
    ]


def every_app_call(driver: Driver, token: str | None, app: Json) -> list[Any]:
    """One call of each RPC that is about one app."""
    reads = [driver.app(token, app["id"]), driver.members(token, app["id"])]
    return [*reads, *every_app_change(driver, token, app)]


async def test_an_app_of_a_stranger_is_like_one_that_nobody_has(driver: Driver, owner: Tenant) -> None:
    stranger = await new_tenant(driver)
    nobodys = owner.app | {"id": "app_record_nobody"}
    for app in (owner.app, nobodys):
        assert [await refusal(call) for call in every_app_call(driver, stranger.token, app)] == [APP_NOT_FOUND] * 8
    assert (await driver.app(owner.token, owner.app["id"]))["app"] == owner.app


NO_SETTINGS = {"allowedOrigins": [], "scrubKeys": [], "scrubPatterns": []}


@pytest.mark.parametrize("token", [None, NOBODYS_TOKEN])
async def test_calls_about_apps_need_a_good_token(driver: Driver, owner: Tenant, token: str | None) -> None:
    calls = [*every_app_call(driver, token, owner.app), driver.app_overviews(token, [owner.app_key])]
    assert [await refusal(call) for call in calls] == [("UNAUTHENTICATED", "UNAUTHENTICATED")] * 9


async def test_a_new_app_is_its_creators_and_has_the_servers_settings(driver: Driver, owner: Tenant) -> None:
    assert owner.app["role"] == "owner"
    assert owner.app["settings"] == NO_SETTINGS
    assert (await driver.app(owner.token, owner.app["id"]))["app"] == owner.app


async def test_a_name_changes_and_nothing_else(driver: Driver, owner: Tenant) -> None:
    renamed = (await driver.update_app(owner.token, owner.app["id"], name="  New \n"))["app"]
    assert renamed == owner.app | {"name": "New"}
    assert (await driver.app(owner.token, owner.app["id"]))["app"] == renamed


async def test_settings_change_one_by_one_and_are_put_back_by_the_mask(driver: Driver, owner: Tenant) -> None:
    app = owner.app["id"]
    first = {"retentionDays": 30, "captureRate": 0, "reportFailedNetworkCalls": False}
    await driver.update_app(owner.token, app, settings=first)
    second = {"rateLimitEventsPerS": 12.5, "allowedOrigins": ["https://Shop.Example:443", "null", "http://a.b:8080"]}
    settings = (await driver.update_app(owner.token, app, settings=second))["app"]["settings"]
    kept = {"rateLimitEventsPerS": 12.5, "allowedOrigins": ["https://shop.example", "null", "http://a.b:8080"]}
    assert settings == NO_SETTINGS | first | kept
    mask = "name,settings.captureRate,settings.allowedOrigins"
    changed = await driver.update_app(owner.token, app, name="Both", settings={"retentionDays": 9}, updateMask=mask)
    assert changed["app"]["name"] == "Both"
    del settings["captureRate"]
    assert changed["app"]["settings"] == settings | {"allowedOrigins": []}
    reset = await driver.update_app(owner.token, app, updateMask="settings")
    assert reset["app"]["settings"] == NO_SETTINGS


async def test_what_an_app_wants_masked_is_never_stored(driver: Driver, owner: Tenant) -> None:
    rules = {"scrubKeys": ["I-BAN", "iban", "Passport"], "scrubPatterns": ["email", "card"]}
    settings = (await driver.update_app(owner.token, owner.app["id"], settings=rules))["app"]["settings"]
    assert settings == NO_SETTINGS | {"scrubKeys": ["iban", "passport"], "scrubPatterns": ["card", "email"]}
    event = error_event(
        message="4111 1111 1111 1111 of ada@example.com refused",
        userId="ada@example.com",
        context={"form": [{"iban": "DE89", "to": "ada@example.com"}], "from": "192.0.2.44"},
        passport="X1",
    )
    assert (await driver.ingest(owner.app_key, [event]))["accepted"] == 1
    (issue,) = (await driver.issues(owner.token, appKey=owner.app_key))["issues"]
    assert issue["message"] == "[Filtered] of [Filtered] refused"
    (stored,) = (await driver.issue(owner.token, issue["id"]))["events"]
    assert stored["message"] == issue["message"]
    assert stored["context"] == {"form": [{"iban": "[Filtered]", "to": "[Filtered]"}], "from": "192.0.2.44"}
    assert (stored["passport"], stored["userId"]) == ("[Filtered]", "ada@example.com")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "INVALID_UPDATE_MASK"),
        ({"settings": {}}, "INVALID_UPDATE_MASK"),
        ({"name": "x", "updateMask": "name,type"}, "INVALID_UPDATE_MASK"),
        ({"updateMask": "settings.no"}, "INVALID_UPDATE_MASK"),
        ({"updateMask": "name"}, "APP_NAME_REQUIRED"),
        ({"name": " "}, "APP_NAME_REQUIRED"),
        ({"name": "x" * 256}, "APP_NAME_TOO_LONG"),
        ({"settings": {"retentionDays": 0}}, "INVALID_RETENTION_DAYS"),
        ({"settings": {"retentionDays": 3_651}}, "INVALID_RETENTION_DAYS"),
        ({"settings": {"rateLimitEventsPerS": 0}}, "INVALID_RATE_LIMIT"),
        ({"settings": {"rateLimitEventsPerS": 1_000_001}}, "INVALID_RATE_LIMIT"),
        ({"settings": {"captureRate": 101}}, "INVALID_CAPTURE_RATE"),
        ({"settings": {"captureRate": -1}}, "INVALID_CAPTURE_RATE"),
        ({"settings": {"allowedOrigins": ["shop.example"]}}, "INVALID_ALLOWED_ORIGINS"),
        ({"settings": {"allowedOrigins": ["https://shop.example/"]}}, "INVALID_ALLOWED_ORIGINS"),
        ({"settings": {"allowedOrigins": ["https://a b"]}}, "INVALID_ALLOWED_ORIGINS"),
        ({"settings": {"allowedOrigins": [f"https://{n}.example" for n in range(51)]}}, "INVALID_ALLOWED_ORIGINS"),
        ({"settings": {"allowedOrigins": ["https://" + "x" * 300]}}, "INVALID_ALLOWED_ORIGINS"),
        ({"settings": {"scrubKeys": ["-x-"]}}, "INVALID_SCRUB_KEYS"),
        ({"settings": {"scrubKeys": ["x" * 65]}}, "INVALID_SCRUB_KEYS"),
        ({"settings": {"scrubKeys": [f"key{n}" for n in range(51)]}}, "INVALID_SCRUB_KEYS"),
        ({"settings": {"scrubPatterns": ["card", "everything"]}}, "INVALID_SCRUB_PATTERNS"),
    ],
)
async def test_a_wrong_change_changes_nothing(driver: Driver, owner: Tenant, changes: Json, reason: str) -> None:
    call = driver.update_app(owner.token, owner.app["id"], **changes)
    assert await refusal(call) == ("INVALID_ARGUMENT", reason)
    assert (await driver.app(owner.token, owner.app["id"]))["app"] == owner.app


async def test_a_rate_limit_holds_at_once_and_is_booked(driver: Driver, owner: Tenant) -> None:
    assert (await driver.ingest(owner.app_key, [error_event()]))["accepted"] == 1
    await driver.update_app(owner.token, owner.app["id"], settings={"rateLimitEventsPerS": 0.1})
    assert (await driver.ingest(owner.app_key, [error_event()]))["accepted"] == 1
    expected = ("RESOURCE_EXHAUSTED", "RATE_LIMITED")
    assert await refusal(driver.ingest(owner.app_key, [error_event(), error_event()])) == expected
    await driver.update_app(owner.token, owner.app["id"], updateMask="settings.rateLimitEventsPerS")
    assert (await driver.ingest(owner.app_key, [error_event()]))["accepted"] == 1
    assert await books(driver, owner) == {"received": 5, "stored": 3, "duplicate": 0, "rejected": 0, "limited": 2}


async def test_browsers_may_send_only_from_the_origins_of_the_app(driver: Driver, owner: Tenant) -> None:
    await driver.update_app(owner.token, owner.app["id"], settings={"allowedOrigins": ["https://shop.example"]})
    for origin in ("https://shop.example", ""):
        assert (await driver.ingest(owner.app_key, [error_event()], origin))["accepted"] == 1
    expected = ("PERMISSION_DENIED", "ORIGIN_NOT_ALLOWED")
    for origin in ("https://evil.example", "http://shop.example", "https://shop.example:8443", "null", "x" * 600):
        assert await refusal(driver.ingest(owner.app_key, [error_event()], origin)) == expected
    await driver.update_app(owner.token, owner.app["id"], updateMask="settings.allowedOrigins")
    assert (await driver.ingest(owner.app_key, [error_event()], "https://evil.example"))["accepted"] == 1
    assert await books(driver, owner) == {"received": 8, "stored": 3, "duplicate": 0, "rejected": 0, "limited": 5}
    (entry, *_) = (await driver.ledger(owner.token))["entries"]
    assert "ORIGIN_NOT_ALLOWED" in entry["reasons"]


async def test_an_old_key_names_the_app_for_a_while(driver: Driver, owner: Tenant) -> None:
    old = owner.app_key
    await driver.ingest(old, [error_event(fingerprint="js:1")])
    rotated = await driver.rotate_key(owner.token, owner.app["id"])
    new = rotated["app"]["appKey"]
    assert rotated["previousAppKey"] == old
    assert new != old
    assert new.startswith("web_")
    assert abs(rotated["previousAppKeyExpiresAt"] - now_ms() - 7 * DAY_MS) < 60_000
    for batch_key, event_key in ((old, old), (old, new), (new, old), (new, new)):
        answer = await driver.ingest(batch_key, [error_event(appKey=event_key, fingerprint="js:1")])
        assert (answer["accepted"], answer["rejected"]) == (1, [])
    for key in (old, new):
        assert (await driver.overview(owner.token, appKey=key))["totals"]["events"] == 5
        (issue,) = (await driver.issues(owner.token, appKey=key))["issues"]
        assert (issue["id"], issue["appKey"], issue["eventCount"]) == (f"{new}:js:1", new, 5)
        assert (await driver.issue(owner.token, f"{key}:js:1"))["issue"] == issue
        assert (await driver.fixed(owner.token, f"{key}:js:1", "1.0.0"))["issue"]["id"] == f"{new}:js:1"
        assert {e["appKey"] for e in (await driver.ledger(owner.token, appKey=key))["entries"]} == {new}
    assert (await driver.app(owner.token, owner.app["id"]))["app"]["appKey"] == new


async def test_keys_rotate_ten_times_while_the_old_ones_are_accepted(driver: Driver, owner: Tenant) -> None:
    for _ in range(10):
        await driver.rotate_key(owner.token, owner.app["id"])
    expected = ("RESOURCE_EXHAUSTED", "TOO_MANY_APP_KEYS")
    assert await refusal(driver.rotate_key(owner.token, owner.app["id"])) == expected
    assert (await driver.ingest(owner.app_key, [error_event()]))["accepted"] == 1


async def test_a_deleted_app_is_gone_for_everybody_at_once(driver: Driver, owner: Tenant) -> None:
    viewer = await member(driver, owner, "viewer")
    await driver.ingest(owner.app_key, [error_event()])
    new_key = (await driver.rotate_key(owner.token, owner.app["id"]))["app"]["appKey"]
    await driver.delete_app(owner.token, owner.app["id"])
    for key in (owner.app_key, new_key):
        assert await refusal(driver.ingest(key, [error_event()])) == APP_NOT_FOUND
        assert await refusal(driver.issue(owner.token, f"{key}:js:abc123")) == ("NOT_FOUND", "ISSUE_NOT_FOUND")
        assert (await driver.overview(owner.token, appKey=key))["totals"] == ZEROS
        assert (await driver.app_overviews(owner.token, [key]))["apps"] == [{"appKey": key, "totals": ZEROS}]
    for tenant in (owner, viewer):
        assert [await refusal(call) for call in every_app_call(driver, tenant.token, owner.app)] == [APP_NOT_FOUND] * 8
        assert (await driver.overview(tenant.token))["totals"] == ZEROS
        assert (await driver.issues(tenant.token))["issues"] == []
        assert (await driver.ledger(tenant.token))["entries"] == []
    assert (await driver.list_apps(owner.token))["apps"] == []
    assert (await driver.list_apps(viewer.token))["apps"] == [viewer.app]


async def test_overviews_come_in_the_asked_order_with_zeros_for_what_the_caller_has_not(
    driver: Driver, owner: Tenant
) -> None:
    second = (await driver.create_app(owner.token, "Second"))["app"]["appKey"]
    foreign = await new_tenant(driver)
    await driver.ingest(owner.app_key, [error_event(), http_event(anonymousId="anon_2")])
    await driver.ingest(foreign.app_key, [error_event()])
    totals = {"events": 2, "errors": 1, "failedRequests": 1, "affectedUsers": 2, "issues": 2}
    expected = {second: ZEROS, owner.app_key: totals, "web_nobody": ZEROS, foreign.app_key: ZEROS}
    asked = [second, "", owner.app_key, "web_nobody", foreign.app_key, owner.app_key]
    found = await driver.app_overviews(owner.token, asked)
    assert found["apps"] == [{"appKey": key, "totals": expected[key]} for key in asked if key]
    assert (await driver.overview(owner.token, appKey=owner.app_key))["totals"] == totals
    assert (await driver.app_overviews(owner.token, []))["apps"] == []
    many = [f"web_{n}" for n in range(101)]
    assert len((await driver.app_overviews(owner.token, many[1:]))["apps"]) == 100
    assert await refusal(driver.app_overviews(owner.token, many)) == ("INVALID_ARGUMENT", "TOO_MANY_APPS")


async def test_overviews_leave_archived_issues_out(driver: Driver, owner: Tenant) -> None:
    await driver.ingest(owner.app_key, [error_event()])
    issue = f"{owner.app_key}:js:abc123"
    await driver.verified(owner.token, issue, "1.0.0")
    await driver.archive(owner.token, issue)
    (found,) = (await driver.app_overviews(owner.token, [owner.app_key]))["apps"]
    assert (found["totals"]["events"], found["totals"]["issues"]) == (1, 0)


async def test_a_viewer_sees_everything_and_changes_nothing(driver: Driver, owner: Tenant) -> None:
    await driver.ingest(owner.app_key, [error_event()])
    viewer = await member(driver, owner, "viewer")
    issue = f"{owner.app_key}:js:abc123"
    app, token = owner.app["id"], viewer.token
    assert (await driver.app(token, app))["app"] == owner.app | {"role": "viewer"}
    assert [a["role"] for a in (await driver.list_apps(token))["apps"]] == ["owner", "viewer"]
    assert (await driver.overview(token, appKey=owner.app_key))["totals"]["events"] == 1
    assert (await driver.overview(token))["totals"]["events"] == 1
    assert [i["id"] for i in (await driver.issues(token))["issues"]] == [issue]
    assert (await driver.issue(token, issue))["issue"]["id"] == issue
    assert len((await driver.ledger(token))["entries"]) == 1
    calls = [*every_app_change(driver, token, owner.app), *every_issue_change(driver, token, issue)]
    assert {await refusal(call) for call in calls} == {ROLE_TOO_LOW}
    assert (await driver.app(owner.token, app))["app"] == owner.app
    assert (await driver.issue(owner.token, issue))["issue"]["status"] == "open"


def every_issue_change(driver: Driver, token: str, issue: str) -> list[Any]:
    return [
        driver.fixed(token, issue, "1.0.0"),
        driver.verified(token, issue, "1.0.0"),
        driver.archive(token, issue),
        driver.reopen(token, issue),
        driver.update_issue(token, issue, updateMask="assignee"),
        driver.comment(token, issue, "hello"),
    ]


async def test_an_editor_changes_issues_and_the_name_and_no_more(driver: Driver, owner: Tenant) -> None:
    await driver.ingest(owner.app_key, [error_event()])
    editor = await member(driver, owner, "editor")
    app, token, issue = owner.app["id"], editor.token, f"{owner.app_key}:js:abc123"
    for change in every_issue_change(driver, token, issue):
        await change
    assert (await driver.update_app(token, app, name="Edited"))["app"]["name"] == "Edited"
    calls = [
        driver.update_app(token, app, name="Both", settings={"retentionDays": 1}),
        driver.update_app(token, app, updateMask="settings"),
        driver.rotate_key(token, app),
        driver.add_member(token, app, editor.email, "viewer"),
        driver.remove_member(token, app, await user_id(driver, owner)),
        driver.delete_app(token, app),
    ]
    assert {await refusal(call) for call in calls} == {ROLE_TOO_LOW}
    assert (await driver.app(owner.token, app))["app"] == owner.app | {"name": "Edited"}


async def test_a_stranger_cannot_change_issues_nor_learn_that_they_exist(driver: Driver, owner: Tenant) -> None:
    await driver.ingest(owner.app_key, [error_event()])
    stranger = await new_tenant(driver)
    for issue in (f"{owner.app_key}:js:abc123", "web_nobody:js:abc123"):
        calls = every_issue_change(driver, stranger.token, issue)
        assert {await refusal(call) for call in calls} == {("NOT_FOUND", "ISSUE_NOT_FOUND")}


async def test_members_are_listed_with_the_owner_first(driver: Driver, owner: Tenant) -> None:
    viewer = await member(driver, owner, "viewer")
    editor = await member(driver, owner, "editor")
    listed = (await driver.members(viewer.token, owner.app["id"]))["members"]
    assert [(m["email"], m["role"]) for m in listed] == [
        (owner.email, "owner"),
        (viewer.email, "viewer"),
        (editor.email, "editor"),
    ]
    assert listed[1]["userId"] == await user_id(driver, viewer)
    assert all(abs(m["createdAt"] - now_ms()) < 60_000 for m in listed)


async def test_adding_a_member_again_changes_the_role(driver: Driver, owner: Tenant) -> None:
    other = await member(driver, owner, "viewer")
    added = await driver.add_member(owner.token, owner.app["id"], f" {other.email.upper()}", "editor")
    assert (added["member"]["email"], added["member"]["role"]) == (other.email, "editor")
    assert (await driver.app(other.token, owner.app["id"]))["app"]["role"] == "editor"
    assert len((await driver.members(owner.token, owner.app["id"]))["members"]) == 2


async def test_removal_takes_effect_at_once(driver: Driver, owner: Tenant) -> None:
    await driver.ingest(owner.app_key, [error_event()])
    other = await member(driver, owner, "editor")
    await driver.remove_member(owner.token, owner.app["id"], await user_id(driver, other))
    assert await refusal(driver.app(other.token, owner.app["id"])) == APP_NOT_FOUND
    assert (await driver.list_apps(other.token))["apps"] == [other.app]
    assert (await driver.overview(other.token))["totals"] == ZEROS
    issue = f"{owner.app_key}:js:abc123"
    assert await refusal(driver.issue(other.token, issue)) == ("NOT_FOUND", "ISSUE_NOT_FOUND")
    assert await refusal(driver.reopen(other.token, issue)) == ("NOT_FOUND", "ISSUE_NOT_FOUND")


async def test_members_may_leave_and_owners_may_not(driver: Driver, owner: Tenant) -> None:
    viewer = await member(driver, owner, "viewer")
    app, viewer_id, owner_id = owner.app["id"], await user_id(driver, viewer), await user_id(driver, owner)
    await driver.remove_member(viewer.token, app, viewer_id)
    assert await refusal(driver.remove_member(owner.token, app, viewer_id)) == USER_NOT_FOUND
    assert await refusal(driver.remove_member(owner.token, app, owner_id)) == OWNER_STAYS
    assert await refusal(driver.add_member(owner.token, app, owner.email, "viewer")) == OWNER_STAYS
    assert [m["email"] for m in (await driver.members(owner.token, app))["members"]] == [owner.email]


@pytest.mark.parametrize(
    ("email", "role", "expected"),
    [
        ("nobody-at-all@example.test", "viewer", USER_NOT_FOUND),
        ("not-an-address", "viewer", ("INVALID_ARGUMENT", "INVALID_EMAIL")),
        ("a@example.test", "owner", ("INVALID_ARGUMENT", "INVALID_ROLE")),
    ],
)
async def test_members_are_registered_users_with_a_lesser_role(
    driver: Driver, owner: Tenant, email: str, role: str, expected: tuple[str, str]
) -> None:
    assert await refusal(driver.add_member(owner.token, owner.app["id"], email, role)) == expected


async def test_issues_are_assigned_to_members_only(driver: Driver, owner: Tenant) -> None:
    await driver.ingest(owner.app_key, [error_event()])
    viewer, stranger = await member(driver, owner, "viewer"), await new_tenant(driver)
    issue = f"{owner.app_key}:js:abc123"
    assignee = await user_id(driver, viewer)
    assert (await driver.update_issue(owner.token, issue, assignee=assignee))["issue"]["assignee"] == assignee
    call = driver.update_issue(owner.token, issue, assignee=await user_id(driver, stranger))
    assert await refusal(call) == USER_NOT_FOUND


async def test_a_user_without_apps_becomes_a_member(driver: Driver, owner: Tenant) -> None:
    email = new_email()
    token = (await driver.register(email, PASSWORD))["token"]
    await driver.add_member(owner.token, owner.app["id"], email, "viewer")
    assert [app["id"] for app in (await driver.list_apps(token))["apps"]] == [owner.app["id"]]
