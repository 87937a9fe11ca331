"""Writes the zstd dictionary that event payloads are compressed with, trained on events made up here.

Run as `python scripts/train_payload_dictionary.py NUMBER`, once for each new dictionary: a released one is never written
again, because payloads name the dictionary they need (`server/store/payload.py`). The same number gives the same file.
"""

import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zstandard
from healthguard.v1 import event_pb2 as event_pb

from server.store.payload import DIRECTORY, FIRST_DICTIONARY, LEVEL

SAMPLES = 6_000
DICTIONARY_BYTES = 16 * 1024
EPOCH_S = 1_790_000_000

Fields = dict[str, Any]

THINGS = [
    "user",
    "account",
    "item",
    "product",
    "message",
    "comment",
    "photo",
    "ticket",
    "booking",
    "device",
    "wallet",
    "report",
    "page",
    "task",
    "team",
]
DOINGS = [
    "open",
    "close",
    "save",
    "delete",
    "select",
    "upload",
    "download",
    "share",
    "sync",
    "refresh",
    "init",
    "start",
    "handle",
    "update",
    "get",
    "set",
    "show",
]
LAYERS = [
    "Service",
    "Controller",
    "View",
    "Component",
    "Manager",
    "Form",
    "List",
    "Table",
    "Dialog",
    "Page",
    "Router",
    "Hook",
    "Client",
    "Model",
]
SITES = ("www.example.com", "app.example.net", "m.example.org", "h5.example.com", "localhost:5173", "portal.example.io")
APIS = ("https://api.example.com", "https://gateway.example.net", "/api", "https://app.example.net/rest")
PLATFORMS = [
    "web",
    "web",
    "web",
    "wechat-miniprogram",
    "alipay-miniprogram",
    "uniapp-h5",
    "uniapp-app",
    "flutter",
    "ios",
    "android",
]
LANGUAGES = ["en-US", "en-GB", "zh-CN", "zh-TW", "de-DE", "fr-FR", "ja-JP", "es-ES", "pt-BR"]
SCREENS = ((1920, 1080), (1440, 900), (2560, 1440), (390, 844), (412, 915), (375, 812), (1536, 864), (768, 1024))
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
SYSTEMS = (
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "X11; Linux x86_64",
    "Linux; Android 14; SM-S918B",
    "Linux; Android 10; K",
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS {}_{} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
FAILURES = (
    "Cannot read properties of undefined (reading '{}')",
    "Cannot read properties of null (reading '{}')",
    "Cannot set properties of undefined (setting '{}')",
    "{} is not defined",
    "{} is not a function",
    "undefined is not an object (evaluating 'this.{}')",
    "Cannot read property '{}' of undefined",
    "Failed to fetch",
    "Network Error",
    "timeout of {} ms exceeded",
    "Loading chunk {} failed.",
    "Request failed with status code {}",
    "Unexpected token < in JSON at position 0",
    "Maximum call stack size exceeded",
    "ResizeObserver loop limit exceeded",
    "Script error.",
    "Object.keys called on non-object",
    "The user aborted a request.",
    "Invariant failed: {}",
)
KINDS = (
    "TypeError",
    "ReferenceError",
    "SyntaxError",
    "RangeError",
    "Error",
    "AxiosError",
    "ChunkLoadError",
    "DOMException",
)
REASONS = (
    "Internal Server Error",
    "Bad Gateway",
    "Gateway Timeout",
    "Not Found",
    "Unauthorized",
    "Network Error",
    "timeout",
)
MEASURES = ("LCP", "FCP", "CLS", "INP", "TTFB", "FID", "page_load", "route_change", "long_task")


class Maker:
    """Makes events like those of the SDKs, in no one's words but these."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311 -- the same seed has to give the same file

    def event(self) -> event_pb.Event:
        """One event of any type, errors most often."""
        kinds: tuple[Callable[[], Fields], ...] = (
            self._error,
            self._request,
            self._measurement,
            self._breadcrumb_event,
        )
        fields = self._dice.choices(kinds, weights=(60, 25, 10, 5))[0]()
        context, sent = fields.pop("context", None), fields.pop("request_data", None)
        event = event_pb.Event(**self._client(), **fields)
        if context:
            event.context.update(context)
        if sent:
            event.request_data.update(sent)
        for step in self._steps() if event.type == "error" else ():
            crumb = event.breadcrumbs.add(type=step["type"], message=step["message"], timestamp=self._time())
            crumb.data.update(step["data"])
        return event

    def _client(self) -> Fields:
        dice = self._dice
        width, height = dice.choice(SCREENS)
        return {
            "event_id": f"evt_{self._token(22)}",
            "app_key": f"app_{self._token(24)}",
            "timestamp": self._time(),
            "platform": dice.choice(PLATFORMS),
            "session_id": f"session_{self._token(20)}",
            "anonymous_id": f"anon_{self._token(20)}",
            "user_id": dice.choice(("", f"u{dice.randrange(10**6)}")),
            "sdk_version": f"0.{dice.randrange(4)}.{dice.randrange(10)}",
            "release": f"{dice.randrange(1, 5)}.{dice.randrange(20)}.{dice.randrange(30)}",
            "environment": dice.choice(("production", "production", "staging", "development", "test")),
            "page_url": f"https://{dice.choice(SITES)}/{dice.choice(THINGS)}/{self._number()}{self._query()}",
            "device_info": {
                "user_agent": self._agent(),
                "language": dice.choice(LANGUAGES),
                "screen_width": width,
                "screen_height": height,
            },
        }

    def _error(self) -> Fields:
        dice = self._dice
        kind, failure = (
            dice.choice(KINDS),
            dice.choice(FAILURES).format(dice.choice((dice.choice(THINGS), self._number()))),
        )
        return {
            "type": "error",
            "error_type": dice.choice(("js", "js", "promise", "resource", "request", "native")),
            "message": dice.choice((f"{kind}: {failure}", f"Uncaught {kind}: {failure}", failure)),
            "stack": f"{kind}: {failure}" + "".join(self._frames()),
            "filename": self._script(),
            "lineno": dice.randrange(1, 3_000),
            "colno": dice.randrange(1, 90_000),
            "fingerprint": f"js:{self._token(8)}",
            "context": {"route": f"/{dice.choice(THINGS)}", "component": self._name(), "count": dice.randrange(50)},
        }

    def _request(self) -> Fields:
        dice = self._dice
        failed = dice.random() < 0.6
        status = dice.choice((500, 502, 504, 404, 401, 403, 0)) if failed else dice.choice((200, 200, 201, 304))
        return {
            "type": "http",
            "method": dice.choice(("GET", "POST", "PUT", "DELETE", "PATCH")),
            "url": f"{dice.choice(APIS)}/v{dice.randrange(1, 4)}/{dice.choice(THINGS)}s/{self._number()}{self._query()}",
            "status": status,
            "duration": dice.randrange(1, 90_000) / 10,
            "success": not failed,
            "request_data": {
                dice.choice(THINGS) + dice.choice(("Id", "Name", "Type", "")): self._word() for _ in range(4)
            },
        } | ({"error_message": dice.choice(REASONS)} if failed else {})

    def _measurement(self) -> Fields:
        dice = self._dice
        rating = dice.choice(("good", "needs-improvement", "poor"))
        return {
            "type": "performance",
            "name": dice.choice(MEASURES),
            "value": dice.randrange(40_000) / 10,
            "rating": rating,
        }

    def _breadcrumb_event(self) -> Fields:
        step = self._steps()[0]
        return {
            "type": "breadcrumb",
            "breadcrumb": {"type": step["type"], "message": step["message"], "timestamp": self._time()},
        }

    def _steps(self) -> list[Fields]:
        return [self._step() for _ in range(self._dice.randrange(1, 9))]

    def _step(self) -> Fields:
        dice = self._dice
        place = f"/{dice.choice(THINGS)}/{self._number()}"
        return dice.choice(
            (
                {"type": "navigation", "message": place, "data": {"from": f"/{dice.choice(THINGS)}", "to": place}},
                {
                    "type": "click",
                    "message": f"button.{dice.choice(DOINGS)}-{dice.choice(THINGS)}",
                    "data": self._point(),
                },
                {"type": "http", "message": f"GET {place}", "data": {"method": "GET", "url": place, "status": 200}},
                {"type": "console", "message": f"[{self._name()}] {dice.choice(DOINGS)}", "data": {"level": "warn"}},
                {
                    "type": "manual",
                    "message": f"{dice.choice(DOINGS)} {dice.choice(THINGS)}",
                    "data": {"label": self._word()},
                },
            )
        )

    def _point(self) -> Fields:
        dice = self._dice
        return {"x": dice.randrange(2_000), "y": dice.randrange(1_200), "label": dice.choice(DOINGS), "tag": "button"}

    def _frames(self) -> list[str]:
        write = self._dice.choice((self._chromium_frame, self._chromium_frame, self._chromium_frame, self._gecko_frame))
        return [write() for _ in range(self._dice.randrange(2, 14))]

    def _chromium_frame(self) -> str:
        dice = self._dice
        name = dice.choice(
            (self._name(), f"async {self._name()}", f"{self._name()}.{dice.choice(DOINGS)}", "Object.next")
        )
        return dice.choice(
            (f"\n    at {name} ({self._place()})", f"\n    at {name} ({self._place()})", f"\n    at {self._place()}")
        )

    def _gecko_frame(self) -> str:
        return f"\n{self._name()}@{self._place()}"

    def _place(self) -> str:
        return (
            f"{self._script()}:{self._dice.choice((1, 2, self._dice.randrange(2_000)))}:{self._dice.randrange(200_000)}"
        )

    def _script(self) -> str:
        dice = self._dice
        site = f"https://{dice.choice(SITES)}"
        name = dice.choice(("index", "main", "app", "vendor", "chunk-vendors", "runtime", dice.choice(THINGS)))
        return dice.choice(
            (
                f"{site}/assets/{name}-{self._token(8)}.js",
                f"{site}/static/js/{name}.{self._token(8)}.chunk.js",
                f"{site}/js/{name}.js",
                f"webpack-internal:///./src/{dice.choice(THINGS)}/{self._name()}.vue",
                f"{site}/node_modules/.vite/deps/chunk-{self._token(8).upper()}.js",
            )
        )

    def _agent(self) -> str:
        dice = self._dice
        if dice.random() < 0.3:
            system = IPHONE.format(dice.randrange(15, 19), dice.randrange(7))
            return f"{system} Version/{dice.randrange(15, 19)}.{dice.randrange(7)} Mobile/15E148 Safari/604.1"
        chrome = f"Mozilla/5.0 ({dice.choice(SYSTEMS)}) {WEBKIT} Chrome/{dice.randrange(110, 145)}.0.0.0"
        return f"{chrome} {dice.choice(('Safari/537.36', 'Mobile Safari/537.36', 'Safari/537.36 Edg/138.0.0.0'))}"

    def _name(self) -> str:
        return self._dice.choice(DOINGS) + self._dice.choice(THINGS).title() + self._dice.choice(LAYERS)

    def _word(self) -> str | int:
        return self._dice.choice((self._name(), self._dice.choice(THINGS), self._dice.randrange(10_000)))

    def _query(self) -> str:
        return self._dice.choice(
            ("", f"?id={self._number()}", f"?page={self._dice.randrange(9)}&size=20", f"?tab={self._name()}")
        )

    def _number(self) -> int:
        return self._dice.randrange(100_000)

    def _token(self, characters: int) -> str:
        return f"{self._dice.getrandbits(characters * 4):0{characters}x}"

    def _time(self) -> Fields:
        return {"seconds": EPOCH_S + self._dice.randrange(10**7), "nanos": self._dice.randrange(1_000) * 1_000_000}


def main() -> None:
    number = int(sys.argv[1])
    maker = Maker(number)
    samples = [maker.event().SerializeToString(deterministic=True) for _ in range(SAMPLES)]
    dictionary = zstandard.train_dictionary(
        DICTIONARY_BYTES, samples, dict_id=FIRST_DICTIONARY + number, level=LEVEL, k=1_024, d=8
    )
    target = Path(DIRECTORY / f"dictionary_{number}.zdict")
    target.write_bytes(dictionary.as_bytes())
    sys.stdout.write(f"{target.name}: {len(dictionary)} bytes\n")


if __name__ == "__main__":
    main()
