"""The demo's days tell the story they should: every hour something, a spike, and a fault that comes back."""

import random
from collections import Counter

import pytest

from server.demo_recordings import crashing, freezing, passing
from server.demo_screens import HEIGHT, WIDTH, screen
from server.demo_shops import DAY_MS, SHOPS, SPIKE_DAYS, Shop, days_of
from server.mobile.images import sniff

NOW = 1_795_355_475_472
DAYS = 14


@pytest.fixture(scope="module", params=SHOPS, ids=lambda shop: shop.type)
def shop(request: pytest.FixtureRequest) -> Shop:
    found: Shop = request.param
    return found


def test_a_shop_has_events_of_every_day_and_a_spike(shop: Shop) -> None:
    events = list(days_of(shop, "key", DAYS, NOW, random.Random(1)))
    assert len({event["eventId"] for event in events}) == len(events)
    assert all(NOW - DAYS * DAY_MS <= event["timestamp"] <= NOW for event in events)
    by_day = Counter((NOW - event["timestamp"]) // DAY_MS for event in events)
    assert set(by_day) == set(range(DAYS))
    assert by_day.most_common(1)[0][0] == SPIKE_DAYS - 1
    assert {event["release"] for event in events} == {name for _, name in shop.releases}


def test_a_fault_is_away_for_a_release_and_comes_back() -> None:
    events = days_of(SHOPS[0], "key", DAYS, NOW, random.Random(1))
    seen = {(NOW - event["timestamp"]) / DAY_MS for event in events if "Invalid time" in event.get("message", "")}
    assert min(seen) < 2
    assert not any(2 < days_ago < 9 for days_ago in seen)
    assert max(seen) > 9


@pytest.mark.parametrize("script", [crashing, freezing, passing])
def test_a_recording_stays_within_its_length(script) -> None:
    made = script(random.Random(1))
    assert all(0 <= at_ms <= made.length_ms for at_ms, _, _ in made.messages)
    assert all(0 <= at_ms <= made.length_ms for at_ms, _ in made.shots)


@pytest.mark.parametrize("name", ["home", "product", "cart", "payment", "failed"])
def test_a_screen_is_a_picture(name: str) -> None:
    drawn = screen(name, 3)
    assert sniff(drawn) == "image/png"
    assert drawn[16:24] == WIDTH.to_bytes(4) + HEIGHT.to_bytes(4)
    assert len(drawn) < 20_000
