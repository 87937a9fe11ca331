"""What the store gets to know of who is slowed."""

from server.throttle import Keys


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
