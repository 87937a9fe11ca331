"""Sample events of a small web shop, as its SDK would have sent them over the last half hour."""

import random
from collections.abc import Iterator
from typing import Any

from server.ids import new_id

Event = dict[str, Any]

_PAGES = ("/", "/products/42", "/cart", "/checkout")
_AGENTS = (
    ("Chrome on Windows", 1920, 1080, "en-GB"),
    ("Safari on iPhone", 390, 844, "de-DE"),
    ("Firefox on Linux", 1440, 900, "fr-FR"),
)
_CART_STACK = """TypeError: Cannot read properties of undefined (reading 'price')
    at cartTotal (https://shop.example/assets/cart.js:41:17)
    at renderCart (https://shop.example/assets/cart.js:88:5)"""
_PAYMENT_STACK = """Error: Payment was not confirmed within 8000 ms
    at awaitPayment (https://shop.example/assets/checkout.js:130:11)"""
_ERRORS: tuple[tuple[str, str, str], ...] = (
    ("js", "Cannot read properties of undefined (reading 'price')", _CART_STACK),
    ("promise", "Payment was not confirmed within 8000 ms", _PAYMENT_STACK),
    ("resource", "Failed to load https://cdn.shop.example/img/hero-2026.webp", ""),
)
_REQUESTS = (("GET", "/api/products/{}", 200), ("POST", "/api/cart", 200), ("POST", "/api/orders/{}/pay", 502))
_VITALS = (("LCP", 1_200, 4_200), ("CLS", 0.01, 0.3), ("INP", 40, 420))


def sample(app_key: str, now_ms: int, chance: random.Random) -> list[Event]:
    """Thirty events of six visitors, oldest first: three issues, failing requests, page speed and clicks."""
    events: list[Event] = []
    for number in range(6):
        visitor = _visitor(app_key, chance)
        at_ms = now_ms - chance.randrange(60_000, 1_800_000)
        events += [visitor | made for made in _visit(number, at_ms, chance)]
    return sorted(events, key=lambda event: event["timestamp"])


def _visitor(app_key: str, chance: random.Random) -> Event:
    system, width, height, language = chance.choice(_AGENTS)
    return {
        "appKey": app_key,
        "platform": "web",
        "sessionId": new_id("ses"),
        "anonymousId": new_id("anon"),
        "sdkVersion": "0.1.0",
        "release": chance.choice(("2.3.0", "2.4.0")),
        "environment": "production",
        "pageUrl": f"https://shop.example{chance.choice(_PAGES)}",
        "deviceInfo": {"system": system, "screenWidth": width, "screenHeight": height, "language": language},
    }


def _visit(number: int, at_ms: int, chance: random.Random) -> Iterator[Event]:
    click = {"type": "click", "message": "button#buy", "timestamp": at_ms + 2_000}
    vital, least, most = _VITALS[number % len(_VITALS)]
    value = round(chance.uniform(least, most), 3)
    yield _event(at_ms, "performance", name=vital, value=value, rating="good" if value < most / 2 else "poor")
    yield _event(at_ms + 2_000, "breadcrumb", breadcrumb=click)
    for offset in (0, 1):
        yield _request(number + offset, at_ms + 2_500 + 400 * offset, chance)
    yield _error(number, at_ms + 4_000, [click])


def _request(number: int, at_ms: int, chance: random.Random) -> Event:
    method, path, status = _REQUESTS[number % len(_REQUESTS)]
    event = _event(at_ms, "http", method=method, url=f"https://shop.example{path.format(chance.randrange(1_000))}")
    event |= {"status": status, "duration": chance.randrange(30, 900), "success": status < 400}
    return event if event["success"] else event | {"errorMessage": "Bad Gateway"}


def _error(number: int, at_ms: int, breadcrumbs: list[Event]) -> Event:
    kind, message, stack = _ERRORS[number % len(_ERRORS)]
    event = _event(at_ms, "error", errorType=kind, message=message, breadcrumbs=breadcrumbs)
    return event | {"stack": stack} if stack else event


def _event(at_ms: int, kind: str, **fields: object) -> Event:
    return {"eventId": new_id("evt"), "type": kind, "timestamp": at_ms, **fields}
