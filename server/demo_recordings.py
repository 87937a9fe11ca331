"""Recorded sessions of an imaginary phone app, sent the way its tracker sends them."""

import gzip
import io
import random
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from server.demo_client import Client
from server.demo_screens import screen
from server.ids import new_id
from server.mobile.codec import FieldValue, Message, encode_batch
from server.mobile.messages import (
    BATCH_META,
    CLICK,
    CRASH,
    INPUT,
    METADATA,
    NETWORK_CALL,
    PERFORMANCE,
    USER_ID,
    Layout,
    all_types,
)

_LOG, _SWIPE, _VIEW = 103, 106, 98
_NAMES: Final = all_types(Layout.CURRENT)
_IMAGES_PER_UPLOAD = 20
_MESSAGES_PER_BATCH = 200

Told = tuple[int, int, dict[str, FieldValue]]
"""One message: its time, its type and its fields."""


@dataclass
class Script:
    """What is to happen in a session; times are milliseconds since its start."""

    device: str
    os_version: str
    release: str
    length_ms: int
    messages: list[Told] = field(default_factory=list)
    shots: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, at_ms: int, type_id: int, **fields: FieldValue) -> None:
        self.messages.append((at_ms, type_id, fields))

    def tap(self, at_ms: int, label: str, x: int, y: int) -> None:
        self.add(at_ms, CLICK, label=label, x=x, y=y)

    def enter(self, at_ms: int, name: str) -> None:
        self.add(at_ms, _VIEW, screenName=name, viewName=f"{name}View", visible=True)

    def call(self, at_ms: int, method: str, path: str, status: int, took_ms: int) -> None:
        bodies = {"request": '{"headers":{},"body":""}', "response": '{"headers":{},"body":""}'}
        url = f"https://api.shop.example{path}"
        self.add(at_ms, NETWORK_CALL, type="request", method=method, url=url, status=status, duration=took_ms, **bodies)

    def measure(self, chance: random.Random, quiet: tuple[int, int] = (0, 0)) -> None:
        """Frames, memory and load every two seconds, but for the quiet stretch."""
        for at_ms in range(1_000, self.length_ms, 2_000):
            if not quiet[0] <= at_ms < quiet[1]:
                self.add(at_ms, PERFORMANCE, name="fps", value=chance.randrange(54, 61))
                self.add(
                    at_ms,
                    PERFORMANCE,
                    name="memoryUsage",
                    value=180_000_000 + at_ms * 900 + chance.randrange(9_000_000),
                )
                self.add(at_ms, PERFORMANCE, name="mainThreadCPU", value=chance.randrange(8, 46))

    def show(self, stretches: Iterable[tuple[int, int, str]]) -> None:
        """A screenshot a second; each screen from its start to its end."""
        for start_ms, end_ms, name in stretches:
            for step, at_ms in enumerate(range(start_ms, end_ms, 1_000)):
                turns = {"home": min(step, 12), "product": min(step, 6), "payment": step % 8}.get(name, 0)
                self.shots.append((at_ms, screen(name, turns)))


def crashing(chance: random.Random) -> Script:
    """Somebody wants to pay, taps ever faster, and the app crashes."""
    script = Script("iPhone15,2", "18.1", "5.2.0", 74_000)
    for at_ms, name in ((500, "Home"), (21_000, "Product"), (34_000, "Cart"), (45_000, "Payment")):
        script.enter(at_ms, name)
    script.add(1_200, METADATA, key="plan", value="premium")
    for at_ms in (6_000, 9_500, 13_000):
        script.add(at_ms, _SWIPE, label="ProductList", x=200, y=520, direction="up")
    script.tap(20_600, "Product 7", 110, 340)
    script.add(25_000, _SWIPE, label="ProductView", x=190, y=500, direction="up")
    script.tap(31_800, "Add to cart", 195, 760)
    script.add(38_000, INPUT, label="Coupon", value="***", valueMasked=True)
    script.tap(44_500, "Pay", 195, 760)
    for offset in (0, 210, 400, 600, 790):
        script.tap(58_000 + offset, "Pay", 195 + offset % 7, 758 + offset % 5)
    for offset in (0, 180, 360, 540):
        script.tap(68_000 + offset, "Pay", 197, 761)
    script.call(1_900, "GET", "/v2/products", 200, 320)
    script.call(22_400, "GET", "/v2/products/7", 200, 180)
    script.call(53_000, "POST", "/v2/payments", 502, 7_800)
    script.call(66_500, "POST", "/v2/payments", 502, 8_000)
    script.add(2_000, _LOG, severity="info", content="catalogue loaded: 48 products")
    script.add(53_100, _LOG, severity="error", content="payment gateway answered 502, trying again")
    script.add(66_600, _LOG, severity="error", content="payment gateway answered 502, giving up")
    script.measure(chance)
    stack = (
        "0 Shop 0x0000000104a1 PaymentView.retry (PaymentView.swift:131)\n1 Shop 0x0000000104b0 PaymentView.onTap (PaymentView.swift:90)\n"
        "2 UIKitCore 0x00000001a2 -[UIApplication sendAction:to:from:forEvent:]\n3 CoreFoundation 0x00000001b1 __CFRunLoopRun"
    )
    script.add(70_500, CRASH, name="NSRangeException", reason="index 3 beyond bounds [0 .. 2]", stacktrace=stack)
    script.show(
        (
            (0, 21_000, "home"),
            (21_000, 34_000, "product"),
            (34_000, 45_000, "cart"),
            (45_000, 53_000, "payment"),
            (53_000, 59_000, "failed"),
            (59_000, 66_000, "payment"),
            (66_000, 71_000, "failed"),
        )
    )
    return script


def freezing(chance: random.Random) -> Script:
    """Somebody buys something although the app stands still for more than a minute."""
    script = Script("iPhone14,5", "17.6", "5.2.0", 152_000)
    for at_ms, name in ((400, "Home"), (24_000, "Product"), (40_000, "Cart"), (120_000, "Payment")):
        script.enter(at_ms, name)
    for at_ms in (5_000, 8_000, 15_000):
        script.add(at_ms, _SWIPE, label="ProductList", x=180, y=560, direction="up")
    script.tap(23_500, "Product 12", 300, 340)
    script.tap(38_600, "Add to cart", 195, 760)
    script.tap(46_000, "Pay", 195, 760)
    script.tap(118_000, "Pay", 195, 760)
    script.call(1_600, "GET", "/v2/products", 200, 280)
    script.call(25_200, "GET", "/v2/products/12", 200, 210)
    script.call(140_000, "POST", "/v2/payments", 200, 2_400)
    script.add(46_200, _LOG, severity="info", content="writing the order to disk on the main thread")
    script.measure(chance, quiet=(46_000, 117_000))
    script.show(
        ((0, 24_000, "home"), (24_000, 40_000, "product"), (40_000, 120_000, "cart"), (120_000, 152_000, "payment"))
    )
    return script


def passing(chance: random.Random) -> Script:
    """A visit without anything to tell and without screenshots."""
    script = Script(
        chance.choice(("iPhone15,2", "iPhone14,5", "iPhone16,1")),
        "18.1",
        chance.choice(("5.1.0", "5.2.0")),
        chance.randrange(20_000, 180_000),
    )
    script.enter(400, "Home")
    for at_ms in range(4_000, script.length_ms, 9_000):
        script.tap(at_ms, f"Product {chance.randrange(1, 48)}", chance.randrange(40, 350), chance.randrange(120, 760))
        script.call(at_ms + 400, "GET", "/v2/products", 200, chance.randrange(90, 600))
    script.measure(chance)
    return script


def send(client: Client, app_key: str, start_ms: int, script: Script) -> None:
    """Records the session that began at that time."""
    started = client(
        "POST",
        "/v1/ios/start",
        {
            "projectKey": app_key,
            "trackerVersion": "1.0.22",
            "platform": "ios",
            "userUUID": new_id("device"),
            "timestamp": start_ms,
            "revID": script.release,
            "userDevice": script.device,
            "userOSVersion": script.os_version,
            "timezone": "UTC+00:00",
            "width": 390,
            "height": 844,
        },
    )
    tracker = client.with_token(started["token"])
    for batch in _batches(start_ms, script):
        tracker.post_bytes("/v1/ios/append", gzip.compress(batch))
    for first in range(0, len(script.shots), _IMAGES_PER_UPLOAD):
        archive = _archive(start_ms, script.shots[first : first + _IMAGES_PER_UPLOAD])
        tracker.post_file("/v1/ios/images", f"{started['sessionID']}-{first}.tar.gz", archive)


def _batches(start_ms: int, script: Script) -> Iterator[bytes]:
    """The messages in order of time, a meta message at the head of each batch."""
    who: Told = (300, USER_ID, {"id": f"{script.device.lower()}@shop.example"})
    rows = sorted([who, *script.messages], key=lambda row: row[0])
    index = 0
    for first in range(0, len(rows), _MESSAGES_PER_BATCH):
        part = rows[first : first + _MESSAGES_PER_BATCH]
        meta: Told = (part[-1][0], BATCH_META, {"firstIndex": index})
        yield encode_batch(
            Message(index + place, type_id, _NAMES[type_id].name, start_ms + at_ms, fields)
            for place, (at_ms, type_id, fields) in enumerate([meta, *part])
        )
        index += len(part) + 1


def _archive(start_ms: int, shots: Iterable[tuple[int, bytes]]) -> bytes:
    """Screenshots as both trackers pack them: named `.jpeg`, whatever they are."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for at_ms, picture in shots:
            entry = tarfile.TarInfo(f"{start_ms}_1_{start_ms + at_ms}.jpeg")
            entry.size = len(picture)
            archive.addfile(entry, io.BytesIO(picture))
    return out.getvalue()
