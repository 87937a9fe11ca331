"""The stored form of an event: its serialised message in zstd, with a dictionary that knows what events look like."""

from functools import cache
from pathlib import Path
from typing import Final

import zstandard

DIRECTORY: Final = Path(__file__).parent
FIRST_DICTIONARY: Final = 32_768
"""Ids below are for dictionaries registered with the makers of zstd."""
LEVEL: Final = 1
_NEWEST: Final = 1

_plain = zstandard.ZstdDecompressor()


def compress(message: bytes) -> bytes:
    """The payload of a serialised event. Its frame names its dictionary. Not for use by two threads at once."""
    return _compressor().compress(message)


def decompress(payload: bytes) -> bytes:
    """The serialised event of a payload, whichever dictionary it was written with, or none.

    Raises FileNotFoundError where a newer release wrote it.
    """
    dictionary = zstandard.get_frame_parameters(payload).dict_id
    return (_decompressor(dictionary - FIRST_DICTIONARY) if dictionary else _plain).decompress(payload)


@cache
def _compressor() -> zstandard.ZstdCompressor:
    dictionary = _dictionary(_NEWEST)
    dictionary.precompute_compress(level=LEVEL)
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary, write_content_size=True)


@cache
def _decompressor(number: int) -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor(dict_data=_dictionary(number))


def _dictionary(number: int) -> zstandard.ZstdCompressionDict:
    """A released dictionary, made by scripts/train_payload_dictionary.py. Its file never changes: payloads need it."""
    content = (DIRECTORY / f"dictionary_{number}.zdict").read_bytes()
    return zstandard.ZstdCompressionDict(content, dict_type=zstandard.DICT_TYPE_FULLDICT)
