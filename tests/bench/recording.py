"""The batches that a mobile tracker sends while somebody uses an app: taps, screens, measurements, calls and logs."""

import gzip
import json
import random
from typing import Any

from server.mobile.codec import Message, encode_batch
from server.mobile.messages import BATCH_META, CLICK, INPUT, NETWORK_CALL, PERFORMANCE, Layout, all_types
from tests.bench import words

BATCH_BYTES = 65_536
"""Each batch before compression, to the byte."""

_VIEW, _LOG, _SWIPE = 98, 103, 106
_STEP_MS = 25
"""Mean time between messages: a batch of 64 KB covers some ten seconds of a busy app."""

_FILLER_BYTES = 2_048
"""Room that is left for the entry which fills a batch up."""

_NAMES = all_types(Layout.CURRENT)


class Recording:
    """One session's batches in order, made from one seed."""

    def __init__(self, start_ms: int, seed: int = 1) -> None:
        self._dice = random.Random(seed)
        self._now_ms = start_ms
        self._index = 0
        self._kinds = (
            (self._measurement, 40),
            (self._log, 20),
            (self._call, 12),
            (self._view, 12),
            (self._tap, 8),
            (self._swipe, 5),
            (self._input, 3),
        )

    def batch(self) -> bytes:
        """The next batch, gzip'd as trackers send it."""
        made = encode_batch([self._message(BATCH_META, {"firstIndex": self._index})])
        while len(made) < BATCH_BYTES - _FILLER_BYTES:
            made += encode_batch([self._next()])
        return gzip.compress(made + self._filler(BATCH_BYTES - len(made)))

    def _next(self) -> Message:
        kinds, weights = zip(*self._kinds, strict=True)
        type_id, fields = self._dice.choices(kinds, weights)[0]()
        return self._message(type_id, fields)

    def _message(self, type_id: int, fields: dict[str, Any]) -> Message:
        self._now_ms += self._dice.randrange(2 * _STEP_MS)
        self._index += 1
        return Message(self._index, type_id, _NAMES[type_id].name, self._now_ms, fields)

    def _filler(self, size: int) -> bytes:
        """A log entry of exactly `size` bytes; between 1 and 16 KB its length changes nothing else about it."""
        entry = self._message(_LOG, {"severity": "info", "content": words.token(self._dice, size)})
        surplus = len(encode_batch([entry])) - size
        entry.fields["content"] = str(entry.fields["content"])[surplus:]
        return encode_batch([entry])

    def _measurement(self) -> tuple[int, dict[str, Any]]:
        name = self._dice.choice(("mainThreadCPU", "memoryUsage", "batteryLevel", "thermalState"))
        return PERFORMANCE, {"name": name, "value": self._dice.randrange(400_000_000 if name == "memoryUsage" else 100)}

    def _log(self) -> tuple[int, dict[str, Any]]:
        dice = self._dice
        content = (
            f"[{words.camel(dice)}] {dice.choice(words.NOUNS)} {words.token(dice, 16)} took {dice.randrange(2_000)} ms"
        )
        return _LOG, {"severity": dice.choice(("info", "info", "error")), "content": content}

    def _call(self) -> tuple[int, dict[str, Any]]:
        dice = self._dice
        items = [{"id": dice.randrange(100_000), "name": words.camel(dice)} for _ in range(dice.randrange(1, 12))]
        return NETWORK_CALL, {
            "type": "request",
            "method": dice.choice(("GET", "POST")),
            "url": f"https://api.shop.example/v2/{dice.choice(words.NOUNS)}/{dice.randrange(100_000)}",
            "request": json.dumps({"headers": {"Accept": "application/json"}, "body": ""}),
            "response": json.dumps({"headers": {"X-Request-Id": words.token(dice, 32)}, "body": json.dumps(items)}),
            "status": 200,
            "duration": dice.randrange(20, 900),
        }

    def _view(self) -> tuple[int, dict[str, Any]]:
        screen = self._dice.choice(words.NOUNS).title()
        return _VIEW, {"screenName": screen, "viewName": words.camel(self._dice), "visible": self._dice.random() < 0.5}

    def _tap(self) -> tuple[int, dict[str, Any]]:
        return CLICK, {"label": words.camel(self._dice)} | self._place()

    def _swipe(self) -> tuple[int, dict[str, Any]]:
        return _SWIPE, {"label": words.camel(self._dice), "direction": "up"} | self._place()

    def _input(self) -> tuple[int, dict[str, Any]]:
        return INPUT, {"value": "***", "valueMasked": True, "label": words.camel(self._dice)}

    def _place(self) -> dict[str, int]:
        return {"x": self._dice.randrange(390), "y": self._dice.randrange(844)}
