"""Decompression: every coding, broken input, and bombs that must stay small."""

import gzip
import tracemalloc
import zlib
from functools import partial

import brotli
import pytest
import zstandard

from rest_facade.inflate import INFLATORS, CorruptBody

_TEXT = b'{"appKey": "k", "events": []}' * 1000


def _raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


_ENCODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": partial(brotli.compress, quality=1),
    "zstd": zstandard.compress,
}


def inflated(coding: str, data: bytes) -> bytes:
    return b"".join(INFLATORS[coding](data))


@pytest.mark.parametrize("coding", _ENCODERS)
def test_what_was_compressed_comes_out(coding: str) -> None:
    assert inflated(coding, _ENCODERS[coding](_TEXT)) == _TEXT


def test_bare_deflate_comes_out() -> None:
    assert inflated("deflate", _raw_deflate(_TEXT)) == _TEXT


def test_gzip_of_several_members_comes_out() -> None:
    assert inflated("gzip", gzip.compress(b"a") + gzip.compress(b"b")) == b"ab"


@pytest.mark.parametrize("coding", _ENCODERS)
def test_cut_body_is_corrupt(coding: str) -> None:
    with pytest.raises(CorruptBody):
        inflated(coding, _ENCODERS[coding](_TEXT)[:-5])


@pytest.mark.parametrize("coding", _ENCODERS)
@pytest.mark.parametrize("data", [b"hello, this is no compressed data at all", b"\x1f\x8b\x08", b"\xff" * 100])
def test_other_bytes_are_corrupt(coding: str, data: bytes) -> None:
    with pytest.raises(CorruptBody):
        inflated(coding, data)


@pytest.mark.parametrize("coding", ["deflate", "br", "zstd"])
def test_bytes_after_the_end_are_corrupt(coding: str) -> None:
    with pytest.raises(CorruptBody):
        inflated(coding, _ENCODERS[coding](_TEXT) + b"tail")


def test_zstd_window_is_bounded() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    wide = compressor.compress(_TEXT) + compressor.flush()
    with pytest.raises(CorruptBody):
        inflated("zstd", wide)


@pytest.mark.parametrize("coding", _ENCODERS)
def test_bomb_comes_out_in_small_pieces(coding: str) -> None:
    bomb = _ENCODERS[coding](b"\0" * 32 * 1_048_576)
    tracemalloc.start()
    try:
        largest = max(map(len, INFLATORS[coding](bomb)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert largest <= 9 * 1_048_576
    assert peak < 24 * 1_048_576
