"""What counts as one client, and what the store gets to know of it."""

import pytest

from server.throttle import Keys, network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
        ("not an address", "not an address"),
    ],
)
def test_an_ipv6_host_is_one_client_wherever_it_roams(address: str, network: str) -> None:
    assert network_of(address) == network


def test_keys_tell_accounts_and_addresses_apart_and_name_none() -> None:
    keys = Keys(b"s" * 32)
    made = [
        keys.of_account("a@example.test", "198.51.100.7"),
        keys.of_account("b@example.test", "198.51.100.7"),
        keys.of_account("a@example.test", "198.51.100.8"),
        keys.of_address("198.51.100.7"),
        keys.of_registrations("198.51.100.7"),
        Keys(b"t" * 32).of_address("198.51.100.7"),
    ]
    assert len(set(made)) == len(made)
    assert {len(key) for key in made} == {16}
    assert keys.of_address("2001:db8::1") == keys.of_address("2001:db8::2")
