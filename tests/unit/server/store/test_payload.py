"""Tests of the stored form of events: what was written once stays readable."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
import zstandard

from server.store import payload
from tests.unit.ingest.events import make_event

# Payloads in databases need these files as they are. A new dictionary is a new line here, never a new hash.
RELEASED = {1: "6b4e286c5c65ae777b5686aa975e69e78db69826fbe94ce24766a7945019eebc"}


@pytest.mark.parametrize(("number", "digest"), RELEASED.items())
def test_released_dictionary_never_changes(number, digest):
    assert sha256((payload.DIRECTORY / f"dictionary_{number}.zdict").read_bytes()).hexdigest() == digest


def test_every_dictionary_is_listed_as_released():
    assert {path.name for path in payload.DIRECTORY.glob("*.zdict")} == {f"dictionary_{n}.zdict" for n in RELEASED}


@pytest.mark.parametrize("message", [b"", b"\x00", make_event(stack="at x (a.js:1:2)\n" * 200).SerializeToString()])
def test_payload_comes_back_as_it_was(message):
    assert payload.decompress(payload.compress(message)) == message


def test_payload_names_its_dictionary():
    stored = payload.compress(make_event().SerializeToString())
    assert zstandard.get_frame_parameters(stored).dict_id == payload.FIRST_DICTIONARY + max(RELEASED)


def test_payload_written_without_a_dictionary_is_read():
    message = make_event(message="from before there were dictionaries").SerializeToString()
    assert payload.decompress(zstandard.compress(message)) == message


def test_payload_of_a_newer_release_is_not_misread():
    content = (payload.DIRECTORY / "dictionary_1.zdict").read_bytes()
    later = zstandard.ZstdCompressionDict(content[:4] + (99_999).to_bytes(4, "little") + content[8:])
    stored = zstandard.ZstdCompressor(dict_data=later).compress(make_event().SerializeToString())
    with pytest.raises(FileNotFoundError):
        payload.decompress(stored)


@pytest.mark.parametrize("count", [1, 2, payload.MAX_PACKED])
def test_packed_messages_come_back_by_number(count):
    messages = {number * 100_000_000: make_event(message=f"{number}").SerializeToString() for number in range(count)}
    messages[3] = b""
    stored = payload.pack(messages)
    assert payload.packed(stored) == len(messages)
    assert payload.unpack(stored) == messages


def test_what_two_threads_pack_at_once_does_not_mix():
    def work(thread: int) -> bool:
        given = {number: bytes([thread]) * 5_000 for number in range(20)}
        return all(payload.unpack(payload.pack(given)) == given for _ in range(50))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))
