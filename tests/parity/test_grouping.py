"""Grouping people can trust: explained, tried out and repaired, alike through every door."""

import pytest

from tests.parity.driver import Driver, Json
from tests.parity.test_apps import APP_NOT_FOUND, ROLE_TOO_LOW, member
from tests.parity.test_scenarios import NOBODYS_TOKEN, Tenant, new_tenant, refusal
from tests.sample import error_event, http_event, now_ms

ISSUE_NOT_FOUND = ("NOT_FOUND", "ISSUE_NOT_FOUND")


@pytest.fixture
async def owner(driver: Driver) -> Tenant:
    return await new_tenant(driver)


async def issue_ids(driver: Driver, tenant: Tenant, *names: str) -> list[str]:
    """Issues of one event each, the first one latest; their ids."""
    at = now_ms()
    sent = [error_event(fingerprint=name, message=name, timestamp=at - n) for n, name in enumerate(names)]
    assert (await driver.ingest(tenant.app_key, sent))["accepted"] == len(names)
    return [f"{tenant.app_key}:{name}" for name in names]


async def shown(driver: Driver, tenant: Tenant, id: str) -> Json:
    return (await driver.issue(tenant.token, id))["issue"]


async def test_ours_is_explained_by_its_inputs(driver: Driver, owner: Tenant) -> None:
    sent = [error_event(fingerprint="", message=f"Order {n} is gone", timestamp=now_ms() + n) for n in (17, 18)]
    await driver.ingest(owner.app_key, sent)
    (issue,) = (await driver.issues(owner.token))["issues"]
    found = await driver.grouping(owner.token, issue["id"])
    assert (found["version"], found["knownVersions"]) == ("v1", ["v1"])
    assert (found["fingerprint"], found["eventId"]) == (issue["fingerprint"], sent[1]["eventId"])
    masked = [{"text": "18", "mask": "<number>"}]
    assert found["inputs"] == [
        {"name": "errorType", "raw": "js", "normalised": "js", "masked": []},
        {"name": "message", "raw": "Order 18 is gone", "normalised": "Order <number> is gone", "masked": masked},
        {"name": "frame1", "raw": "at pay (http://shop.example/app.js:10:5)", "normalised": "pay app.js", "masked": []},
    ]


async def test_a_failed_request_and_an_sdks_own_key_are_explained(driver: Driver, owner: Tenant) -> None:
    await driver.ingest(owner.app_key, [http_event(), error_event(fingerprint="js:own")])
    request, own = sorted((await driver.issues(owner.token))["issues"], key=lambda i: i["errorType"])
    found = await driver.grouping(owner.token, request["id"])
    path = {"raw": "/orders/17", "normalised": "/orders/:id", "masked": [{"text": "17", "mask": ":id"}]}
    assert (found["version"], found["inputs"][1]) == ("v1", {"name": "path"} | path)
    found = await driver.grouping(owner.token, own["id"])
    named = {"name": "fingerprint", "raw": "js:own", "normalised": "js:own", "masked": []}
    assert (found["version"], found["fingerprint"], found["inputs"]) == ("sdk", "js:own", [named])


async def test_a_dry_run_of_the_same_version_changes_nothing(driver: Driver, owner: Tenant) -> None:
    await driver.ingest(owner.app_key, [error_event(), http_event(), http_event(status=404), http_event()])
    for version in (None, "v1"):
        assert await driver.preview(owner.token, owner.app["id"], version) == {
            "version": "v1",
            "issues": 2,
            "events": 3,
            "joined": 0,
            "split": 0,
            "complete": True,
        }
    unknown = driver.preview(owner.token, owner.app["id"], "v0")
    assert await refusal(unknown) == ("INVALID_ARGUMENT", "UNKNOWN_GROUPING_VERSION")


async def test_merged_issues_are_one_until_they_are_taken_apart(driver: Driver, owner: Tenant) -> None:
    one, two, three = await issue_ids(driver, owner, "js:1", "js:2", "js:3")
    before = {id: await shown(driver, owner, id) for id in (one, two, three)}
    merged = (await driver.merge(owner.token, two, [one, three, three]))["issue"]
    assert (merged["id"], merged["message"], merged["eventCount"]) == (two, "js:2", 3)
    assert (merged["mergedIds"], merged["mergedInto"]) == ([one, three], None)
    assert (merged["firstSeenAt"], merged["lastSeenAt"]) == (before[three]["firstSeenAt"], before[one]["lastSeenAt"])
    assert (await driver.issues(owner.token))["issues"] == [merged]
    assert (await driver.overview(owner.token))["totals"]["issues"] == 1
    found = await driver.issue(owner.token, two)
    assert [event["message"] for event in found["events"]] == ["js:1", "js:2", "js:3"]
    assert (await driver.merge(owner.token, two, [one]))["issue"] == merged
    await issue_ids(driver, owner, "js:3")
    assert (await shown(driver, owner, two))["eventCount"] == 4
    part = (await driver.unmerge(owner.token, three))["issue"]
    assert (part["mergedInto"], part["eventCount"]) == (None, 2)
    assert (await shown(driver, owner, one))["mergedInto"] == two
    await driver.unmerge(owner.token, one)
    assert await shown(driver, owner, two) == before[two]
    assert await shown(driver, owner, one) == before[one]
    assert (await driver.overview(owner.token))["totals"]["issues"] == 3
    thread = (await driver.comments(owner.token, two))["comments"]
    assert [(note["kind"], note["text"], note["author"]) for note in reversed(thread)] == [
        ("merged", "js:1", owner.email),
        ("merged", "js:3", owner.email),
        ("unmerged", "js:3", owner.email),
        ("unmerged", "js:1", owner.email),
    ]


async def test_events_of_merged_issues_are_paged_as_one_list(driver: Driver, owner: Tenant) -> None:
    ids = await issue_ids(driver, owner, *(f"js:{n}" for n in range(5)))
    await driver.merge(owner.token, ids[2], [id for id in ids if id != ids[2]])
    got: list[str] = []
    token = ""
    while True:
        page = await driver.issue_events(owner.token, ids[2], pageSize=2, **({"pageToken": token} if token else {}))
        got += [event["message"] for event in page["events"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert got == [f"js:{n}" for n in range(5)]


async def test_what_cannot_be_merged_is_refused_with_a_reason(driver: Driver, owner: Tenant) -> None:
    one, two, three = await issue_ids(driver, owner, "js:1", "js:2", "js:3")
    other = (await driver.create_app(owner.token, "Other"))["app"]
    await driver.ingest(other["appKey"], [error_event(fingerprint="js:1")])
    await driver.merge(owner.token, one, [two])
    for target, ids, expected in (
        (one, [], ("INVALID_ARGUMENT", "MERGE_NEEDS_ANOTHER_ISSUE")),
        (one, [one], ("INVALID_ARGUMENT", "MERGE_NEEDS_ANOTHER_ISSUE")),
        (one, [f"{other['appKey']}:js:1"], ("INVALID_ARGUMENT", "MERGE_ACROSS_APPS")),
        (one, [f"{one}{n}" for n in range(101)], ("INVALID_ARGUMENT", "TOO_MANY_MERGED_ISSUES")),
        (one, [f"{owner.app_key}:js:9"], ISSUE_NOT_FOUND),
        (one, ["nothing"], ISSUE_NOT_FOUND),
        (f"{owner.app_key}:js:9", [one], ISSUE_NOT_FOUND),
        (three, [two], ("FAILED_PRECONDITION", "ISSUE_IS_MERGED")),
    ):
        assert await refusal(driver.merge(owner.token, target, ids)) == expected
    assert await refusal(driver.unmerge(owner.token, one)) == ("FAILED_PRECONDITION", "ISSUE_NOT_MERGED")
    for call in (
        driver.fixed(owner.token, two, "1"),
        driver.reopen(owner.token, two),
        driver.comment(owner.token, two, "here?"),
        driver.update_issue(owner.token, two, updateMask="assignee"),
    ):
        assert await refusal(call) == ("FAILED_PRECONDITION", "ISSUE_IS_MERGED")
    assert (await driver.overview(owner.token, appKey=owner.app_key))["totals"]["issues"] == 2


async def test_a_merged_issue_regresses_as_its_target(driver: Driver, owner: Tenant) -> None:
    one, two = await issue_ids(driver, owner, "js:1", "js:2")
    await driver.merge(owner.token, one, [two])
    await driver.fixed(owner.token, one, "2.0.0")
    await driver.ingest(owner.app_key, [error_event(fingerprint="js:2", release="1.9.0")])
    assert (await shown(driver, owner, one))["status"] == "fixed_pending_release"
    await driver.ingest(owner.app_key, [error_event(fingerprint="js:2", release="2.0.0")])
    back = await shown(driver, owner, one)
    assert (back["status"], back["regressedInRelease"]) == ("open", "2.0.0")


async def test_viewers_read_and_strangers_find_nothing(driver: Driver, owner: Tenant) -> None:
    one, two = await issue_ids(driver, owner, "js:1", "js:2")
    viewer, editor = await member(driver, owner, "viewer"), await member(driver, owner, "editor")
    stranger = await new_tenant(driver)
    assert (await driver.grouping(viewer.token, one))["fingerprint"] == "js:1"
    assert (await driver.preview(viewer.token, owner.app["id"]))["complete"] is True
    assert await refusal(driver.merge(viewer.token, one, [two])) == ROLE_TOO_LOW
    await driver.merge(editor.token, one, [two])
    assert await refusal(driver.unmerge(viewer.token, two)) == ROLE_TOO_LOW
    for id in (one, f"{stranger.app_key}:js:1", "web_nobody:js:1"):
        assert await refusal(driver.grouping(stranger.token, id)) == ISSUE_NOT_FOUND
        assert await refusal(driver.merge(stranger.token, id, [two])) == ISSUE_NOT_FOUND
        assert await refusal(driver.unmerge(stranger.token, id)) == ISSUE_NOT_FOUND
    (own,) = await issue_ids(driver, stranger, "js:1")
    assert await refusal(driver.merge(stranger.token, own, [one])) == ISSUE_NOT_FOUND
    assert await refusal(driver.preview(stranger.token, owner.app["id"])) == APP_NOT_FOUND
    assert (await shown(driver, owner, one))["mergedIds"] == [two]


@pytest.mark.parametrize("token", [None, NOBODYS_TOKEN])
async def test_grouping_needs_a_good_token(driver: Driver, token: str | None) -> None:
    calls = [
        driver.grouping(token, "web_x:js:1"),
        driver.preview(token, "app_record_x"),
        driver.merge(token, "web_x:js:1", ["web_x:js:2"]),
        driver.unmerge(token, "web_x:js:1"),
    ]
    assert [await refusal(call) for call in calls] == [("UNAUTHENTICATED", "UNAUTHENTICATED")] * 4
