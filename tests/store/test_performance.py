"""Sketches of measurements on both engines: exact counts, quantiles within the stated error, bounded names."""

import asyncio
import math
import random

import pytest
import sqlalchemy as sa

from server.store import events, performance
from server.store.arrivals import OTHER
from server.store.bulk import StaleTransaction, bulk_of
from server.store.engine import Engine
from server.store.performance import (
    DAY,
    MAX_NAMES,
    METRIC,
    OTHER_NAMES,
    QUANTILES,
    RATINGS,
    REQUEST,
    SCALES,
    Measurement,
    Metric,
)
from server.store.sequence import Sequence
from tests.store.build import NOW, event, submission
from tests.store.statements import counted_statements

HOUR_MS = 3_600_000
NOW_HOUR = NOW // HOUR_MS
_ids = Sequence()


def measured(name="LCP", value=1.0, rating="good", *, kind=METRIC, at=NOW, app=1, key=None) -> events.NewEvent:
    made = event(key, app=app, issue=None, kind=OTHER, at=at)
    return made._replace(measurement=Measurement(name, value, rating, kind))


async def commit(store: Engine, *new: events.NewEvent, shard: int = 0) -> None:
    await store.write_bulk(events.commit, [submission(*new)], _ids, shard)


async def read(
    store: Engine, first: int = NOW_HOUR, last: int = NOW_HOUR, app: int = 1, kind: int = METRIC
) -> list[Metric]:
    return await store.read(performance.read, app, kind, first, last)


def expected(new: list[events.NewEvent], first: int, last: int) -> dict[str, list[Measurement]]:
    inside: dict[str, list[Measurement]] = {}
    for one in new:
        if one.measurement is not None and first <= one.time_ms // HOUR_MS <= last:
            inside.setdefault(one.measurement.name, []).append(one.measurement)
    return inside


def check(found: list[Metric], model: dict[str, list[Measurement]]) -> None:
    assert [metric.name for metric in found] == sorted(model)
    for metric in found:
        measurements = model[metric.name]
        assert metric.count == len(measurements)
        assert metric.rated == [sum(m.rating == rating for m in measurements) for rating in RATINGS]
        ordered = sorted(m.value for m in measurements)
        for q, told in zip(QUANTILES, metric.quantiles(), strict=True):
            meant = ordered[math.floor(q * (len(ordered) - 1))]
            assert told == pytest.approx(meant, rel=SCALES[metric.kind].relative_error + 1e-9)


async def test_random_measurements_match_a_plain_list_for_any_range(store: Engine) -> None:
    """Four days of three metrics from two writers, resends among them, against sorted lists."""
    rng = random.Random(5)

    def draw() -> events.NewEvent:
        name = rng.choice(["LCP", "CLS", "负载"])
        value = {"LCP": rng.lognormvariate(7.5, 1), "CLS": rng.choice([0.0, rng.random(), -rng.random()])}.get(name)
        value = rng.uniform(-1e6, 1e6) if value is None else value
        at = NOW - rng.choice([rng.randrange(4 * DAY * HOUR_MS), NOW % HOUR_MS, NOW % HOUR_MS + 1])
        return measured(name, value, rng.choice([*RATINGS, "", "great"]), at=at)

    stored = [draw() for _ in range(600)]
    for n in range(0, 600, 50):
        await commit(store, *stored[n : n + 50], shard=n // 50 % 2)
        await commit(store, *rng.sample(stored[: n + 50], 20), shard=rng.randrange(2))
    ranges = [sorted(NOW_HOUR - rng.randrange(5 * DAY) for _ in range(2)) for _ in range(60)]
    midnight = NOW_HOUR // DAY * DAY
    edges = [(midnight - DAY, midnight - 1), (midnight, NOW_HOUR), (midnight - 1, midnight), (midnight, midnight)]
    for first, last in [*ranges, *edges, (NOW_HOUR - 90 * DAY, NOW_HOUR)]:
        check(await read(store, first, last), expected(stored, first, last))


async def test_an_event_named_twice_is_measured_once(store: Engine) -> None:
    await commit(store, measured(key="a"), measured(key="a"))
    await commit(store, measured(key="a"), measured(key="b", value=2.0))
    (metric,) = await read(store)
    assert (metric.count, metric.rated) == (2, [2, 0, 0])


async def test_apps_are_apart(store: Engine) -> None:
    await commit(store, measured(app=1, value=1.0), measured(app=2, value=100.0))
    check(await read(store, app=2), {"LCP": [Measurement("LCP", 100.0, "good")]})
    assert await read(store, app=3) == []


async def test_further_names_share_one_sketch(store: Engine) -> None:
    """Names come in order of arrival; what has a place keeps it, also in later transactions."""
    await commit(store, measured(OTHER_NAMES, 5.0))
    await commit(store, *(measured(f"n{n}", value=float(n)) for n in range(MAX_NAMES - 1)))
    await commit(store, *(measured(f"late{n}", value=-1.0, rating="poor") for n in range(3)), measured("n0"))
    await commit(store, measured("late0"), measured("late2", value=7.0))
    found = {metric.name: metric for metric in await read(store)}
    assert len(found) == MAX_NAMES + 1
    assert (found["n0"].count, found["late0"].count) == (2, 2)
    assert (found[OTHER_NAMES].count, found[OTHER_NAMES].rated) == (4, [2, 0, 2])
    assert "late1" not in found


async def test_an_answer_names_the_most_measured(store: Engine) -> None:
    """Other hours of one day may have other names; the day has room for the first of them only."""
    often = [measured("often", at=NOW - n * HOUR_MS) for n in range(3)]
    once = [measured(f"h{n // 150}-{n}", at=NOW - n // 150 * HOUR_MS) for n in range(450)]
    await commit(store, *often, *once)
    for first in (NOW_HOUR - 2, NOW_HOUR - 40):
        found = await read(store, first)
        assert len(found) == MAX_NAMES + 1
        counts = {metric.name: metric.count for metric in found}
        assert (counts["often"], counts[OTHER_NAMES]) == (3, 453 - 3 - (MAX_NAMES - 1))


async def test_requests_are_apart_from_metrics_of_their_name(store: Engine) -> None:
    """Each kind has room for its own names, and its own exactness."""
    durations = [3.7 * n for n in range(1, 40)]
    await commit(store, *(measured("GET /", v, "poor", kind=REQUEST) for v in durations), measured("GET /", 9.0))
    await commit(store, *(measured(f"GET /{n}", kind=REQUEST) for n in range(MAX_NAMES + 5)))
    check(await read(store), {"GET /": [Measurement("GET /", 9.0, "good")]})
    requests = {request.name: request for request in await read(store, kind=REQUEST)}
    check([requests["GET /"]], {"GET /": [Measurement("GET /", v, "poor") for v in durations]})
    assert (len(requests), requests[OTHER_NAMES].count) == (MAX_NAMES + 1, 6)


async def test_what_was_not_timed_is_counted(store: Engine) -> None:
    await commit(store, measured("GET /", None, kind=REQUEST), measured("GET /", None, "poor", kind=REQUEST))
    (untimed,) = await read(store, kind=REQUEST)
    assert (untimed.count, untimed.rated, untimed.quantiles()) == (2, [1, 0, 1], [])
    await commit(store, measured("GET /", 20.0, kind=REQUEST))
    (timed,) = await read(store, kind=REQUEST)
    assert (timed.count, timed.quantiles()) == (3, [pytest.approx(20.0, rel=0.05)] * len(QUANTILES))


async def test_concurrent_writers_lose_no_measurement(store: Engine) -> None:
    """Writers of several machines that happen to share a shard, and the same new rows."""
    values = [[float(10 * writer + n + 1) for n in range(10)] for writer in range(10)]
    await asyncio.gather(
        *(commit(store, *(measured(value=v) for v in values[n]), measured(f"own{n}"), shard=n % 2) for n in range(10))
    )
    model = {f"own{n}": [Measurement(f"own{n}", 1.0, "good")] for n in range(10)}
    check(await read(store), model | {"LCP": [Measurement("LCP", v, "good") for row in values for v in row]})


async def test_a_row_that_changed_meanwhile_is_not_overwritten(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    await commit(store, measured(value=1.0))
    monkeypatch.setattr(performance, "_kept", lambda *_: {})
    with pytest.raises(StaleTransaction), sa.orm.Session(store.sync_engine()) as session:
        performance.record(bulk_of(session), [(1, NOW, Measurement("LCP", 2.0, ""))], 0)
    monkeypatch.undo()
    check(await read(store), {"LCP": [Measurement("LCP", 1.0, "good")]})


async def cost(store: Engine, *new: events.NewEvent) -> int:
    with counted_statements(store) as statements:
        await commit(store, *new)
    return sum("metric_spans" in statement for statement in statements)


async def test_statements_do_not_grow_with_measurements(store: Engine) -> None:
    assert await cost(store, event()) == 0
    for _ in range(2):
        costs = [
            await cost(store, *(measured(f"n{n}", at=NOW - n * HOUR_MS) for n in range(size))) for size in (10, 50)
        ]
        assert max(costs) <= 3
    assert await cost(store, measured("n0")) == 2


async def test_long_ranges_read_days_and_nothing_outside(store: Engine) -> None:
    """One row a day and metric, hours only where the range breaks a day, and all of it from the key."""
    await commit(store, *(measured(at=NOW - n * HOUR_MS) for n in range(20 * DAY)))
    query = performance.reading(1, METRIC, NOW_HOUR - 10 * DAY + 1, NOW_HOUR)

    def rows_and_plan(session) -> tuple[int, str]:
        connection = session.connection()
        rows = len(connection.execute(query).all())
        if not store.is_sqlite:
            connection.exec_driver_sql("SET enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN "
        text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        return rows, "\n".join(str(line) for line in connection.exec_driver_sql(explain + text))

    rows, plan = await store.read(rows_and_plan)
    assert rows == 9 + DAY
    assert plan.count("first_hour>" if store.is_sqlite else "first_hour >=") == 3
