"""The demo's events are what the contract says an event is."""

import random

from server.demo_events import sample

NOW_MS = 1_800_000_000_000


def test_thirty_events_with_three_errors_and_failing_requests() -> None:
    events = sample("web_x", NOW_MS, random.Random(1))
    assert len(events) == 30
    assert len({event["eventId"] for event in events}) == 30
    assert len({event["message"] for event in events if event["type"] == "error"}) == 3
    assert {event["type"] for event in events} == {"error", "http", "performance", "breadcrumb"}
    assert any(event.get("success") is False for event in events)


def test_they_happened_in_the_last_half_hour_in_order() -> None:
    times = [event["timestamp"] for event in sample("web_x", NOW_MS, random.Random(2))]
    assert times == sorted(times)
    assert times[0] >= NOW_MS - 1_800_000
    assert times[-1] <= NOW_MS
