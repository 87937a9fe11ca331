"""What of an event goes into the counters."""

import math

import pytest

from server.ingest.prepare import Judged, prepare
from server.store.performance import Measurement
from tests.unit.ingest.events import NOW_MS, make_event


def measurement(**fields):
    event = make_event(**({"type": "performance", "name": "CLS"} | fields))
    (new,) = prepare([Judged(event, event.SerializeToString(), NOW_MS)], 1, NOW_MS)
    return new.measurement


@pytest.mark.parametrize("value", [2500.5, 0.0, -1.0, 1e15])
def test_performance_event_is_a_measurement(value: float) -> None:
    assert measurement(value=value, rating="poor") == Measurement("CLS", value, "poor")
    assert measurement(value=value) == Measurement("CLS", value, "")


def test_nul_in_a_name_is_replaced() -> None:
    assert measurement(name="C\0LS", value=1) == Measurement("C\ufffdLS", 1.0, "")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"value": math.nan},
        {"value": math.inf},
        {"value": -math.inf},
        {"value": 1, "name": ""},
        {"value": 1, "type": "error"},
    ],
)
def test_anything_else_measures_nothing(fields: dict) -> None:
    assert measurement(**fields) is None


@pytest.mark.parametrize(
    ("fields", "page"),
    [
        ({"page_url": "https://shop.test/orders/123/items/9f86d081884c7d65?tab=1"}, "/orders/:id/items/:id"),
        ({"page_url": "https://shop.test/orders"}, "/orders"),
        ({"page": "pages/order/123", "page_url": "https://shop.test/orders/1"}, "pages/order/123"),
        ({}, ""),
    ],
)
def test_pages_of_one_template_are_one_page(fields: dict, page: str) -> None:
    event = make_event(type="error", message="m", **fields)
    (new,) = prepare([Judged(event, event.SerializeToString(), NOW_MS)], 1, NOW_MS)
    assert new.page == page
