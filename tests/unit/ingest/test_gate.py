"""The gate refuses exactly what the line would refuse for the rate of the app, counts it alike, and lets pass all it cannot tell."""

from typing import Any

import orjson
import pytest

from server.errors import DomainError
from server.ingest.admission import Admission
from server.ingest.gate import IngestGate
from server.store.app_settings import AppSettings
from server.store.scope import IngestApp

KEY = "web_abc"
RATE_PER_S = 2.0
BURST = 20


class Known:
    """Stands for the resolver: one app, looked up before."""

    def __init__(self, settings: AppSettings) -> None:
        self.app = IngestApp(7, frozenset({KEY}), settings)

    def known(self, app_key: str) -> IngestApp | None:
        return self.app if app_key == KEY else None


class Books:
    """Stands for the line: what was counted as limited."""

    def __init__(self) -> None:
        self.limited: list[tuple[int, int, str]] = []

    def note_limited(self, app_id: int, events: int, error: DomainError) -> None:
        self.limited.append((app_id, events, error.reason))


class Place:
    """A gate, what stands behind it, and a clock that stands still."""

    def __init__(self, **settings: Any) -> None:
        self.admission = Admission(
            max_inflight_bytes=1_000, disk_floor_bytes=0, directories=(), rate_per_s=0, clock=lambda: 1.0
        )
        self.books = Books()
        known = Known(AppSettings(rate_limit_events_per_s=RATE_PER_S, **settings))
        self.gate = IngestGate(known, self.admission, self.books)  # type: ignore[arg-type]

    def use_up(self, events: int) -> None:
        with self.admission.carry(7, events, 0, RATE_PER_S):
            pass


def body(events: Any, app_key: str = KEY, **others: Any) -> bytes:
    return orjson.dumps({"appKey": app_key, "events": events} | others)


def events(count: int) -> list[dict[str, str]]:
    return [{"eventId": f"e{i}"} for i in range(count)]


@pytest.fixture
def place() -> Place:
    place = Place()
    place.use_up(BURST - 2)
    return place


def test_what_the_rate_lets_in_passes_and_takes_nothing(place: Place) -> None:
    for _ in range(3):
        assert place.gate.refusal(body(events(2))) is None
    assert not place.books.limited


def test_what_is_over_the_rate_is_refused_and_counted_with_the_same_wait_as_in_the_line(place: Place) -> None:
    refusal = place.gate.refusal(body(events(5)))
    assert refusal is not None
    assert (refusal.reason, refusal.retry_after_s) == ("RATE_LIMITED", 1.5)
    assert place.books.limited == [(7, 5, "RATE_LIMITED")]


def test_events_are_counted_and_not_their_marks(place: Place) -> None:
    noisy = [{"eventId": "e1", "context": {"eventId": "x"}}, {"eventId": "e2", "data": [{"eventId": "y"}] * 9}]
    assert place.gate.refusal(body(noisy)) is None
    place.use_up(2)
    assert place.gate.refusal(body(noisy)) is not None
    assert place.books.limited == [(7, 2, "RATE_LIMITED")]


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"{",
        b"[]",
        body(events(5), "web_other"),
        body([]),
        body("e" * 9 + '"eventId"' * 9),
        body({"eventId": 1}),
        body(events(1_001)),
        body(events(5))[:-1],
        b'{"events":[{},{},{},{},{}],"appKey":"web_abc"}',
        body(events(5)).replace(b'"events"', b'"appKey":"web_other","events"'),
        b"\xef\xbb\xbf" + body(events(5)),
    ],
)
def test_what_cannot_be_told_is_left_to_the_line(place: Place, given: bytes) -> None:
    place.use_up(2)
    assert place.gate.refusal(given) is None
    assert not place.books.limited


def test_an_app_that_names_origins_is_left_to_the_line() -> None:
    place = Place(allowed_origins=("https://shop.example",))
    place.use_up(BURST)
    assert place.gate.refusal(body(events(5))) is None
