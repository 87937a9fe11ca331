"""Request bodies at their bounds, through the whole facade."""

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from functools import partial

import brotli
import pytest
import zstandard
from healthguard.v1 import event_service_pb2

from rest_facade.app import create_app
from rest_facade.settings import FacadeSettings

_JSON = {"content-type": "application/json"}
_BATCH = {"appKey": "k", "events": [{"eventId": "e", "type": "error", "timestamp": 1}]}
_ENCODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": partial(brotli.compress, quality=1),
    "zstd": zstandard.compress,
}


def padded(total_bytes: int) -> bytes:
    empty = len(json.dumps({"appKey": "k", "events": [{"message": ""}]}))
    return json.dumps({"appKey": "k", "events": [{"message": "x" * (total_bytes - empty)}]}).encode()


async def post(client, content, **headers: str):
    return await client.post(
        "/api/events/batch", content=content, headers={**_JSON, **{k.replace("_", "-"): v for k, v in headers.items()}}
    )


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "text/plain",
        "text/plain;charset=UTF-8",
    ],
)
async def test_json_is_taken_under_its_names(facade, services, media: str) -> None:
    answer = await post(facade, json.dumps(_BATCH), content_type=media)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    assert services.requests[0].events[0].event_id == "e"


@pytest.mark.parametrize(
    "media",
    [
        "text/json",
        "application/vnd.api+json",
        "application/x-ndjson",
        "garbage",
        "",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "application/octet-stream",
        "application/json; charset=utf-16",
    ],
)
async def test_other_media_types_are_refused(facade, media: str) -> None:
    answer = await post(facade, json.dumps(_BATCH), content_type=media)
    assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_body_without_media_type_is_refused(facade) -> None:
    answer = await facade.post("/api/events/batch", content=b"{}")
    assert answer.status_code == 415


async def test_missing_body_is_told_like_a_missing_property(facade) -> None:
    for headers in ({}, _JSON):
        answer = await facade.post("/api/auth/login", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_EMAIL")


async def test_body_of_exactly_the_limit_passes(facade) -> None:
    body = padded(1_048_576)
    assert len(body) == 1_048_576
    assert (await post(facade, body)).status_code == 202


@pytest.mark.parametrize("chunked", [False, True])
async def test_body_of_one_byte_more_is_refused(facade, chunked: bool) -> None:
    body = padded(1_048_577)
    answer = await post(facade, pieces(body[:9], body[9:]) if chunked else body)
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")


async def test_chunked_body_without_length_is_read(facade, services) -> None:
    text = json.dumps(_BATCH).encode()
    answer = await post(facade, pieces(text[:5], b"", text[5:]))
    assert answer.status_code == 202
    assert services.metadata[0]["x-request-bytes"] == str(len(text))


@pytest.mark.parametrize("coding", [*_ENCODERS, "x-gzip", "GZIP"])
async def test_compressed_body_is_read(facade, services, coding: str) -> None:
    text = json.dumps(_BATCH).encode()
    answer = await post(facade, _ENCODERS[coding.lower().removeprefix("x-")](text), content_encoding=coding)
    assert answer.status_code == 202
    assert services.metadata[0]["x-request-bytes"] == str(len(text))


async def test_identity_coding_is_no_coding(facade) -> None:
    assert (await post(facade, json.dumps(_BATCH), content_encoding="identity")).status_code == 202


@pytest.mark.parametrize("coding", ["compress", "gzip, br", "nonsense"])
async def test_unknown_coding_is_refused(facade, coding: str) -> None:
    answer = await post(facade, b"x", content_encoding=coding)
    assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_ENCODING")
    assert answer.headers["accept-encoding"] == "gzip, deflate, br, zstd"


@pytest.mark.parametrize("coding", _ENCODERS)
async def test_corrupt_body_is_refused(facade, coding: str) -> None:
    answer = await post(facade, b"certainly not compressed, whatever the header says", content_encoding=coding)
    assert (answer.status_code, answer.json()["code"]) == (400, "CORRUPT_BODY")


@pytest.mark.parametrize("coding", _ENCODERS)
async def test_bomb_is_refused_in_little_memory(facade, coding: str) -> None:
    bomb = _ENCODERS[coding](b" " * 64 * 1_048_576)
    assert len(bomb) < 1_048_576
    tracemalloc.start()
    try:
        answer = await post(facade, bomb, content_encoding=coding)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
    assert peak < 50 * 1_048_576


async def test_bytes_in_flight_are_bounded_and_given_back(open_facade, services) -> None:
    client = open_facade(max_inflight_bytes=150, retry_after_s=7)
    release = asyncio.Event()

    async def wait(request, context):
        await release.wait()
        return event_service_pb2.IngestEventsResponse(accepted=len(request.events))

    services.answers["IngestEvents"] = wait
    first = asyncio.create_task(post(client, json.dumps(_BATCH)))
    await asyncio.sleep(0.05)
    second = await post(client, json.dumps(_BATCH))
    assert (second.status_code, second.json()["code"], second.headers["retry-after"]) == (503, "OVERLOADED", "7")
    release.set()
    assert (await first).status_code == 202
    assert (await post(client, json.dumps(_BATCH))).status_code == 202


async def test_route_without_body_reads_none(facade) -> None:
    answer = await facade.request("GET", "/health", content=b"x" * 2_000_000, headers={"content-type": "image/png"})
    assert answer.status_code == 200


async def test_get_with_json_type_and_no_body_is_fine(facade) -> None:
    headers = {**_JSON, "authorization": "Bearer session_good"}
    assert (await facade.get("/api/auth/me", headers=headers)).status_code == 200


class Connection:
    """An ASGI connection whose client is as slow or as rude as a test wants."""

    def __init__(self, channel, *messages: dict, **settings: object) -> None:
        self.app = create_app(FacadeSettings(**settings), channel)
        self.messages, self.sent = list(messages), []

    async def receive(self) -> dict:
        if not self.messages:
            await asyncio.sleep(30)
        return self.messages.pop(0)

    async def send(self, message: dict) -> None:
        self.sent.append(message)

    async def post(self, **headers: str) -> None:
        given = [
            (name.replace("_", "-").encode(), value.encode())
            for name, value in {"content_type": "application/json", **headers}.items()
        ]
        scope = {
            "type": "http", "method": "POST", "path": "/api/events/batch", "raw_path": b"/api/events/batch", "query_string": b"",
            "headers": given, "client": ("192.0.2.1", 5), "server": ("h", 1), "scheme": "http", "http_version": "1.1", "root_path": "",
        }  # fmt: skip
        await self.app(scope, self.receive, self.send)

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])


def chunk(body: bytes, *, more: bool = True) -> dict:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_slow_body_times_out(channel) -> None:
    connection = Connection(channel, chunk(b"{"), body_timeout_s=0.05)
    await connection.post(transfer_encoding="chunked")
    assert connection.sent[0]["status"] == 408
    assert connection.headers[b"connection"] == b"close"


async def test_vanished_client_gets_no_answer(channel) -> None:
    connection = Connection(channel, chunk(b"{"), {"type": "http.disconnect"})
    await connection.post(transfer_encoding="chunked")
    assert connection.sent == []


async def test_refused_body_is_drained_before_the_answer(channel) -> None:
    connection = Connection(channel, *[chunk(b"x" * 65_536) for _ in range(31)], chunk(b"x", more=False))
    await connection.post(content_length=str(31 * 65_536 + 1))
    assert connection.messages == []
    assert connection.sent[0]["status"] == 413
    assert b"connection" not in connection.headers


@pytest.mark.parametrize("settings", [{"drain_bytes": 100_000}, {"drain_timeout_s": 0.05}])
async def test_refused_body_without_end_is_cut_off(channel, settings: dict) -> None:
    connection = Connection(channel, *[chunk(b"x" * 65_536) for _ in range(20)], **settings)
    await connection.post(content_length="999999999")
    assert connection.sent[0]["status"] == 413
    assert connection.headers[b"connection"] == b"close"


async def test_client_that_asked_first_is_told_at_once(channel) -> None:
    connection = Connection(channel)
    await connection.post(content_length="999999999", expect="100-continue")
    assert connection.sent[0]["status"] == 413
