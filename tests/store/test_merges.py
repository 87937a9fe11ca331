"""Merging issues and taking them apart again: counters are what a plain model says, on both engines."""

import asyncio

import pytest

from server.errors import IssueIsMerged, IssueNotFound, IssueNotMerged, MergeNeedsAnotherIssue, TooManyMergedIssues
from server.store import events, issues, lifecycle, merges
from server.store.arrivals import FAILED_REQUEST
from server.store.dimensions import Dimension
from server.store.engine import Engine
from server.store.issues import Issue, IssueFilter
from server.store.lifecycle import Change
from server.store.sequence import Sequence
from server.store.totals import TimeRange
from tests.store.build import NOW, event, submission
from tests.store.statements import counted_statements

APP = {1: "web_one"}
IDS = Sequence()


def by() -> Change:
    return Change(None, NOW, IDS, -1)


def failed(issue: str, **fields: object) -> events.NewEvent:
    """A failed request, whose issue says so."""
    new = event(issue=issue, kind=FAILED_REQUEST, **fields)  # type: ignore[arg-type]
    return new._replace(issue=events.IssueSeed(issue, "v1", issue, issues.HTTP))


async def commit(store: Engine, *new: events.NewEvent, shard: int = 0) -> None:
    await store.write_bulk(events.commit, [submission(*new)], IDS, shard)


async def merge(store: Engine, target: str, *others: str) -> str:
    return await store.write(merges.merge, 1, target, others, by())


async def unmerge(store: Engine, fingerprint: str) -> None:
    await store.write(merges.unmerge, 1, fingerprint, by())


async def find(store: Engine, fingerprint: str) -> Issue:
    issue = await store.read(issues.find, APP, fingerprint)
    assert issue is not None
    return issue


async def listed(store: Engine, **which: object) -> list[str]:
    found = await store.read(issues.page, IssueFilter(APP, **which), None, 1000)  # type: ignore[arg-type]
    return [issue.fingerprint for issue in found]


async def payloads(store: Engine, fingerprint: str, **how: int) -> list[bytes]:
    issue = await find(store, fingerprint)
    found = await store.read(issues.events_of, issue, TimeRange(), "", None, how.get("limit", 50))
    return [one.payload for one in found]


async def test_merged_issues_are_one_in_lists_totals_and_events(store: Engine) -> None:
    await commit(
        store,
        event(issue="js:a", at=NOW, release="2.0", payload=b"1"),
        event(issue="js:b", at=NOW - 9, release="1.0", platform="ios", payload=b"2"),
        event(issue="js:c", at=NOW + 9, release=None, payload=b"3"),
    )
    assert await merge(store, "js:b", "js:a", "js:c") == "js:b"
    one = await find(store, "js:b")
    assert (one.message, one.event_count, one.platforms) == ("message of js:b", 3, {"web": 2, "ios": 1})
    assert (one.first_seen_ms, one.last_seen_ms) == (NOW - 9, NOW + 9)
    assert (one.first_seen_release, one.last_seen_release) == ("2.0", "2.0")
    assert [part.fingerprint for part in one.merged] == ["js:a", "js:c"]
    assert await listed(store) == ["js:b"]
    assert await listed(store, only=Dimension("web")) == ["js:b"]
    assert await payloads(store, "js:b") == [b"3", b"1", b"2"]
    assert await payloads(store, "js:b", limit=2) == [b"3", b"1"]
    for which in (IssueFilter(APP), IssueFilter(APP, Dimension("web")), IssueFilter(APP, seen=TimeRange(0, NOW + 99))):
        assert await store.read(issues.count, which) == 1
    part = await find(store, "js:a")
    assert (part.merged_into, part.event_count, part.platforms) == ("js:b", 1, {"web": 1})
    assert await payloads(store, "js:a") == [b"1"]


async def test_new_events_follow_and_go_back_with_their_issue(store: Engine) -> None:
    await commit(store, event(issue="js:a"), event(issue="js:b"))
    await merge(store, "js:a", "js:b")
    await commit(
        store,
        event(issue="js:b", at=NOW + 5, platform="ios", release="3.0"),
        event(issue="js:a", at=NOW - 5),
        event(issue="js:c"),
    )
    one = await find(store, "js:a")
    assert (one.event_count, one.platforms, one.last_seen_release) == (4, {"web": 3, "ios": 1}, "1.0.0")
    assert (one.first_seen_ms, one.last_seen_ms) == (NOW - 5, NOW + 5)
    assert await store.read(issues.count, IssueFilter(APP, Dimension("ios"))) == 1
    await unmerge(store, "js:b")
    one, other = await find(store, "js:a"), await find(store, "js:b")
    assert (one.event_count, one.platforms, one.first_seen_ms, one.last_seen_ms) == (2, {"web": 2}, NOW - 5, NOW)
    assert (other.event_count, other.platforms, other.last_seen_ms) == (2, {"web": 1, "ios": 1}, NOW + 5)
    assert (one.merged, one.last_seen_release, other.last_seen_release) == ((), "1.0.0", "3.0")
    assert await listed(store) == ["js:b", "js:c", "js:a"]
    assert await store.read(issues.count, IssueFilter(APP, Dimension("ios"))) == 1
    assert await store.read(issues.count, IssueFilter(APP)) == 3


async def test_there_are_no_chains(store: Engine) -> None:
    await commit(store, *(event(issue=f"js:{n}") for n in range(5)))
    await merge(store, "js:1", "js:2")
    await merge(store, "js:3", "js:4")
    assert await merge(store, "js:2", "js:3", "js:4") == "js:1"
    assert [part.fingerprint for part in (await find(store, "js:1")).merged] == ["js:2", "js:3", "js:4"]
    assert (await find(store, "js:1")).event_count == 4
    assert (await find(store, "js:3")).event_count == 1
    assert await listed(store) == ["js:1", "js:0"] or await listed(store) == ["js:0", "js:1"]


async def test_what_cannot_be_merged_changes_nothing(store: Engine) -> None:
    await commit(store, *(event(issue=f"js:{n}") for n in range(4)))
    await merge(store, "js:0", "js:1")
    for others, error in (
        ((), MergeNeedsAnotherIssue),
        (("js:0",), MergeNeedsAnotherIssue),
        (("js:9",), IssueNotFound),
        (("js:3", "js:1"), IssueIsMerged),
    ):
        with pytest.raises(error):
            await merge(store, "js:2", *others) if error is IssueIsMerged else await merge(store, "js:0", *others)
    with pytest.raises(IssueNotFound):
        await merge(store, "js:9", "js:0")
    with pytest.raises(IssueNotMerged):
        await unmerge(store, "js:0")
    with pytest.raises(IssueNotFound):
        await unmerge(store, "js:9")
    with pytest.raises(IssueIsMerged):
        await store.write(lifecycle.mark_fixed, APP, "js:1", by(), "1")
    assert await merge(store, "js:0", "js:1") == "js:0"
    assert await store.read(issues.count, IssueFilter(APP)) == 3


async def test_an_issue_holds_a_hundred_others(store: Engine) -> None:
    await commit(store, *(event(issue=f"js:{n:03}", at=NOW + n, payload=str(n).encode()) for n in range(102)))
    await merge(store, "js:000", *(f"js:{n:03}" for n in range(1, 101)))
    with pytest.raises(TooManyMergedIssues):
        await merge(store, "js:000", "js:101")
    assert (await find(store, "js:000")).event_count == 101
    assert await payloads(store, "js:000", limit=3) == [b"100", b"99", b"98"]


async def test_the_target_regresses_and_not_its_parts(store: Engine) -> None:
    await commit(store, event(issue="js:a"), event(issue="js:b"))
    await store.write(lifecycle.mark_verified, APP, "js:b", by(), "1.0.0")
    await store.write(lifecycle.archive, APP, "js:b", by())
    assert await store.read(issues.count, IssueFilter(APP, archived=(True,))) == 1
    await merge(store, "js:a", "js:b")
    assert await store.read(issues.count, IssueFilter(APP, archived=(True,))) == 0
    await store.write(lifecycle.mark_verified, APP, "js:a", by(), "2.0.0")
    await commit(store, event(issue="js:b", release="1.5.0"))
    assert (await find(store, "js:a")).status == "resolved"
    await commit(store, event(issue="js:b", release="2.0.0"))
    assert ((await find(store, "js:a")).status, (await find(store, "js:b")).status) == ("open", "archived")
    await unmerge(store, "js:b")
    assert await store.read(issues.count, IssueFilter(APP, Dimension("web"), archived=(True,))) == 1
    assert await store.read(issues.count, IssueFilter(APP, Dimension("web"))) == 1


async def test_users_trends_and_breakdowns_cover_all_that_is_merged(store: Engine) -> None:
    hour = 3_600_000
    await commit(
        store, event(issue="js:a", user=1, page="/a"), event(issue="js:a", user=2), event(issue="js:a", user=None)
    )
    await commit(store, failed("http:b", user=2, page="/b"), event(issue="js:c", user=4))
    await merge(store, "js:a", "http:b", "js:c")
    assert (await find(store, "js:a")).user_count == 3
    new = failed("http:b", user=3, at=NOW + hour, page="/a")
    await commit(
        store, new, event(issue="js:a", user=3, at=NOW + hour), event(issue="js:c", user=1), event(issue="js:z")
    )
    one, part = await find(store, "js:a"), await find(store, "http:b")
    assert (one.user_count, part.user_count) == (4, 2)
    assert await listed(store, only=Dimension("", "", "1.0.0")) != []
    first = NOW // hour
    buckets = await store.read(issues.issue_buckets, one, 1, first, first + 1)
    assert [(b.events, b.errors, b.failed_requests, b.affected_users) for b in buckets] == [(6, 5, 1, 3), (2, 1, 1, 1)]
    assert await store.read(issues.trends, [one], 1, first, first + 1) == [[6, 2]]
    assert await store.read(issues.trends, [part], 1, first, first + 1) == [[1, 1]]
    (day,) = await store.read(issues.issue_buckets, one, 24, first // 24, first // 24)
    assert (day.events, day.affected_users) == (8, 4) or NOW // (24 * hour) != (NOW + hour) // (24 * hour)
    assert (await store.read(issues.breakdowns, one))["page"] == [("/a", 2), ("/b", 1)]
    assert (await store.read(issues.breakdowns, part))["page"] == [("/a", 1), ("/b", 1)]
    await unmerge(store, "js:c")
    assert ((await find(store, "js:a")).user_count, (await find(store, "js:c")).user_count) == (3, 2)
    await unmerge(store, "http:b")
    one = await find(store, "js:a")
    assert (one.user_count, (await find(store, "http:b")).user_count) == (3, 2)
    assert (await store.read(issues.breakdowns, one))["page"] == [("/a", 1)]
    await commit(store, event(issue="js:a", user=9), event(issue="http:b", user=2))
    assert ((await find(store, "js:a")).user_count, (await find(store, "http:b")).user_count) == (4, 2)


async def test_merged_issues_cost_no_more_statements_the_more_there_are(store: Engine) -> None:
    await commit(store, *(event(issue=f"js:{n}") for n in range(50)))
    costs = []
    for size in (2, 50):
        await merge(store, "js:0", *(f"js:{n}" for n in range(1, size)))
        with counted_statements(store) as statements:
            await commit(store, *(event(issue=f"js:{n}", user=100 * size + n) for n in range(50)))
        costs.append(len(statements))
    assert costs[0] == costs[1] < 30


async def test_writers_and_mergers_lose_nothing(store: Engine) -> None:
    """Issues are merged and unmerged while events arrive that name them in every order."""
    names = [f"js:{n}" for n in range(4)]
    await commit(store, *(event(issue=name) for name in names))

    async def write(shard: int) -> None:
        for turn in range(12):
            order = names[turn % 4 :] + names[: turn % 4]
            await commit(store, *(event(issue=name, platform=f"p{shard}") for name in order), shard=shard)

    async def regroup() -> None:
        for target, other in (("js:3", "js:0"), ("js:0", "js:1"), ("js:2", "js:3")) * 2:
            await merge(store, target, other)
            await asyncio.sleep(0.01)
            for name in names:
                if (await find(store, name)).merged_into:
                    await unmerge(store, name)

    await asyncio.gather(*(write(shard) for shard in range(4)), regroup())
    await merge(store, "js:2", "js:0", "js:1", "js:3")
    one = await find(store, "js:2")
    assert (one.event_count, one.platforms) == (4 * 49, {"web": 4} | {f"p{n}": 48 for n in range(4)})
    for name in ("js:0", "js:1", "js:3"):
        await unmerge(store, name)
    for name in names:
        assert ((await find(store, name)).event_count, (await find(store, name)).merged) == (49, ())
        assert await store.read(issues.count, IssueFilter(APP, Dimension("p1"))) == 4
