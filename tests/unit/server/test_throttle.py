"""Throttles, on a clock that tests move."""

import pytest

from server import throttle
from server.errors import TooManyAttempts, TooManyRegistrations
from server.throttle import RegistrationThrottle, SignInThrottle, network_of

ANN, HERE, THERE = "ann@example.test", "192.0.2.1", "192.0.2.2"


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def wait_of(guard: SignInThrottle, email: str = ANN, address: str = HERE) -> float:
    """Seconds an attempt is told to wait; 0 when it was admitted and so counted."""
    try:
        guard.begin(email, address)
    except TooManyAttempts as refused:
        return refused.retry_after_s
    return 0.0


def test_after_the_free_attempts_waits_double_up_to_a_quarter_hour(clock: Clock) -> None:
    guard = SignInThrottle(10, clock)
    assert [wait_of(guard) for _ in range(10)] == [0.0] * 10
    waits = []
    for _ in range(13):
        waits.append(wait_of(guard))
        clock.now_s += waits[-1]
        assert wait_of(guard) == 0.0
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_a_refused_attempt_is_not_counted(clock: Clock) -> None:
    guard = SignInThrottle(1, clock)
    guard.begin(ANN, HERE)
    assert [wait_of(guard) for _ in range(50)] == [1.0] * 50


def test_success_forgets_and_an_abandoned_attempt_never_was(clock: Clock) -> None:
    guard = SignInThrottle(2, clock)
    for _ in range(20):
        guard.begin(ANN, HERE)
        guard.abandoned(ANN, HERE)
    guard.begin(ANN, HERE)
    guard.begin(ANN, HERE)
    assert wait_of(guard) == 1.0
    guard.succeeded(ANN, HERE)
    assert wait_of(guard) == 0.0


def test_other_accounts_and_addresses_are_free(clock: Clock) -> None:
    guard = SignInThrottle(1, clock)
    guard.begin(ANN, HERE)
    assert wait_of(guard) == 1.0
    assert wait_of(guard, address=THERE) == 0.0
    assert wait_of(guard, email="bob@example.test") == 0.0


def test_an_address_that_tries_many_accounts_is_slowed_as_a_whole(clock: Clock) -> None:
    guard = SignInThrottle(10, clock)
    for number in range(throttle.ADDRESS_FREE_ATTEMPTS):
        guard.begin(f"u{number}@example.test", HERE)
    assert wait_of(guard) == 1.0
    assert wait_of(guard, address=THERE) == 0.0


def test_registrations_refill_evenly_over_the_hour(clock: Clock) -> None:
    guard = RegistrationThrottle(60, clock)
    for _ in range(60):
        guard.take(HERE)
    with pytest.raises(TooManyRegistrations) as refused:
        guard.take(HERE)
    assert refused.value.retry_after_s == pytest.approx(60)
    guard.take(THERE)
    clock.now_s += 60
    guard.take(HERE)
    with pytest.raises(TooManyRegistrations):
        guard.take(HERE)


def test_memory_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_KEYS", 50)
    sign_ins, registrations = SignInThrottle(1, clock), RegistrationThrottle(1, clock)
    for number in range(200):
        sign_ins.begin(f"u{number}@example.test", f"192.0.2.{number}")
        registrations.take(f"192.0.2.{number}")
    assert len(sign_ins._accounts._failures) == 50
    assert len(sign_ins._addresses._failures) == 50
    assert len(registrations._buckets) == 50


def test_an_ipv6_host_cannot_roam_its_own_network() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("") == ""
