"""Days of a shop's life as its SDKs would have told them: visits by the hour, releases, faults that come, go and come back."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from server.ids import new_id

Event = dict[str, Any]

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

# Visits by the hour of the day: quiet nights, a peak after work.
_HOURS: Final = (2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 11, 12, 11, 10, 10, 11, 13, 15, 17, 16, 12, 8, 4)


@dataclass(frozen=True)
class Fault:
    """One way to fail. `first` and `last` are days before now between which it happens; `{}` in the message varies."""

    error_type: str
    message: str
    stack: str = ""
    weight: float = 1.0
    first: float = 1e9
    last: float = 0.0
    in_spike: float = 1.0


@dataclass(frozen=True)
class Request:
    """One call to the backend: how often it fails and how long it takes."""

    method: str
    path: str
    status: int
    fails: float
    usual_ms: int
    in_spike: float = 1.0


@dataclass(frozen=True)
class Shop:
    """One app: who visits it and what goes wrong. `releases` are (days before now, name), oldest first."""

    name: str
    type: str
    visits_per_day: int
    releases: tuple[tuple[float, str], ...]
    devices: tuple[Event, ...]
    pages: tuple[str, ...]
    faults: tuple[Fault, ...]
    requests: tuple[Request, ...]
    vitals: tuple[tuple[str, float, float], ...] = ()
    fixed: tuple[tuple[str, str], ...] = ()
    """(beginning of an issue's message, release that carries its fix)"""


_WEB = Shop(
    name="Demo shop",
    type="web",
    visits_per_day=110,
    releases=((1e9, "2.3.0"), (9, "2.4.0"), (2.5, "2.4.1")),
    devices=(
        {
            "system": "Windows 11",
            "screenWidth": 1920,
            "screenHeight": 1080,
            "language": "en-GB",
            "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
        },
        {
            "system": "iOS 18.1",
            "model": "iPhone 15",
            "screenWidth": 390,
            "screenHeight": 844,
            "language": "de-DE",
            "userAgent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
        },
        {
            "system": "Ubuntu 24.04",
            "screenWidth": 1440,
            "screenHeight": 900,
            "language": "fr-FR",
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
        },
        {
            "system": "Android 15",
            "model": "Pixel 8",
            "screenWidth": 412,
            "screenHeight": 915,
            "language": "es-ES",
            "userAgent": "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
        },
    ),
    pages=("/", "/products/42", "/products/7", "/cart", "/checkout", "/account/orders"),
    faults=(
        Fault(
            "js",
            "Cannot read properties of undefined (reading 'price')",
            "TypeError: Cannot read properties of undefined (reading 'price')\n"
            "    at cartTotal (https://shop.example/assets/cart.js:41:17)\n"
            "    at renderCart (https://shop.example/assets/cart.js:88:5)\n"
            "    at commitHookEffects (https://shop.example/assets/vendor-react.js:2201:11)\n"
            "    at flushWork (https://shop.example/assets/vendor-react.js:3120:7)\n"
            "    at onClick (https://shop.example/assets/cart.js:131:9)",
            weight=4,
        ),
        Fault(
            "promise",
            "Payment was not confirmed within 8000 ms",
            "Error: Payment was not confirmed within 8000 ms\n"
            "    at awaitPayment (https://shop.example/assets/checkout.js:130:11)\n"
            "    at async submitOrder (https://shop.example/assets/checkout.js:212:3)",
            weight=1,
            in_spike=40,
        ),
        Fault("resource", "Failed to load https://cdn.shop.example/img/hero-2026.webp", weight=3, last=9),
        Fault(
            "js",
            "ChunkLoadError: Loading chunk {} failed",
            "ChunkLoadError: Loading chunk failed\n    at requireChunk (https://shop.example/assets/runtime.js:1:2210)\n"
            "    at openProduct (https://shop.example/assets/products.js:19:4)",
            weight=2,
            first=9.2,
            last=7.5,
        ),
        Fault(
            "js",
            "RangeError: Invalid time value",
            "RangeError: Invalid time value\n    at Date.toISOString (<anonymous>)\n"
            "    at deliveryDate (https://shop.example/assets/checkout.js:77:22)\n"
            "    at renderSummary (https://shop.example/assets/checkout.js:301:8)",
            weight=2,
            last=9,
        ),
        Fault(
            "js",
            "RangeError: Invalid time value",
            "RangeError: Invalid time value\n    at Date.toISOString (<anonymous>)\n"
            "    at deliveryDate (https://shop.example/assets/checkout.js:77:22)\n"
            "    at renderSummary (https://shop.example/assets/checkout.js:301:8)",
            weight=2,
            first=1.8,
        ),
        Fault(
            "js",
            "coupon.apply is not a function",
            "TypeError: coupon.apply is not a function\n    at applyCoupon (https://shop.example/assets/checkout.js:55:14)\n"
            "    at HTMLButtonElement.onClick (https://shop.example/assets/checkout.js:410:6)",
            weight=3,
            first=2.4,
        ),
        Fault("js", "ResizeObserver loop completed with undelivered notifications.", weight=0.6),
    ),
    requests=(
        Request("GET", "/api/products/{}", 404, 0.006, 120),
        Request("POST", "/api/cart", 500, 0.004, 180),
        Request("GET", "/api/recommendations", 504, 0.02, 640),
        Request("POST", "/api/orders/{}/pay", 502, 0.015, 900, in_spike=30),
    ),
    vitals=(("LCP", 1_100, 5_200), ("INP", 40, 620), ("CLS", 0.01, 0.32), ("FCP", 600, 3_400), ("TTFB", 80, 1_600)),
    fixed=(("Failed to load", "2.4.0"), ("RangeError", "2.4.0")),
)
_MINI = Shop(
    name="Demo mini-program",
    type="wechat-miniprogram",
    visits_per_day=60,
    releases=((1e9, "1.8.2"), (6, "1.9.0")),
    devices=(
        {
            "model": "HUAWEI Mate 60",
            "system": "HarmonyOS 4.2",
            "screenWidth": 384,
            "screenHeight": 832,
            "language": "zh_CN",
        },
        {"model": "iPhone 14", "system": "iOS 17.6", "screenWidth": 390, "screenHeight": 844, "language": "zh_CN"},
        {"model": "Xiaomi 14", "system": "Android 14", "screenWidth": 393, "screenHeight": 873, "language": "zh_CN"},
    ),
    pages=("pages/index/index", "pages/goods/detail", "pages/cart/index", "pages/pay/index"),
    faults=(
        Fault(
            "js",
            "getUserProfile:fail auth deny",
            "Error: getUserProfile:fail auth deny\n    at login (app-service.js:120:9)",
            weight=2,
        ),
        Fault(
            "promise", "支付失败:余额不足", "Error: 支付失败:余额不足\n    at pay (pages/pay/index.js:64:13)", weight=2
        ),
        Fault(
            "js",
            "Cannot read property 'setData' of null",
            "TypeError: Cannot read property 'setData' of null\n    at onTimer (pages/goods/detail.js:33:10)\n    at WAServiceMainContext.js:1:2210",
            weight=3,
            first=6,
        ),
    ),
    requests=(
        Request("GET", "/mini/goods/{}", 500, 0.01, 160),
        Request("POST", "/mini/orders", 503, 0.012, 420, in_spike=20),
    ),
)
_IOS = Shop(
    name="Demo iOS app",
    type="ios",
    visits_per_day=45,
    releases=((1e9, "5.1.0"), (4, "5.2.0")),
    devices=(
        {"model": "iPhone15,2", "system": "iOS 18.1", "screenWidth": 390, "screenHeight": 844, "language": "en-US"},
        {"model": "iPhone14,5", "system": "iOS 17.6", "screenWidth": 390, "screenHeight": 844, "language": "ja-JP"},
    ),
    pages=("Home", "Product", "Cart", "Payment"),
    faults=(
        Fault(
            "native",
            "Unexpectedly found nil while unwrapping an Optional value",
            "0 Shop 0x0000000104 ProductView.body.getter (ProductView.swift:88)\n1 SwiftUI 0x00000001a2 ViewBodyAccessor.updateBody",
            weight=2,
        ),
        Fault(
            "native",
            "The request timed out.",
            "0 Shop 0x0000000104 APIClient.send (APIClient.swift:41)\n1 Foundation 0x00000001b0 -[NSURLSession finish]",
            weight=1,
        ),
    ),
    requests=(
        Request("GET", "/v2/products/{}", 500, 0.008, 210),
        Request("POST", "/v2/payments", 502, 0.01, 700, in_spike=12),
    ),
    vitals=(("appStart", 380, 2_400),),
)
SHOPS: Final = (_WEB, _MINI, _IOS)

SPIKE_DAYS: Final = 3.0
"""How long ago the campaign was that brought more visitors than the payment service could take."""
_SPIKE_MS: Final = 3 * HOUR_MS
_SPIKE_VISITS: Final = 6


def days_of(shop: Shop, app_key: str, days: int, now_ms: int, chance: random.Random) -> Iterator[Event]:
    """The events of so many days until now, oldest visit first."""
    regulars = [new_id("user") for _ in range(max(20, shop.visits_per_day))]
    for back in range(days * 24, 0, -1):
        start_ms = now_ms - back * HOUR_MS
        spike = now_ms - SPIKE_DAYS * DAY_MS <= start_ms < now_ms - SPIKE_DAYS * DAY_MS + _SPIKE_MS
        usual = shop.visits_per_day * _HOURS[start_ms // HOUR_MS % 24] / sum(_HOURS)
        expected = usual * (_SPIKE_VISITS if spike else 1) * chance.uniform(0.8, 1.2)
        visits = int(expected) + (chance.random() < expected % 1)
        for at_ms in sorted(start_ms + chance.randrange(HOUR_MS - 60_000) for _ in range(visits)):
            yield from _visit(shop, app_key, chance.choice(regulars), at_ms, now_ms, spike, chance)


def _visit(
    shop: Shop, app_key: str, user: str, at_ms: int, now_ms: int, spike: bool, chance: random.Random
) -> Iterator[Event]:
    days_ago = (now_ms - at_ms) / DAY_MS
    page = chance.choice(shop.pages)
    same = {
        "appKey": app_key,
        "platform": shop.type,
        "sessionId": new_id("ses"),
        "anonymousId": f"anon_{user}",
        "userId": user,
        "sdkVersion": "0.1.0",
        "release": _release(shop, days_ago, chance),
        "environment": "production",
        "pageUrl": f"https://shop.example{page}" if shop.type == "web" else page,
        "deviceInfo": chance.choice(shop.devices),
    }
    crumbs = [
        {"type": "navigation", "message": f"{chance.choice(shop.pages)} → {page}", "timestamp": at_ms},
        {"type": "click", "message": "button#buy", "timestamp": at_ms + 1_200},
    ]
    for name, least, most in shop.vitals:
        if chance.random() < 0.4:
            yield same | _vital(at_ms + 900, name, least, most, chance)
    for call in chance.sample(shop.requests, k=min(2, len(shop.requests))):
        made = _call(call, at_ms + 1_500, spike, chance)
        path = made["url"].removeprefix("https://api.shop.example")
        crumbs.append(
            {
                "type": "http",
                "message": f"{made['method']} {path} {made['status']}",
                "timestamp": at_ms + 1_500,
                "data": {"duration": made["duration"]},
            }
        )
        yield same | made
    for fault in shop.faults:
        often = 0.02 * fault.weight * (fault.in_spike if spike else 1)
        if fault.last <= days_ago <= fault.first and chance.random() < often:
            yield same | _error(fault, at_ms + 4_000, crumbs, chance)


def _release(shop: Shop, days_ago: float, chance: random.Random) -> str:
    """The newest release of that day; one visitor in eight has not updated yet."""
    names = [name for since, name in shop.releases if since >= days_ago]
    return names[-2] if len(names) > 1 and chance.random() < 0.125 else names[-1]


def _vital(at_ms: int, name: str, least: float, most: float, chance: random.Random) -> Event:
    share = chance.betavariate(1.6, 5)
    rating = "good" if share < 0.3 else "needs-improvement" if share < 0.55 else "poor"
    return _event(at_ms, "performance", name=name, value=round(least + share * (most - least), 3), rating=rating)


def _call(call: Request, at_ms: int, spike: bool, chance: random.Random) -> Event:
    failed = chance.random() < min(0.7, call.fails * (call.in_spike if spike else 1))
    took = int(call.usual_ms * chance.lognormvariate(0, 0.5))
    url = f"https://api.shop.example{call.path.format(chance.randrange(1, 900))}"
    event = _event(at_ms, "http", method=call.method, url=url, duration=took, success=not failed)
    return event | ({"status": call.status, "errorMessage": "Upstream did not answer"} if failed else {"status": 200})


def _error(fault: Fault, at_ms: int, crumbs: list[Event], chance: random.Random) -> Event:
    message = fault.message.format(chance.randrange(1_000, 9_999))
    event = _event(at_ms, "error", errorType=fault.error_type, message=message, breadcrumbs=crumbs)
    event["context"] = {"cartItems": chance.randrange(6), "experiment": chance.choice(("control", "new-checkout"))}
    return event | {"stack": fault.stack} if fault.stack else event


def _event(at_ms: int, kind: str, **fields: object) -> Event:
    return {"eventId": new_id("evt"), "type": kind, "timestamp": at_ms, **fields}
