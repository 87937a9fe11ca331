"""The requests the bench sends: realistic events, with marks where the load generators put fresh ids and users."""

import json
import math
import random
import string
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from google.protobuf import json_format
from healthguard.v1 import event_pb2 as event_pb, event_service_pb2 as event_service_pb

from tests.bench import words

Json = dict[str, Any]

# Marks as long as what replaces them, so that a serialised protobuf can be patched in place.
ID_MARK = "@" * 26
USER_MARK = "#" * 17
# What the marks become in a body for wrk: one byte that JSON text never holds, so that Lua can split on it.
LUA_ID = "\x01"
LUA_USER = "\x02"

ISSUES = 2_000
MEDIAN_BYTES = 1_250
"""Of the budget's events. Their mean is 1,400 bytes of JSON, which is what the budgets of bytes per event are about."""
MIXED_MEDIAN_BYTES = 3_000
MAX_EVENT_BYTES = 200_000
MAX_BODY_BYTES = 1_000_000
SIZE_BESIDE_STACK = 1_000
"""About what an error's JSON has besides its stack and breadcrumbs, in bytes."""

MINUTE_MS = 60_000

_DIGITS = string.digits + string.ascii_lowercase


@dataclass(frozen=True)
class Style:
    """What the events of a row are like. Sizes are log-normal; times lie within `span_ms` before now."""

    median_bytes: int = MEDIAN_BYTES
    sigma: float = 0.35
    errors: int = 8
    requests: int = 2
    measurements: int = 0
    breadcrumbs: int = 0
    span_ms: int = MINUTE_MS


BUDGET = Style()
"""The events of the budget rows: errors and failed or slow requests, all of them what costs most to take."""

MIXED = Style(MIXED_MEDIAN_BYTES, 1.3, errors=5, requests=2, measurements=2, breadcrumbs=1)


class Workload:
    """Makes events and batches from one seed, so that two runs send the same."""

    def __init__(self, style: Style = BUDGET, seed: int = 1) -> None:
        self._style = style
        self._dice = random.Random(seed)
        self._kinds: list[Callable[[], Json]] = (
            [self._error] * style.errors
            + [self._request] * style.requests
            + [self._measurement] * style.measurements
            + [self._breadcrumb] * style.breadcrumbs
        )

    def batch(self, app_key: str, events: int, *, fingerprint: str = "") -> Json:
        """One request of one client. With `fingerprint`, nine of ten events are errors of that issue."""
        client = self._client(app_key)
        made: list[Json] = []
        room = MAX_BODY_BYTES
        for _ in range(events):
            event = client | self._event(fingerprint)
            room -= len(json.dumps(event))
            if made and room < 0:
                break
            made.append(event)
        return {"appKey": app_key, "events": made}

    def mixed_size(self) -> int:
        """Events of one batch as clients send them: mostly few."""
        least, most = self._dice.choices(((1, 3), (4, 10), (11, 50)), weights=(70, 25, 5))[0]
        return self._dice.randint(least, most)

    def _client(self, app_key: str) -> Json:
        dice = self._dice
        return {
            "eventId": ID_MARK,
            "appKey": app_key,
            "platform": dice.choice(words.PLATFORMS),
            "sessionId": f"session_{words.token(dice, 16)}",
            "anonymousId": USER_MARK,
            "sdkVersion": "0.1.0",
            "release": f"2.{dice.randrange(3)}.{dice.randrange(10)}",
            "environment": "production",
            "deviceInfo": {
                "userAgent": dice.choice(words.AGENTS),
                "language": "en-US",
                "screenWidth": 1920,
                "screenHeight": 1080,
            },
        }

    def _event(self, fingerprint: str) -> Json:
        dice = self._dice
        if fingerprint and dice.random() < 0.9:
            event = self._error() | {"fingerprint": fingerprint}
        else:
            event = dice.choice(self._kinds)()
        page = (
            f"https://shop.example/{dice.choice(words.NOUNS)}/{dice.randrange(10_000)}?tab={dice.choice(words.NOUNS)}"
        )
        return event | {"timestamp": self._time_ms(), "pageUrl": page}

    def _time_ms(self) -> int:
        return time.time_ns() // 1_000_000 - self._dice.randrange(self._style.span_ms)

    def _size(self) -> int:
        size = self._dice.lognormvariate(math.log(self._style.median_bytes), self._style.sigma)
        return min(int(size), MAX_EVENT_BYTES)

    def _error(self) -> Json:
        dice = self._dice
        issue = words.zipf(dice, ISSUES)
        of_issue = random.Random(issue)
        failure = of_issue.choice(words.FAILURES).format(
            noun=of_issue.choice(words.NOUNS), verb=of_issue.choice(words.VERBS)
        )
        steps = [self._step() for _ in range(dice.randrange(1, 5))]
        stack = f"TypeError: {failure}"
        size = self._size() - SIZE_BESIDE_STACK - len(json.dumps(steps))
        while len(stack) < size:
            stack += words.frame(of_issue)
        return {
            "type": "error",
            "errorType": of_issue.choice(words.ERROR_TYPES),
            "message": f"Uncaught TypeError: {failure}",
            "stack": stack,
            "filename": of_issue.choice(words.BUNDLES),
            "lineno": of_issue.randrange(1, 400),
            "colno": of_issue.randrange(1, 9_000),
            "fingerprint": f"js:{of_issue.getrandbits(32):07x}",
            "breadcrumbs": steps,
            "context": {"route": of_issue.choice(words.NOUNS), "items": dice.randrange(20), "experiment": "B"},
        }

    def _request(self) -> Json:
        dice = self._dice
        failed = dice.random() < 0.5
        answer = {"success": False, "errorMessage": "Internal Server Error"} if failed else {"success": True}
        sent = {f"{dice.choice(words.NOUNS)}{i}": words.camel(dice) for i in range(max(1, (self._size() - 500) // 35))}
        return answer | {
            "type": "http",
            "method": dice.choice(("GET", "POST", "PUT")),
            "url": f"https://api.shop.example/v2/{words.NOUNS[words.zipf(dice, 12)]}/{dice.randrange(100_000)}",
            "status": 500 if failed else 200,
            "duration": round(dice.lognormvariate(5, 1), 1),
            "requestData": sent,
        }

    def _measurement(self) -> Json:
        value = round(self._dice.lognormvariate(7, 0.6), 1)
        return {
            "type": "performance",
            "name": self._dice.choice(("LCP", "INP", "CLS", "TTFB")),
            "value": value,
            "rating": "good",
        }

    def _breadcrumb(self) -> Json:
        return {"type": "breadcrumb", "breadcrumb": self._step()}

    def _step(self) -> Json:
        dice = self._dice
        place = f"#{dice.choice(words.NOUNS)} .{words.camel(dice)}"
        return {
            "type": dice.choice(("click", "navigation", "http", "manual")),
            "message": place,
            "timestamp": self._time_ms(),
            "data": {"x": dice.randrange(1_900), "label": dice.choice(words.VERBS)},
        }


def lua_body(batch: Json) -> str:
    """The batch as one line of JSON like a browser writes it, its marks shortened to one byte each."""
    text = json.dumps(batch, separators=(",", ":"), ensure_ascii=False)
    return text.replace(ID_MARK, LUA_ID).replace(USER_MARK, LUA_USER)


def request_bytes(batch: Json) -> bytes:
    """The batch as a serialised IngestEventsRequest, its marks in place."""
    events = [json_format.ParseDict(_with_proto_times(event), event_pb.Event()) for event in batch["events"]]
    return event_service_pb.IngestEventsRequest(app_key=batch["appKey"], events=events).SerializeToString()


def event_id(prefix: str, number: int, time_ms: int) -> str:
    """The id that an SDK gives an event, as long as its mark: the end is the time in base 36."""
    return f"evt_{prefix}{number % 1_000_000:06d}{_in_base_36(time_ms)}"


@lru_cache(maxsize=1)
def _in_base_36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


def _with_proto_times(event: Json) -> Json:
    steps = [step | {"timestamp": _rfc3339(step["timestamp"])} for step in event.get("breadcrumbs", ())]
    converted = event | {"timestamp": _rfc3339(event["timestamp"])}
    if "breadcrumb" in event:
        converted["breadcrumb"] = event["breadcrumb"] | {"timestamp": _rfc3339(event["breadcrumb"]["timestamp"])}
    return converted | {"breadcrumbs": steps} if steps else converted


def _rfc3339(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat()


def median_bytes(batches: list[Json]) -> int:
    """The median size of the events' JSON, in bytes."""
    sizes = sorted(len(json.dumps(event, separators=(",", ":"))) for batch in batches for event in batch["events"])
    return sizes[len(sizes) // 2]
