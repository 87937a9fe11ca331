"""What dashboards narrow down by, through every door: filters, orders, trends and what an issue's events share."""

from typing import Any

from tests.parity.driver import Driver, Json
from tests.parity.test_scenarios import Tenant, new_tenant, refusal, tenant  # noqa: F401 -- a fixture
from tests.sample import error_event, http_event, now_ms, performance_event

HOUR = 3_600_000
CHROME = {
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
}


def error(name: str, **fields: Any) -> Json:
    return error_event(fingerprint=f"js:{name}", message=f"{name} went wrong", **fields)


async def some_of_everything(driver: Driver, tenant: Tenant) -> int:  # noqa: F811
    """Four issues in two releases and environments over three hours; the start of the first of those hours."""
    start = (now_ms() // HOUR - 3) * HOUR
    events = [
        error("Ärger", timestamp=start + 1, userId="u1", release="1.0.0", environment="production", deviceInfo=CHROME),
        error(
            "Ärger", timestamp=start + HOUR, userId="u2", release="1.1.0", environment="production", pageUrl="/a?x=1"
        ),
        error("Ärger", timestamp=start + HOUR + 5, userId="u2", release="1.1.0", environment="test", pageUrl="/a?x=2"),
        error("promise", timestamp=start + 2 * HOUR, userId="u1", release="1.1.0", errorType="promise"),
        error("late", timestamp=start + 2 * HOUR + 9, userId="u3", release="2.0.0"),
        http_event(timestamp=start + 2 * HOUR + 1, userId="u1", release="1.1.0", environment="production"),
        performance_event(timestamp=start + HOUR + 7, release="1.1.0", environment="production"),
    ]
    assert (await driver.ingest(tenant.app_key, events))["accepted"] == len(events)
    return start


async def names(driver: Driver, tenant: Tenant, **filters: Any) -> list[str]:  # noqa: F811
    issues = (await driver.issues(tenant.token, appKey=tenant.app_key, **filters))["issues"]
    return [issue["message"].split(" ")[0] for issue in issues]


async def test_totals_follow_every_filter(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    start = await some_of_everything(driver, tenant)

    async def totals(**filters: Any) -> tuple[int, ...]:
        found = (await driver.overview(tenant.token, appKey=tenant.app_key, **filters))["totals"]
        return tuple(found[name] for name in ("events", "errors", "failedRequests", "affectedUsers", "issues"))

    assert await totals() == (7, 5, 1, 3, 4)
    assert await totals(release="1.1.0") == (5, 3, 1, 2, 3)
    assert await totals(release="1.1.0", environment="production") == (3, 1, 1, 2, 2)
    assert await totals(environment="test") == (1, 1, 0, 1, 1)
    assert await totals(type="promise") == (1, 1, 0, 1, 1)
    assert await totals(type="http") == (1, 0, 1, 1, 1)
    assert await totals(type="performance") == (1, 0, 0, 0, 0)
    assert await totals(q="wrong") == (7, 5, 1, 3, 3)
    assert await totals(release="9") == (0, 0, 0, 0, 0)
    assert await totals(release="1.1.0", start=start + HOUR + 5) == (4, 2, 1, 2, 3)
    assert await totals(release="1.1.0", start=start + HOUR + 5, end=start + HOUR + 7, platform="web") == (
        2,
        1,
        0,
        1,
        1,
    )


async def test_issues_follow_every_filter(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    await some_of_everything(driver, tenant)
    assert await names(driver, tenant, release="1.0.0") == ["Ärger"]
    assert sorted(await names(driver, tenant, environment="production")) == ["GET", "Ärger"]
    assert await names(driver, tenant, type="promise") == ["promise"]
    assert await names(driver, tenant, q="äRGER WENT") == ["Ärger"]
    assert await names(driver, tenant, q="%") == []
    assert await names(driver, tenant, release="1.1.0", type="js", q="wrong") == ["Ärger"]


async def test_issues_come_in_the_asked_order_and_page_on_in_it(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    await some_of_everything(driver, tenant)
    assert (await names(driver, tenant))[0] == "late"
    assert (await names(driver, tenant, orderBy="first_seen"))[-1] == "Ärger"
    assert (await names(driver, tenant, orderBy="events"))[0] == "Ärger"
    assert (await names(driver, tenant, orderBy="users"))[0] == "Ärger"
    for order in ("last_seen", "first_seen", "events", "users"):
        whole = [i["id"] for i in (await driver.issues(tenant.token, orderBy=order))["issues"]]
        paged: list[str] = []
        token: Json = {}
        while True:
            page = await driver.issues(tenant.token, orderBy=order, pageSize=1, **token)
            paged += [issue["id"] for issue in page["issues"]]
            if not page.get("nextPageToken"):
                break
            token = {"pageToken": page["nextPageToken"]}
        assert paged == whole
    first = await driver.issues(tenant.token, orderBy="events", pageSize=1)
    moved = driver.issues(tenant.token, orderBy="users", pageSize=1, pageToken=first["nextPageToken"])
    assert await refusal(moved) == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN")


async def test_trends_of_an_app_and_of_an_issue(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    start = await some_of_everything(driver, tenant)
    span = {"start": start, "end": start + 3 * HOUR - 1}
    hourly = (await driver.overview(tenant.token, bucket="hour", **span))["buckets"]
    shown = ("start", "events", "errors", "failedRequests", "affectedUsers")
    assert [tuple(b[name] for name in shown) for b in hourly] == [
        (start, 1, 1, 0, 1),
        (start + HOUR, 3, 2, 0, 1),
        (start + 2 * HOUR, 3, 2, 1, 2),
    ]
    narrow = (await driver.overview(tenant.token, bucket="hour", environment="production", **span))["buckets"]
    assert [b["events"] for b in narrow] == [1, 2, 1]
    daily = (await driver.overview(tenant.token, bucket="day", **span))["buckets"]
    assert sum(b["events"] for b in daily) == 7
    assert all(b["start"] % (24 * HOUR) == 0 for b in daily)
    detail = await driver.issue(tenant.token, f"{tenant.app_key}:js:Ärger", bucket="hour", **span)
    assert [(b["events"], b["errors"], b["affectedUsers"]) for b in detail["buckets"]] == [
        (1, 1, 1),
        (2, 2, 1),
        (0, 0, 0),
    ]
    for wrong in ({"bucket": "hour"}, {"bucket": "hour", "start": start - 1_001 * HOUR}):
        assert await refusal(driver.overview(tenant.token, **wrong)) == ("INVALID_ARGUMENT", "INVALID_BUCKET")


async def test_what_the_events_of_an_issue_share(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    await some_of_everything(driver, tenant)
    detail = await driver.issue(tenant.token, f"{tenant.app_key}:js:Ärger")
    assert detail["issue"]["affectedUsers"] == 2
    shared = {b["property"]: [(v["value"], v["eventCount"]) for v in b["values"]] for b in detail["breakdowns"]}
    assert shared == {
        "platform": [("web", 3)],
        "release": [("1.1.0", 2), ("1.0.0", 1)],
        "environment": [("production", 2), ("test", 1)],
        "page": [("/a", 2)],
        "browser": [("Chrome 156", 1)],
        "device": [("Linux", 1)],
    }


async def test_issues_count_in_every_range_they_were_seen_in(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    start = await some_of_everything(driver, tenant)

    async def count(**filters: Any) -> int:
        told = await driver.count_issues(tenant.token, **{"appKey": tenant.app_key} | filters)
        assert list(told) == ["issues"]
        return int(told["issues"])

    assert await count() == await count(start=start) == 4
    assert await count(start=start, end=start + HOUR - 1) == await count(start=start + 1, end=start + 1) == 1
    assert await count(start=start + 2, end=start + HOUR - 1) == 0
    assert await count(start=start + HOUR + 1, end=start + HOUR + 4) == 0
    assert await count(start=start + 2 * HOUR) == await count(start=start + 2 * HOUR, end=now_ms()) == 3
    assert await count(start=start + 2 * HOUR, release="1.1.0") == 2
    assert await count(start=start + HOUR, type="js", q="wrong") == 2
    assert await count(end=start) == await count(appKey="web_nobody") == await count(status="archived") == 0
    backwards = driver.count_issues(tenant.token, start=start + 1, end=start)
    assert await refusal(backwards) == ("INVALID_ARGUMENT", "INVALID_TIME_RANGE")


async def test_releases_are_told_by_when_they_were_first_seen(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    start = await some_of_everything(driver, tenant)

    async def releases(**filters: Any) -> list[tuple[str, int, int]]:
        told = (await driver.releases(tenant.token, **{"appKey": tenant.app_key} | filters))["releases"]
        return [(one["name"], (one["firstSeenAt"] - start) // HOUR, one["events"]) for one in told]

    assert await releases() == await releases(start=start + 5) == [("1.0.0", 0, 1), ("1.1.0", 1, 5), ("2.0.0", 2, 1)]
    assert await releases(start=start + 2 * HOUR) == [("1.1.0", 2, 2), ("2.0.0", 2, 1)]
    assert await releases(end=start + HOUR - 1) == [("1.0.0", 0, 1)]
    assert await releases(end=start - 1) == await releases(appKey="web_nobody") == []
    other = await new_tenant(driver)
    assert (await driver.releases(other.token))["releases"] == []
    backwards = driver.releases(tenant.token, start=start + 1, end=start)
    assert await refusal(backwards) == ("INVALID_ARGUMENT", "INVALID_TIME_RANGE")


async def test_filters_show_nothing_of_another_tenant(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    start = await some_of_everything(driver, tenant)
    stranger = await new_tenant(driver)
    for filters in ({}, {"appKey": tenant.app_key}, {"release": "1.1.0"}, {"q": "wrong"}):
        assert (await driver.issues(stranger.token, **filters))["issues"] == []
        seen = await driver.overview(stranger.token, start=start, bucket="hour", **filters)
        assert set(seen["totals"].values()) == {0}
        assert {b["events"] + b["affectedUsers"] for b in seen["buckets"]} == {0}


async def test_lists_tell_how_often_each_issue_came_up(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    start = await some_of_everything(driver, tenant)
    page = await driver.issues(
        tenant.token, appKey=tenant.app_key, start=start, end=start + 3 * HOUR - 1, bucket="hour"
    )
    counts = {trend["id"]: trend["eventCounts"] for trend in page["trends"]}
    assert [trend["id"] for trend in page["trends"]] == [issue["id"] for issue in page["issues"]]
    assert counts[f"{tenant.app_key}:js:Ärger"] == [1, 2, 0]
    assert counts[f"{tenant.app_key}:js:late"] == [0, 0, 1]
    first = await driver.issues(tenant.token, appKey=tenant.app_key, start=start, bucket="day", pageSize=1)
    assert len(first["trends"]) == 1
    assert not (await driver.issues(tenant.token, appKey=tenant.app_key)).get("trends")
    no_start = driver.issues(tenant.token, appKey=tenant.app_key, bucket="hour")
    assert await refusal(no_start) == ("INVALID_ARGUMENT", "INVALID_BUCKET")


async def test_values_to_filter_by_are_those_that_events_had(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    await some_of_everything(driver, tenant)
    found = await driver.filter_values(tenant.token, appKey=tenant.app_key)
    assert found["platforms"] == ["web"]
    assert set(found["environments"]) == {"production", "test"}
    assert set(found["releases"]) == {"1.0.0", "1.1.0", "2.0.0"}
    assert {"js", "promise", "http", "performance"} <= set(found["types"])
    stranger = await new_tenant(driver)
    assert not any((await driver.filter_values(stranger.token, appKey=tenant.app_key)).values())
