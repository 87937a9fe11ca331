"""Bodies of batches: told by their bytes, unpacked within a bound and as far as they go."""

import gzip

import pytest
from hypothesis import given, strategies as st

from server.mobile.body import Body, BodyTooLarge, unpack

LIMIT = 10_000


@given(st.binary(max_size=2_000))
def test_a_body_comes_out_as_it_went_in(data):
    if not data.startswith(b"\x1f\x8b"):
        assert unpack(data, limit_bytes=LIMIT) == Body(data)
    assert unpack(gzip.compress(data), limit_bytes=LIMIT) == Body(data)


@given(st.binary(min_size=300, max_size=2_000), st.integers(min_value=0, max_value=10_000))
def test_a_cut_body_keeps_its_head(data, at):
    whole = gzip.compress(data)
    found = unpack(whole[: at % len(whole)], limit_bytes=LIMIT)
    assert found.fault or at % len(whole) < 2
    assert data.startswith(found.data) or whole.startswith(found.data)


def test_what_came_before_damage_is_kept():
    lines = b"".join(b"%d a line that differs\n" % (n * 7919) for n in range(200))
    whole = bytearray(gzip.compress(lines))
    whole[len(whole) * 3 // 4] ^= 0xFF
    found = unpack(bytes(whole), limit_bytes=LIMIT)
    assert found.fault
    assert len(found.data) > 500
    assert lines.startswith(found.data[:500])


def test_nothing_of_it_means_all_of_it():
    torn = b"\x1f\x8b\x08\0torn"
    assert unpack(torn, limit_bytes=LIMIT).data == torn


def test_bytes_behind_the_end_are_no_part_of_it():
    assert unpack(gzip.compress(b"batch") + b"junk", limit_bytes=LIMIT) == Body(b"batch")


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1])
def test_the_bound_holds_to_the_byte(size):
    for body in (b"\1" * size, gzip.compress(b"\1" * size), gzip.compress(bytes(size), 1)):
        if size > LIMIT:
            with pytest.raises(BodyTooLarge):
                unpack(body, limit_bytes=LIMIT)
        else:
            assert len(unpack(body, limit_bytes=LIMIT).data) == size
