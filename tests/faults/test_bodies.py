"""Hostile bodies: too long, too dense, cut off. Each is refused by name, cheaply, and the server goes on."""

import gzip
import json
import zlib
from collections.abc import Callable

import httpx
import pytest

from tests.client import Rest
from tests.collector import Collector
from tests.sample import error_event

MIB = 1_048_576
MOST_GROWTH_BYTES = 50 * MIB


def post(rest: Rest, body: bytes, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return rest.http.post("/api/events/batch", content=body, headers={"content-type": "application/json"} | named)


def padded(app_key: str, total_bytes: int) -> bytes:
    """A valid batch of exactly this size."""
    event = error_event(message="")
    empty = len(json.dumps({"appKey": app_key, "events": [event]}))
    event["message"] = "x" * (total_bytes - empty)
    body = json.dumps({"appKey": app_key, "events": [event]}).encode()
    assert len(body) == total_bytes
    return body


def test_the_limit_is_one_mebibyte_to_the_byte(rest: Rest) -> None:
    _, app_key = rest.new_app_key()
    assert post(rest, padded(app_key, MIB)).status_code == 202
    answer = post(rest, padded(app_key, MIB + 1))
    assert answer.status_code == 413
    assert answer.json()["message"]


def test_a_body_without_a_length_is_bounded_too(rest: Rest) -> None:
    _, app_key = rest.new_app_key()
    chunks = iter([padded(app_key, MIB), b" "])
    answer = rest.http.post("/api/events/batch", content=chunks, headers={"content-type": "application/json"})
    assert answer.status_code == 413


def bomb(inflated_bytes: int, wbits: int) -> bytes:
    """Zeros, deflated a thousandfold."""
    deflate = zlib.compressobj(9, wbits=wbits)
    zeros = bytes(MIB)
    return b"".join([deflate.compress(zeros) for _ in range(inflated_bytes // MIB)]) + deflate.flush()


@pytest.mark.real_start
@pytest.mark.parametrize(("encoding", "wbits"), [("gzip", 31), ("deflate", 15)])
def test_a_bomb_is_refused_without_being_inflated(
    encoding: str, wbits: int, start_collector: Callable[..., Collector], connect: Callable[[str], Rest]
) -> None:
    collector = start_collector("sqlite")
    rest = connect(collector.rest)
    _, app_key = rest.new_app_key()
    assert post(rest, padded(app_key, MIB)).status_code == 202
    before = collector.memory_bytes("VmHWM")
    body = bomb(200 * MIB, wbits)
    for _ in range(5):
        assert post(rest, body, content_encoding=encoding).status_code == 413
    assert collector.memory_bytes("VmHWM") - before < MOST_GROWTH_BYTES
    assert rest.ingest(app_key, [error_event()]).status_code == 202


def test_a_compressed_batch_is_taken(rest: Rest) -> None:
    account, app_key = rest.new_app_key()
    body = json.dumps({"appKey": app_key, "events": [error_event()]}).encode()
    assert post(rest, gzip.compress(body), content_encoding="gzip").json() == {"accepted": 1}
    assert rest.totals(account)["events"] == 1


def test_json_cut_in_half_is_refused_with_its_position(rest: Rest) -> None:
    _, app_key = rest.new_app_key()
    body = json.dumps({"appKey": app_key, "events": [error_event()]}, indent=1).encode()
    half = body[: len(body) // 2]
    answer = post(rest, half)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_JSON")
    message = answer.json()["message"]
    assert "line" in message
    assert "column" in message


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_torn_compressed_body_is_the_clients_fault(rest: Rest, encoding: str) -> None:
    answer = post(rest, b"\x1f\x8b\x08\x00torn", content_encoding=encoding)
    assert answer.status_code == 400
    assert answer.json()["message"]
