"""Admission refuses what the process cannot carry, and says when to come back."""

from pathlib import Path

import pytest

from server.errors import DiskFull, Overloaded, RateLimited
from server.ingest.admission import Admission


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def admission(**changes: object) -> Admission:
    settings: dict[str, object] = {
        "max_inflight_bytes": 100,
        "disk_floor_bytes": 0,
        "directories": (),
        "rate_per_s": 0,
        **changes,
    }
    return Admission(**settings)  # type: ignore[arg-type]


def test_bytes_in_flight_are_bounded_and_given_back() -> None:
    gate = admission()
    with gate.carry(1, 1, 60):
        with pytest.raises(Overloaded), gate.carry(2, 1, 60):
            pass
        with gate.carry(2, 1, 40):
            pass
    with gate.carry(2, 1, 60):
        pass


def test_one_request_larger_than_the_bound_passes_alone() -> None:
    with admission().carry(1, 1, 1_000):
        pass


def test_bytes_are_given_back_when_the_work_fails() -> None:
    gate = admission()
    with pytest.raises(ZeroDivisionError), gate.carry(1, 1, 100):
        raise ZeroDivisionError
    with gate.carry(1, 1, 100):
        pass


def test_rate_is_per_app_and_refills_with_time() -> None:
    clock = Clock()
    gate = admission(rate_per_s=10, clock=clock)
    with gate.carry(1, 100, 1):
        pass
    with pytest.raises(RateLimited) as refused, gate.carry(1, 50, 1):
        pass
    assert refused.value.retry_after_s == pytest.approx(5)
    with gate.carry(2, 100, 1):
        pass
    clock.now += 5
    with gate.carry(1, 50, 1):
        pass


def test_batch_larger_than_the_burst_passes_when_the_bucket_is_full() -> None:
    clock = Clock()
    gate = admission(rate_per_s=1, clock=clock)
    with gate.carry(1, 50, 1):
        pass
    with pytest.raises(RateLimited), gate.carry(1, 1, 1):
        pass


def test_refused_request_takes_no_tokens() -> None:
    gate = admission(rate_per_s=10, clock=Clock())
    with gate.carry(2, 1, 90), pytest.raises(Overloaded), gate.carry(1, 100, 90):
        pass
    with gate.carry(1, 100, 1):
        pass


def test_disk_below_the_floor_refuses(tmp_path: Path) -> None:
    for directories in ([tmp_path], [tmp_path / "gone", tmp_path]):
        with pytest.raises(DiskFull), admission(disk_floor_bytes=2**60, directories=directories).carry(1, 1, 1):
            pass


def test_a_directory_that_is_gone_refuses_nothing(tmp_path: Path) -> None:
    with admission(disk_floor_bytes=2**60, directories=[tmp_path / "gone"]).carry(1, 1, 1):
        pass


def test_an_apps_own_rate_holds_for_that_app_alone() -> None:
    gate = admission(clock=Clock())
    with gate.carry(1, 10, 1, 1.0), gate.carry(2, 1_000, 1, None):
        pass
    with pytest.raises(RateLimited), gate.carry(1, 1, 1, 1.0):
        pass
    with gate.carry(1, 1_000, 1, None):
        pass


def test_an_app_cannot_raise_the_rate_of_the_server() -> None:
    gate = admission(rate_per_s=1, clock=Clock())
    with gate.carry(1, 10, 1, 1_000.0):
        pass
    with pytest.raises(RateLimited), gate.carry(1, 1, 1, 1_000.0):
        pass
