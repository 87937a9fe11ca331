"""Web performance, and how requests do, through every door."""

import math

import pytest

from tests.parity.driver import Driver, Json
from tests.parity.test_scenarios import Tenant, new_tenant, refusal, tenant  # noqa: F401
from tests.sample import error_event, http_event, now_ms, performance_event

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


async def metrics(driver: Driver, tenant: Tenant, **filters: object) -> dict[str, Json]:  # noqa: F811
    answer = await driver.performance(tenant.token, appKey=tenant.app_key, **filters)
    assert answer["relativeError"] == 0.01
    return {metric.pop("name"): metric for metric in answer["metrics"]}


async def test_quantiles_and_ratings_of_each_metric(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    values = [37.5 * n for n in range(1, 48)]
    ratings = ["good"] * 30 + ["needs-improvement"] * 10 + ["poor"] * 5 + ["", "splendid"]
    lcp = [performance_event(name="LCP", value=v, rating=r) for v, r in zip(values, ratings, strict=True)]
    await driver.ingest(tenant.app_key, [*lcp, performance_event(name="CLS", value=-0.1234), error_event()])
    found = await metrics(driver, tenant)
    assert list(found) == ["CLS", "LCP"]
    ranks = {"p50": 0.5, "p75": 0.75, "p95": 0.95}
    about = {name: pytest.approx(values[math.floor(q * 46)], rel=0.01) for name, q in ranks.items()}
    assert found["LCP"] == about | {"count": 47, "good": 30, "needsImprovement": 10, "poor": 5}
    about = dict.fromkeys(ranks, pytest.approx(-0.1234, rel=0.01))
    assert found["CLS"] == about | {"count": 1, "good": 1, "needsImprovement": 0, "poor": 0}


async def test_a_resent_measurement_counts_once(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    batch = [performance_event(value=1.0), performance_event(value=9.0)]
    await driver.ingest(tenant.app_key, batch)
    before = await metrics(driver, tenant)
    await driver.ingest(tenant.app_key, [*batch, batch[0]])
    assert await metrics(driver, tenant) == before
    assert before["LCP"]["count"] == 2


async def test_only_performance_events_with_name_and_number_measure(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    nameless, valueless = performance_event(), performance_event()
    del nameless["name"], valueless["value"]
    others = [error_event(name="LCP", value=1), http_event(name="LCP", value=1)]
    answer = await driver.ingest(tenant.app_key, [nameless, valueless, performance_event(name=""), *others])
    assert answer["accepted"] == 5
    assert await metrics(driver, tenant) == {}


async def test_ranges_are_whole_hours_of_event_time(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    hour = now_ms() // HOUR_MS * HOUR_MS - 3 * DAY_MS
    times = [hour - 1, hour, hour + HOUR_MS - 1, hour + HOUR_MS]
    await driver.ingest(
        tenant.app_key, [performance_event(value=float(n), timestamp=at) for n, at in enumerate(times, 1)]
    )
    for start, end in ((hour, hour), (hour + 5, hour + HOUR_MS - 1)):
        answer = await driver.performance(tenant.token, appKey=tenant.app_key, start=start, end=end)
        assert (answer["start"], answer["end"]) == (hour, hour + HOUR_MS - 1)
        assert [metric["count"] for metric in answer["metrics"]] == [2]
    assert (await metrics(driver, tenant, start=hour - 1))["LCP"]["count"] == 4
    assert (await metrics(driver, tenant, end=hour + HOUR_MS))["LCP"]["count"] == 4
    assert await metrics(driver, tenant) == {}


async def test_a_range_is_bounded(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    now = now_ms()
    expected = ("INVALID_ARGUMENT", "INVALID_TIME_RANGE")
    assert await metrics(driver, tenant, start=now - 90 * DAY_MS, end=now) == {}
    for start, end in ((now - 90 * DAY_MS - 1, now), (now + 1, now), (-(10**13), 0)):
        assert await refusal(driver.performance(tenant.token, appKey=tenant.app_key, start=start, end=end)) == expected
    assert await refusal(driver.performance(tenant.token)) == ("INVALID_ARGUMENT", "APP_KEY_REQUIRED")


async def test_strangers_see_no_measurements(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    await driver.ingest(tenant.app_key, [performance_event()])
    other = await new_tenant(driver)
    await driver.ingest(other.app_key, [performance_event(name="TTFB", value=5.0)])
    theirs = await driver.performance(other.token, appKey=tenant.app_key)
    nobodys = await driver.performance(other.token, appKey="web_nobody")
    assert theirs["metrics"] == nobodys["metrics"] == []
    assert (list(await metrics(driver, tenant)), list(await metrics(driver, other))) == (["LCP"], ["TTFB"])


async def test_members_see_measurements_until_they_are_removed(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    await driver.ingest(tenant.app_key, [performance_event()])
    viewer = await new_tenant(driver)
    seen = {"appKey": tenant.app_key}
    await driver.add_member(tenant.token, tenant.app["id"], viewer.email, "viewer")
    theirs, owners = [(await driver.performance(t, **seen))["metrics"] for t in (viewer.token, tenant.token)]
    assert theirs == owners != []
    user_id = (await driver.me(viewer.token))["user"]["id"]
    await driver.remove_member(tenant.token, tenant.app["id"], user_id)
    assert (await driver.performance(viewer.token, **seen))["metrics"] == []


async def test_measurements_outlive_a_new_key_and_go_with_the_app(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    await driver.ingest(tenant.app_key, [performance_event()])
    rotated = (await driver.rotate_key(tenant.token, tenant.app["id"]))["app"]
    await driver.ingest(rotated["appKey"], [performance_event()])
    for key in (tenant.app_key, rotated["appKey"]):
        (metric,) = (await driver.performance(tenant.token, appKey=key))["metrics"]
        assert metric["count"] == 2
    await driver.delete_app(tenant.token, tenant.app["id"])
    assert (await driver.performance(tenant.token, appKey=tenant.app_key))["metrics"] == []


async def requests(driver: Driver, tenant: Tenant, **filters: object) -> list[Json]:  # noqa: F811
    answer = await driver.request_performance(tenant.token, appKey=tenant.app_key, **filters)
    assert answer["relativeError"] == 0.05
    return answer["requests"]


async def test_requests_are_told_by_method_and_path(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    """Successes and failures alike, the most frequent first, whatever the ids and queries in their addresses."""
    durations = [10.0 * n for n in range(1, 21)]
    orders = [
        http_event(url=f"https://api.example/orders/{n}?page={n}", method="get", duration=duration, success=n % 4 != 0)
        for n, duration in enumerate(durations)
    ]
    carts = [http_event(url="/carts", method="POST", duration=5), http_event(url="/carts", method="POST")]
    del carts[1]["duration"], carts[1]["success"]
    await driver.ingest(tenant.app_key, [*orders, *carts, *orders[:3], error_event(), performance_event()])
    found = await requests(driver, tenant)
    ranks = {"p50": 0.5, "p75": 0.75, "p95": 0.95}
    about = {name: pytest.approx(durations[math.floor(q * 19)], rel=0.05) for name, q in ranks.items()}
    assert found == [
        {"method": "GET", "path": "/orders/:id", "count": 20, "succeeded": 15, "failed": 5} | about,
        {"method": "POST", "path": "/carts", "count": 2, "succeeded": 0, "failed": 1}
        | dict.fromkeys(ranks, pytest.approx(5, rel=0.05)),
    ]
    assert list(await metrics(driver, tenant)) == ["LCP"]


async def test_a_request_without_a_duration_has_no_quantiles(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    untimed, impossible, nowhere = http_event(), http_event(duration=-1), http_event(url="")
    del untimed["duration"]
    await driver.ingest(tenant.app_key, [untimed, impossible, nowhere])
    (found,) = await requests(driver, tenant)
    assert {name: value for name, value in found.items() if value is not None} == {
        "method": "GET", "path": "/orders/:id", "count": 2, "succeeded": 0, "failed": 2,
    }  # fmt: skip


async def test_made_up_paths_share_one_entry(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    made_up = [http_event(url=f"/a{n // 26}{chr(97 + n % 26)}z", method="BAD WORD") for n in range(250)]
    for start in range(0, 250, 50):
        await driver.ingest(tenant.app_key, made_up[start : start + 50])
    found = await requests(driver, tenant)
    assert len(found) == 201
    assert {name: found[0][name] for name in ("method", "path", "count", "failed")} == {
        "method": "", "path": "(other)", "count": 50, "failed": 50,
    }  # fmt: skip
    assert {(request["method"], request["count"]) for request in found[1:]} == {("", 1)}


async def test_requests_of_others_and_impossible_ranges_are_refused_alike(driver: Driver, tenant: Tenant) -> None:  # noqa: F811
    await driver.ingest(tenant.app_key, [http_event()])
    other = await new_tenant(driver)
    for key in (tenant.app_key, "web_nobody"):
        assert (await driver.request_performance(other.token, appKey=key))["requests"] == []
    hour = now_ms() // HOUR_MS * HOUR_MS
    assert await requests(driver, tenant, start=hour - DAY_MS, end=hour - HOUR_MS) == []
    assert await refusal(driver.request_performance(tenant.token)) == ("INVALID_ARGUMENT", "APP_KEY_REQUIRED")
    refused = refusal(driver.request_performance(tenant.token, appKey=tenant.app_key, start=hour + 1, end=hour))
    assert await refused == ("INVALID_ARGUMENT", "INVALID_TIME_RANGE")
