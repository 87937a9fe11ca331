"""Ids: long enough, of the url-safe alphabet, never the same."""

import re

from server.ids import new_id, token_hash


def test_ids_have_the_documented_shape_and_do_not_repeat() -> None:
    made = {new_id("session") for _ in range(1_000)}
    assert len(made) == 1_000
    assert all(re.fullmatch(r"session_[A-Za-z0-9_-]{21}", one) for one in made)


def test_a_token_hash_is_sha256() -> None:
    assert token_hash("abc").hex().startswith("ba7816bf8f01cfea")
