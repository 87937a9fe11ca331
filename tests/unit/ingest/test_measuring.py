"""What events measure: names that stay few, numbers that can be ordered, whatever clients send."""

import math

import pytest
from healthguard.v1 import event_pb2 as event_pb

from server.ingest.measuring import MAX_PATH, measurement_of, method_and_path
from server.store.performance import METRIC, REQUEST, Measurement


def request(**fields: object) -> Measurement | None:
    return measurement_of(event_pb.Event(type="http", **fields), "http")


@pytest.mark.parametrize(
    ("method", "url", "named"),
    [
        ("get", "https://api.example/orders/17?token=x#top", ("GET", "/orders/:id")),
        ("POST", "/users/3f2504e0-4f89-11d3-9a0c-0305e82c3301/cart", ("POST", "/users/:id/cart")),
        ("", "/plain", ("", "/plain")),
        ("NO SUCH", "/plain", ("", "/plain")),
        ("X" * 17, "/plain", ("", "/plain")),
        ("GET", "https://bad host/a b", ("GET", "https://bad host/a b")),
        ("", "https://bad host/a b", ("", "https://bad host/a b")),
        ("GET", "http://\0/\0", ("GET", "http://\ufffd/\ufffd")),
        ("PUT", "/" + "a-b" * 100, ("PUT", ("/" + "a-b" * 100)[:MAX_PATH])),
    ],
)
def test_requests_are_named_by_method_and_template(method: str, url: str, named: tuple[str, str]) -> None:
    measured = request(method=method, url=url)
    assert measured is not None
    assert measured.kind == REQUEST
    assert method_and_path(measured.name) == named


@pytest.mark.parametrize(
    ("duration", "value"), [(12.5, 12.5), (0.0, 0.0), (-0.1, None), (math.nan, None), (math.inf, None), (None, None)]
)
def test_only_possible_durations_are_measured(duration: float | None, value: float | None) -> None:
    measured = request(url="/", duration=duration)
    assert measured is not None
    assert measured.value == value


@pytest.mark.parametrize(("success", "rating"), [(True, "good"), (False, "poor"), (None, "")])
def test_what_the_client_calls_a_success_is_one(success: bool | None, rating: str) -> None:
    measured = request(url="/", success=success)
    assert measured is not None
    assert measured.rating == rating


def test_events_that_measured_nothing_are_none() -> None:
    assert request(method="GET") is None
    assert measurement_of(event_pb.Event(type="error", url="/", name="LCP", value=1), "error") is None
    assert measurement_of(event_pb.Event(type="performance", name="LCP"), "performance") is None
    assert measurement_of(event_pb.Event(type="performance", value=1), "performance") is None
    assert measurement_of(event_pb.Event(name="LCP", value=math.nan), "performance") is None
    assert measurement_of(event_pb.Event(name="LCP", value=2, rating="good"), "performance") == Measurement(
        "LCP", 2.0, "good", METRIC
    )
