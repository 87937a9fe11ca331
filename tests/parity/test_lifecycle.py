"""Where issues stand: what people change and what coming back changes, alike through every door."""

from tests.parity.driver import Driver
from tests.parity.test_scenarios import Tenant, new_tenant, refusal, tenant  # noqa: F401 -- a fixture
from tests.sample import error_event, now_ms


async def broken(driver: Driver, tenant: Tenant, release: str | None = "1.0.0") -> str:  # noqa: F811
    """An issue of the tenant's app, or one more event of it; its id."""
    event = error_event(fingerprint="js:life") | ({} if release is None else {"release": release})
    assert (await driver.ingest(tenant.app_key, [event]))["accepted"] == 1
    return f"{tenant.app_key}:js:life"


async def test_issue_goes_from_open_to_archived(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    id = await broken(driver, tenant)
    assert await refusal(driver.archive(tenant.token, id)) == ("FAILED_PRECONDITION", "ISSUE_NOT_VERIFIED")
    fixed = (await driver.fixed(tenant.token, id, " 1.1.0 "))["issue"]
    assert (fixed["status"], fixed["fixedInRelease"]) == ("fixed_pending_release", "1.1.0")
    assert fixed["statusChangedBy"] == tenant.email
    verified = (await driver.verified(tenant.token, id, "1.1.0"))["issue"]
    assert (verified["status"], verified["verifiedInRelease"]) == ("resolved", "1.1.0")
    archived = (await driver.archive(tenant.token, id))["issue"]
    assert (archived["status"], archived["archived"]) == ("archived", True)
    assert abs(archived["archivedAt"] - now_ms()) < 60_000
    assert await refusal(driver.archive(tenant.token, id)) == ("FAILED_PRECONDITION", "ISSUE_ALREADY_ARCHIVED")
    assert (await driver.issues(tenant.token))["issues"] == []
    assert [i["id"] for i in (await driver.issues(tenant.token, status="archived"))["issues"]] == [id]
    assert (await driver.overview(tenant.token))["totals"]["issues"] == 0
    assert (await driver.overview(tenant.token, status="archived", platform="web"))["totals"]["issues"] == 1
    assert (await driver.reopen(tenant.token, id))["issue"]["status"] == "open"
    assert (await driver.overview(tenant.token, platform="web"))["totals"]["issues"] == 1


async def test_release_is_required_and_bounded(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    id = await broken(driver, tenant)
    for release in (None, "  "):
        fixed, verified = driver.fixed(tenant.token, id, release), driver.verified(tenant.token, id, release)
        assert await refusal(fixed) == ("INVALID_ARGUMENT", "FIXED_IN_RELEASE_REQUIRED")
        assert await refusal(verified) == ("INVALID_ARGUMENT", "VERIFIED_IN_RELEASE_REQUIRED")
    assert await refusal(driver.fixed(tenant.token, id, "9" * 257)) == ("INVALID_ARGUMENT", "RELEASE_TOO_LONG")


async def test_only_the_fixed_release_or_a_newer_one_reopens(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    id = await broken(driver, tenant)
    await driver.fixed(tenant.token, id, "1.2.0")
    await driver.verified(tenant.token, id, "1.2.0")
    await driver.archive(tenant.token, id)
    for release in ("1.1.9", "1.2.0-beta.3", None):
        await broken(driver, tenant, release)
    kept = (await driver.issue(tenant.token, id))["issue"]
    assert (kept["status"], kept["eventCount"], kept["regressed"]) == ("archived", 4, False)
    await broken(driver, tenant, "1.10.0")
    back = (await driver.issue(tenant.token, id))["issue"]
    assert (back["status"], back["archived"], back["archivedAt"]) == ("open", False, None)
    assert (back["regressed"], back["regressedInRelease"]) == (True, "1.10.0")
    assert back["statusChangedBy"] is None
    assert (await driver.overview(tenant.token))["totals"]["issues"] == 1
    kinds = [c["kind"] for c in (await driver.comments(tenant.token, id))["comments"]]
    assert kinds == ["regressed", "archived", "verified", "fixed"]


async def test_assign_mute_and_comment(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    id = await broken(driver, tenant)
    me = (await driver.me(tenant.token))["user"]["id"]
    until = now_ms() + 60_000
    issue = (await driver.update_issue(tenant.token, id, assignee=me, mutedUntil=until))["issue"]
    assert (issue["assignee"], issue["mutedUntil"]) == (me, until)
    issue = (await driver.update_issue(tenant.token, id, updateMask="mutedUntil"))["issue"]
    assert (issue["assignee"], issue["mutedUntil"]) == (me, None)
    assert await refusal(driver.update_issue(tenant.token, id)) == ("INVALID_ARGUMENT", "INVALID_UPDATE_MASK")
    wrong = driver.update_issue(tenant.token, id, updateMask="message")
    assert await refusal(wrong) == ("INVALID_ARGUMENT", "INVALID_UPDATE_MASK")
    comment = (await driver.comment(tenant.token, id, "  seen it too \n"))["comment"]
    assert (comment["author"], comment["kind"], comment["text"]) == (tenant.email, "comment", "seen it too")
    assert await refusal(driver.comment(tenant.token, id, " ")) == ("INVALID_ARGUMENT", "COMMENT_REQUIRED")
    assert await refusal(driver.comment(tenant.token, id, "x" * 10_001)) == ("INVALID_ARGUMENT", "COMMENT_TOO_LONG")
    first = await driver.comments(tenant.token, id, pageSize=3)
    rest = await driver.comments(tenant.token, id, pageSize=3, pageToken=first["nextPageToken"])
    kinds = [c["kind"] for c in first["comments"] + rest["comments"]]
    assert kinds == ["comment", "muted", "muted", "assigned"]


async def test_events_of_an_issue_are_paged(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    at = now_ms() - 10_000
    sent = [error_event(fingerprint="js:life") | {"timestamp": at + n // 2, "eventId": f"e{n}"} for n in range(7)]
    await driver.ingest(tenant.app_key, sent)
    id, got, token = f"{tenant.app_key}:js:life", [], ""
    while True:
        page = await driver.issue_events(tenant.token, id, pageSize=3, **({"pageToken": token} if token else {}))
        got += [event["eventId"] for event in page["events"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert got == [f"e{n}" for n in range(6, -1, -1)]
    within = await driver.issue_events(tenant.token, id, start=at + 1, end=at + 1)
    assert [event["eventId"] for event in within["events"]] == ["e3", "e2"]


async def test_strangers_can_change_nothing(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    id = await broken(driver, tenant)
    stranger = await new_tenant(driver)
    me = (await driver.me(stranger.token))["user"]["id"]
    gone = ("NOT_FOUND", "ISSUE_NOT_FOUND")
    for call in (
        driver.archive(stranger.token, id),
        driver.reopen(stranger.token, id),
        driver.fixed(stranger.token, id, "1"),
        driver.verified(stranger.token, id, "1"),
        driver.update_issue(stranger.token, id, assignee=me),
        driver.comment(stranger.token, id, "hello"),
        driver.comments(stranger.token, id),
        driver.issue_events(stranger.token, id),
    ):
        assert await refusal(call) == gone
    assert await refusal(driver.update_issue(tenant.token, id, assignee=me)) == ("NOT_FOUND", "USER_NOT_FOUND")
