"""Decompression in bounded steps: a bomb of a kilobyte never becomes more memory than the limit and one step."""

import zlib
from collections.abc import Callable, Iterator

import brotli  # type: ignore[import-untyped]
import zstandard

_STEP_BYTES = 256 * 1024

# 128 KiB come out of 4 bytes of zstd (one block of a repeated byte) and its decompressor has no limit on output, so what
# goes in is limited: 256 bytes become at most 8 MiB.
_ZSTD_INPUT_BYTES = 256

# RFC 9659 lets an encoder of HTTP bodies use a window of 8 MB at most.
_ZSTD_WINDOW_BYTES = 8 * 1024 * 1024


class CorruptBody(Exception):
    """The bytes are not what their encoding says, or stop in the middle."""


def _gzip(data: bytes) -> Iterator[bytes]:
    while data:
        decompressor = zlib.decompressobj(wbits=31)
        yield from _zlib_steps(decompressor, data)
        data = decompressor.unused_data


def _deflate(data: bytes) -> Iterator[bytes]:
    # RFC 9110 means the zlib format; some clients send the bare stream. A zlib header is a multiple of 31.
    wrapped = len(data) >= 2 and data[0] & 15 == 8 and (data[0] << 8 | data[1]) % 31 == 0
    decompressor = zlib.decompressobj(wbits=15 if wrapped else -15)
    yield from _zlib_steps(decompressor, data)
    if decompressor.unused_data:
        raise CorruptBody


def _zlib_steps(decompressor: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    try:
        while not decompressor.eof:
            piece = decompressor.decompress(data, _STEP_BYTES)
            data = decompressor.unconsumed_tail
            if not piece and not data and not decompressor.eof:
                raise CorruptBody
            yield piece
    except zlib.error:
        raise CorruptBody from None


def _brotli(data: bytes) -> Iterator[bytes]:
    decompressor = brotli.Decompressor()
    try:
        yield decompressor.process(data, output_buffer_limit=_STEP_BYTES)
        while not decompressor.is_finished():
            piece = decompressor.process(b"", output_buffer_limit=_STEP_BYTES)
            if not piece:
                raise CorruptBody
            yield piece
    except brotli.error:
        raise CorruptBody from None


def _zstd(data: bytes) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj()
    try:
        for start in range(0, len(data), _ZSTD_INPUT_BYTES):
            if decompressor.eof:
                raise CorruptBody
            yield decompressor.decompress(data[start : start + _ZSTD_INPUT_BYTES])
    except zstandard.ZstdError:
        raise CorruptBody from None
    if not decompressor.eof or decompressor.unused_data:
        raise CorruptBody


INFLATORS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
"""Content codings and what undoes them, piece by piece; they raise CorruptBody."""
