"""What one address may ask: so much at once, so often, and never more memory than the table has."""

import pytest

from server import address_limits
from server.address_limits import BURST_S, AddressLimits
from server.errors import TooManyAtOnce, TooManyRequests

A, B = "198.51.100.7", "198.51.100.8"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def asks(limits: AddressLimits, address: str, times: int = 1) -> int:
    """How many requests, one after the other, are admitted."""
    admitted = 0
    for _ in range(times):
        if limits.enter(address) is None:
            admitted += 1
            limits.leave(address)
    return admitted


def test_without_a_rate_any_number_passes_one_after_the_other(clock: Clock) -> None:
    assert asks(AddressLimits(requests_per_s=0, at_once=1, clock=clock), A, 10_000) == 10_000


def test_so_much_at_once_and_others_are_not_concerned() -> None:
    limits = AddressLimits(requests_per_s=0, at_once=2)
    assert limits.enter(A) is limits.enter(A) is limits.enter(B) is None
    refusal = limits.enter(A)
    assert isinstance(refusal, TooManyAtOnce)
    assert refusal.retry_after_s > 0
    limits.leave(A)
    assert limits.enter(A) is None


def test_a_burst_passes_then_the_rate_and_refusals_cost_nothing(clock: Clock) -> None:
    limits = AddressLimits(requests_per_s=4, at_once=9, clock=clock)
    assert asks(limits, A, 500) == 4 * BURST_S + 1
    refusal = limits.enter(A)
    assert isinstance(refusal, TooManyRequests)
    assert asks(limits, B) == 1
    clock.now += refusal.retry_after_s + 0.001
    assert asks(limits, A, 10) == 1
    clock.now += 1
    assert asks(limits, A, 10) == 4


def test_an_ipv6_host_is_one_client_wherever_it_roams() -> None:
    limits = AddressLimits(requests_per_s=0, at_once=1)
    assert limits.enter("2001:db8::1") is None
    assert limits.enter("2001:db8::ffff") is not None
    assert limits.enter("2001:db8:0:1::1") is None


def test_many_addresses_fill_no_memory_and_the_latest_are_remembered(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address_limits, "MAX_KEPT", 100)
    limits = AddressLimits(requests_per_s=1, at_once=1, clock=clock)
    for number in range(10_000):
        assert asks(limits, f"address {number}") == 1
        assert asks(limits, A, 20) <= 20
    assert len(limits._due._young) + len(limits._due._old) <= 100
    assert limits._working == {}
    assert asks(limits, A) == 0
