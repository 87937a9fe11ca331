"""Events as SDKs send them, for tests to vary."""

import time
from typing import Any
from uuid import uuid4

Json = dict[str, Any]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def error_event(**fields: Any) -> Json:
    """A valid error event; `fields` replace or add."""
    return {
        "eventId": f"evt_{uuid4().hex}",
        "type": "error",
        "timestamp": now_ms(),
        "platform": "web",
        "sessionId": "session_1",
        "anonymousId": "anon_1",
        "sdkVersion": "0.1.0",
        "errorType": "js",
        "message": "TypeError: x is not a function",
        "stack": "TypeError: x is not a function\n    at pay (http://shop.example/app.js:10:5)",
        "fingerprint": "js:abc123",
        "breadcrumbs": [],
    } | fields


def http_event(**fields: Any) -> Json:
    """A valid failed request; `fields` replace or add."""
    return {
        "eventId": f"evt_{uuid4().hex}",
        "type": "http",
        "timestamp": now_ms(),
        "platform": "web",
        "anonymousId": "anon_1",
        "method": "GET",
        "url": "http://api.example/orders/17",
        "status": 500,
        "duration": 12.5,
        "success": False,
    } | fields


def performance_event(**fields: Any) -> Json:
    """A valid measurement, which makes no issue."""
    return {
        "eventId": f"evt_{uuid4().hex}",
        "type": "performance",
        "timestamp": now_ms(),
        "platform": "web",
        "name": "LCP",
        "value": 1234.5,
        "rating": "good",
    } | fields
