"""The stored form of events: serialised messages in zstd, with a dictionary that knows what events look like.

What one client says in a row it says in nearly the same words, so the messages of neighbours are compressed together, as a
pack: the middle of a batch of 50 takes half the room there that it takes alone.
"""

import struct
import threading
from collections.abc import Mapping
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Final

import zstandard

DIRECTORY: Final = Path(__file__).parent
FIRST_DICTIONARY: Final = 32_768
"""Ids below are for dictionaries registered with the makers of zstd."""
LEVEL: Final = 1
_NEWEST: Final = 1

MAX_PACKED: Final = 16
"""Messages of one pack: to read one of them all are inflated, about 20 KB in 25 us; twice as many would take a tenth less room."""


class _Contexts(threading.local):
    """What zstd works with, which no two threads may share."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, dict_data=_newest(), write_content_size=True)
        self.decompressors: dict[int, zstandard.ZstdDecompressor] = {0: zstandard.ZstdDecompressor()}


def compress(message: bytes) -> bytes:
    """The payload of a serialised event. Its frame names its dictionary."""
    return _contexts.compressor.compress(message)


def decompress(payload: bytes) -> bytes:
    """The serialised event of a payload, whichever dictionary it was written with, or none.

    Raises FileNotFoundError where a newer release wrote it.
    """
    number = zstandard.get_frame_parameters(payload).dict_id
    known = _contexts.decompressors
    if number not in known:
        known[number] = zstandard.ZstdDecompressor(dict_data=_dictionary(number - FIRST_DICTIONARY))
    return known[number].decompress(payload)


def pack(messages: Mapping[int, bytes]) -> bytes:
    """At most MAX_PACKED messages by number, compressed together: how many (a byte), then numbers, lengths and messages in zstd."""
    heads = _heads(len(messages)).pack(*messages, *map(len, messages.values()))
    return bytes((len(messages),)) + compress(heads + b"".join(messages.values()))


def packed(stored: bytes) -> int:
    """How many messages a pack holds."""
    return stored[0]


def unpack(stored: bytes) -> dict[int, bytes]:
    """The messages of a pack by number."""
    count, content = packed(stored), decompress(stored[1:])
    heads = _heads(count)
    told = heads.unpack_from(content)
    begins = accumulate(told[count:], initial=heads.size)
    return {number: content[at : at + length] for number, length, at in zip(told, told[count:], begins, strict=False)}


@cache
def _heads(count: int) -> struct.Struct:
    return struct.Struct(f"<{2 * count}I")


@cache
def _newest() -> zstandard.ZstdCompressionDict:
    dictionary = _dictionary(_NEWEST)
    dictionary.precompute_compress(level=LEVEL)
    return dictionary


@cache
def _dictionary(number: int) -> zstandard.ZstdCompressionDict:
    """A released dictionary, made by scripts/train_payload_dictionary.py. Its file never changes: payloads need it."""
    content = (DIRECTORY / f"dictionary_{number}.zdict").read_bytes()
    return zstandard.ZstdCompressionDict(content, dict_type=zstandard.DICT_TYPE_FULLDICT)


_contexts = _Contexts()
