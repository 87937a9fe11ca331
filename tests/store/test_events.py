"""Storing events: once each, with exact counters, on both engines."""

import asyncio
import random

import pytest

from server.errors import StoreUnavailable
from server.store import dimensions, events, issues, ledger, totals
from server.store.arrivals import ERROR, FAILED_REQUEST, OTHER
from server.store.dimensions import Dimension
from server.store.engine import Engine
from server.store.issues import IssueFilter
from server.store.sequence import Sequence
from server.store.totals import EventFilter, TimeRange, Totals
from tests.store.build import MINUTE, NOW, event, submission
from tests.store.statements import counted_statements

APP = {1: "web_one"}


async def commit(store: Engine, *submissions: events.Submission, shard: int = 0) -> list[list[bool]]:
    return await store.write_bulk(events.commit, submissions, Sequence(), shard)


async def read_totals(store: Engine, which: IssueFilter = IssueFilter(APP)) -> Totals:  # noqa: B008 -- frozen
    """Totals of events and the number of issues for one filter, as an overview shows them."""
    found = await store.read(totals.event_totals, EventFilter(which.app_ids, which.only, which.seen))
    found.issues = await store.read(issues.count, which)
    return found


async def test_event_is_stored_once_however_often_it_is_sent(store: Engine) -> None:
    assert await commit(store, submission(event("a"), event("b"), event("a"))) == [[True, True, False]]
    assert await commit(store, submission(event("b"), event("c")), submission(event("c"))) == [[False, True], [False]]
    assert await read_totals(store) == Totals(events=3, errors=3, affected_users=1, issues=1)


async def test_same_event_id_in_two_apps_is_two_events(store: Engine) -> None:
    assert await commit(store, submission(event("a"), event("a", app=2))) == [[True, True]]
    assert (await read_totals(store)).events == 1


async def test_totals_tell_kinds_platforms_and_users_apart(store: Engine) -> None:
    await commit(
        store,
        submission(
            event(user=1),
            event(user=1, platform="ios"),
            event(user=2, kind=FAILED_REQUEST, issue="http:x"),
            event(user=3, kind=OTHER, issue=None),
            event(user=None),
        ),
    )
    assert await read_totals(store) == Totals(events=5, errors=3, failed_requests=1, affected_users=2, issues=2)
    assert await read_totals(store, IssueFilter(APP, Dimension("ios"))) == Totals(
        events=1, errors=1, affected_users=1, issues=1
    )
    assert await read_totals(store, IssueFilter({2: "web_two"})) == Totals()


async def test_issue_keeps_first_message_and_widens_its_times(store: Engine) -> None:
    await commit(store, submission(event(at=NOW, release="1.0"), event(at=NOW - 500, release=None, platform="ios")))
    await commit(store, submission(event(at=NOW + 500, release="0.9")))
    (issue,) = await store.read(issues.page, IssueFilter(APP), None, 10)
    assert (issue.message, issue.event_count, issue.platforms) == ("message of js:a", 3, {"web": 2, "ios": 1})
    assert (issue.first_seen_ms, issue.last_seen_ms) == (NOW - 500, NOW + 500)
    assert (issue.first_seen_release, issue.last_seen_release) == ("1.0", "0.9")


async def test_events_of_an_issue_come_newest_first_and_ties_newest_arrival_first(store: Engine) -> None:
    await commit(store, submission(event(payload=b"1"), event(payload=b"2"), event(at=NOW + 1, payload=b"3")))
    issue = await store.read(issues.find, APP, "js:a")
    assert issue is not None
    all_of_it = await store.read(issues.events_of, issue, TimeRange(), "", None, 50)
    assert [found.payload for found in all_of_it] == [b"3", b"2", b"1"]
    (newest,) = await store.read(issues.events_of, issue, TimeRange(NOW, NOW), "", None, 1)
    (next_one,) = await store.read(issues.events_of, issue, TimeRange(), "", (newest.time_ms, newest.id), 9)
    assert (newest.payload, next_one.payload) == (b"2", b"1")


async def test_pages_follow_each_other_without_gap_or_repeat(store: Engine) -> None:
    await commit(store, submission(*(event(issue=f"js:{n}", at=NOW + n // 3, app=1 + n % 2) for n in range(20))))
    which = IssueFilter({1: "web_one", 2: "web_two"})
    whole = await store.read(issues.page, which, None, 100)
    paged, after = [], None
    while part := await store.read(issues.page, which, after, 3):
        paged += part
        after = (part[-1].last_seen_ms, part[-1].id)
    assert paged == whole
    assert [issue.last_seen_ms for issue in whole] == sorted((i.last_seen_ms for i in whole), reverse=True)
    assert len({(issue.app_id, issue.id) for issue in whole}) == 20


async def test_many_apps_in_one_list_keep_the_order(store: Engine) -> None:
    apps = {n: f"web_{n}" for n in range(1, issues.MAX_BRANCHES + 5)}
    await commit(store, submission(*(event(app=app, at=NOW + app % 7) for app in apps)))
    page = await store.read(issues.page, IssueFilter(apps), None, 10)
    assert [issue.last_seen_ms for issue in page] == [NOW + 6] * 10


async def test_ranges_are_exact_to_the_millisecond(store: Engine) -> None:
    """Random events over three days, compared with a plain count for random ranges and platforms."""
    rng = random.Random(7)
    hour = 3_600_000
    stored = [
        event(
            at=NOW - rng.choice([0, 1, rng.randrange(3 * 24 * hour), NOW % hour, NOW % hour + 1]),
            kind=rng.choice([ERROR, FAILED_REQUEST, OTHER]),
            user=rng.choice([None, 1, 2, 3, rng.randrange(100)]),
            platform=rng.choice(["web", "ios"]),
            release=rng.choice(["1.0", "1.1", None]),
            environment=rng.choice(["", "production"]),
            issue=None,
        )
        for _ in range(400)
    ]
    await commit(store, submission(*stored[:200]), shard=0)
    await commit(store, submission(*stored[200:]), shard=1)
    for _ in range(60):
        start, end = sorted(NOW - rng.choice([0, 1, rng.randrange(3 * 24 * hour), NOW % hour]) for _ in range(2))
        seen = TimeRange(rng.choice([start, None]), rng.choice([end, None]))
        only = Dimension(rng.choice(["", "web"]), rng.choice(["", "production"]), rng.choice(["", "1.1"]))
        inside = [
            e
            for e in stored
            if (seen.start_ms is None or e.time_ms >= seen.start_ms)
            and (seen.end_ms is None or e.time_ms <= seen.end_ms)
            and only.platform in {"", e.dimension.platform}
            and only.environment in {"", e.dimension.environment}
            and only.release in {"", e.dimension.release}
        ]
        assert await read_totals(store, IssueFilter(APP, only, seen=seen)) == Totals(
            events=len(inside),
            errors=sum(e.kind == ERROR for e in inside),
            failed_requests=sum(e.kind == FAILED_REQUEST for e in inside),
            affected_users=len({e.user_key for e in inside if e.kind != OTHER} - {None}),
        )


async def test_buckets_add_up_to_their_events(store: Engine) -> None:
    rng = random.Random(11)
    hour, day = 3_600_000, 86_400_000
    stored = [event(at=NOW - rng.randrange(4 * day), user=rng.randrange(9), issue=None) for _ in range(200)]
    await commit(store, submission(*stored))
    for hours_each in (1, 24):
        span = hours_each * hour
        first, last = (NOW - 4 * day) // span, NOW // span
        found = await store.read(totals.buckets, EventFilter(APP), hours_each, first, last)
        assert [b.start_ms // span for b in found] == list(range(first, last + 1))
        for bucket in found:
            inside = [e for e in stored if bucket.start_ms <= e.time_ms < bucket.start_ms + span]
            assert (bucket.events, bucket.affected_users) == (len(inside), len({e.user_key for e in inside}))


async def test_made_up_releases_do_not_make_rows_without_end(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dimensions, "MAX_PER_APP", 3)
    await commit(store, submission(*(event(release=f"1.{n}") for n in range(6))))
    await commit(store, submission(event(release="1.0"), event(release="1.9"), event(release="1.0", app=2)))

    async def events_of(release: str) -> int:
        return (await read_totals(store, IssueFilter(APP, Dimension("", release=release)))).events

    assert [await events_of(release) for release in ("1.0", "1.5", dimensions.OTHER)] == [2, 0, 4]
    assert (await read_totals(store)).events == 8


async def test_ledger_balances(store: Engine) -> None:
    await commit(store, submission(event("a"), event("a"), rejected=3), submission(event("b")))
    (entry,) = await store.read(ledger.read, APP, MINUTE, MINUTE)
    assert entry.outcomes == {"received": 6, "stored": 2, "duplicate": 1, "rejected": 3, "limited": 0}
    assert dict(entry.reasons) == {"WRONG_TYPE": 3}


async def test_failed_transaction_leaves_nothing_behind(store: Engine) -> None:
    too_wide = event()._replace(kind=2**70)
    with pytest.raises(Exception):  # noqa: B017, PT011 -- each engine says it in its own way
        await commit(store, submission(event(), too_wide))
    assert await read_totals(store) == Totals()
    assert await store.read(ledger.read, APP, MINUTE, MINUTE) == []


async def test_concurrent_writers_lose_no_increment(store: Engine) -> None:
    """Ten writers, each naming the same issues in another order, some of them with the same events."""

    def batch(n: int) -> events.Submission:
        order = random.Random(n).sample(range(8), 8)
        return submission(*(event(issue=f"js:{i}", user=i, release=f"{n}") for i in order), event("shared"))

    # Each also brings a release nobody has seen, so the writers number new dimensions at the same time.
    flags = await asyncio.gather(*(commit(store, batch(n), shard=n) for n in range(10)))
    assert sum(sum(stored) for ((*stored,),) in flags) == 81
    assert await read_totals(store) == Totals(events=81, errors=81, affected_users=8, issues=9)
    counts = {i.fingerprint: i.event_count for i in await store.read(issues.page, IssueFilter(APP), None, 20)}
    assert counts == {**{f"js:{i}": 10 for i in range(8)}, "js:a": 1}


async def test_ten_events_and_fifty_cost_the_same_number_of_statements(store: Engine) -> None:
    await commit(store, submission(event()))  # a new combination of platform, release and type costs two more
    costs = []
    for size in (10, 50):
        with counted_statements(store) as statements:
            await commit(store, submission(*(event(issue=f"js:{n}", user=n) for n in range(size))))
        costs.append(len(statements))
    assert costs[0] == costs[1] < 30


async def test_lost_database_is_unavailable(engine: str) -> None:
    url = "sqlite:////dev/null/none.db" if engine == "sqlite" else "postgresql+psycopg://nobody@127.0.0.1:1/none"
    lost = Engine(url)
    with pytest.raises(StoreUnavailable):
        await lost.read(issues.count, IssueFilter(APP))
    lost.close()


async def test_nul_in_a_filter_finds_nothing(store: Engine) -> None:
    await commit(store, submission(event()))
    assert await read_totals(store, IssueFilter(APP, Dimension("we\0b"))) == Totals()
    assert await store.read(issues.find, APP, "js:\0") is None
