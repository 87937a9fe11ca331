"""Who a request is from, what the servicer is told about it, and its one line in the log."""

from unittest.mock import Mock

import pytest
import structlog
from prometheus_client import REGISTRY
from starlette.requests import ClientDisconnect

from rest_facade.app import create_app
from rest_facade.settings import FacadeSettings

_USER = {"authorization": "Bearer session_good"}
_KEYS = {"requestID", "method", "url", "status", "durationMs", "sizeBytes"}


@pytest.fixture
def lines():
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as captured:
        yield captured


async def test_sane_request_id_is_kept(facade, services) -> None:
    answer = await facade.get("/api/auth/me", headers={**_USER, "x-request-id": "abc.DEF_1-2"})
    assert answer.headers["x-request-id"] == services.metadata[0]["x-request-id"] == "abc.DEF_1-2"


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "ä", 'a"b'])
async def test_other_request_ids_are_replaced(facade, given: str) -> None:
    answer = await facade.get("/health", headers={"x-request-id": given.encode()})
    assert len(answer.headers["x-request-id"]) == 32


async def test_servicer_is_told_the_door_and_the_token(facade, services) -> None:
    await facade.get("/api/auth/me", headers=_USER)
    told = services.metadata[0]
    assert (told["x-healthguard-door"], told["authorization"], told["x-forwarded-for"]) == (
        "rest",
        "Bearer session_good",
        "127.0.0.1",
    )
    assert told["x-request-bytes"] == "0"


@pytest.mark.parametrize("given", [b"Bearer \xc3\xa4", b"Bearer a\tb", b"Bearer " + b"x" * 2000])
async def test_token_that_metadata_cannot_carry_is_no_token(facade, given: bytes) -> None:
    assert (await facade.get("/api/auth/me", headers={"authorization": given})).status_code == 401


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, None),
        (b"https://shop.example", "https://shop.example"),
        (b"null", "null"),
        (b"https://\xc3\xa4.example", "null"),
        (b"a\tb", "null"),
        (b"https://" + b"x" * 600, "null"),
    ],
)
async def test_servicer_is_told_the_origin_of_the_page(facade, services, given: bytes | None, told: str | None) -> None:
    await facade.get("/api/auth/me", headers={**_USER, **({} if given is None else {"origin": given})})
    assert services.metadata[0].get("x-origin") == told


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", None, "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("127.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        ("127.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", "198.51.100.7, nonsense", "127.0.0.1"),
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"),
    ],
)
async def test_client_is_the_nearest_untrusted_address(
    channel, services, peer: str, forwarded: str | None, client: str
) -> None:
    headers = [(b"authorization", b"Bearer session_good")]
    if forwarded is not None:
        headers.append((b"x-forwarded-for", forwarded.encode()))
    app = create_app(FacadeSettings(trusted_proxies=("127.0.0.1", "10.0.0.2")), channel)
    scope = {
        "type": "http", "method": "GET", "path": "/api/auth/me", "raw_path": b"/api/auth/me", "query_string": b"", "headers": headers,
        "client": (peer, 5), "server": ("h", 1), "scheme": "http", "http_version": "1.1", "root_path": "",
    }  # fmt: skip

    async def receive() -> dict:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict) -> None: ...

    await app(scope, receive, send)
    assert services.metadata[0]["x-forwarded-for"] == client


@pytest.mark.parametrize(
    ("path", "status", "level", "error"),
    [
        ("/api/auth/me?token=secret", 200, "info", None),
        ("/nope", 404, "warning", "ROUTE_NOT_FOUND"),
        ("/api/overview?status=x", 400, "warning", "INVALID_STATUS"),
    ],
)
async def test_request_leaves_one_line(facade, lines, path: str, status: int, level: str, error: str | None) -> None:
    answer = await facade.get(path, headers=_USER)
    [line] = lines
    assert answer.status_code == line["status"] == status
    assert line.keys() >= _KEYS
    assert (line["log_level"], line["url"], line["requestID"]) == (
        level,
        path.partition("?")[0],
        answer.headers["x-request-id"],
    )
    assert line.get("error") == error
    assert "secret" not in str(line)


async def test_line_counts_the_decoded_body(facade, lines) -> None:
    await facade.post("/api/events/batch", json={"appKey": "k", "events": [{}]})
    assert lines[0]["sizeBytes"] == 28


async def test_line_holds_what_the_servicer_bound(facade, services, lines) -> None:
    async def bind(request, context):
        structlog.contextvars.bind_contextvars(appKey="k", error="OperationalError: disk")
        raise RuntimeError("a secret")

    services.answers["GetMe"] = bind
    await facade.get("/api/auth/me", headers=_USER)
    assert (lines[-1]["appKey"], lines[-1]["error"], lines[-1]["log_level"]) == ("k", "OperationalError: disk", "error")
    await facade.get("/health")
    assert "appKey" not in lines[-1]


async def test_cause_of_a_servers_fault_is_in_the_line(facade, services, lines) -> None:
    services.answers["GetMe"] = RuntimeError("a secret")
    await facade.get("/api/auth/me", headers=_USER)
    assert lines[-1]["error"] == "UNKNOWN: Unexpected error"


async def test_unforeseen_exception_is_in_the_line(facade, monkeypatch, lines) -> None:
    fault = RuntimeError("a secret")
    monkeypatch.setattr("rest_facade.transcoder.Plan._request", Mock(side_effect=fault))
    await facade.get("/api/auth/me", headers=_USER)
    [line] = lines
    assert (line["log_level"], line["status"], line["exc_info"]) == ("error", 500, fault)


async def test_client_that_left_is_told_from_an_answer(facade, monkeypatch, lines) -> None:
    monkeypatch.setattr("rest_facade.transcoder.Plan._reply", Mock(side_effect=ClientDisconnect))
    with pytest.raises(AssertionError):  # httpx wants a response; a real server knows that its client has gone
        await facade.get("/api/auth/me", headers=_USER)
    assert lines[0]["status"] == 499


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_requests_are_counted_by_route_not_by_path(facade) -> None:
    labels = {"method": "GET", "route": "/api/issues/{id}", "status": "200"}
    before = counted("healthguard_http_requests_total", **labels)
    for id in ("a", "b"):
        await facade.get(f"/api/issues/{id}", headers=_USER)
    assert counted("healthguard_http_requests_total", **labels) == before + 2


async def test_made_up_paths_and_methods_share_a_label(facade) -> None:
    labels = {"method": "other", "route": "unmatched", "status": "404"}
    before = counted("healthguard_http_requests_total", **labels)
    await facade.request("BREW", "/pot/1")
    await facade.request("STEEP", "/pot/2")
    assert counted("healthguard_http_requests_total", **labels) == before + 2


async def test_shed_requests_are_counted_by_reason(open_facade) -> None:
    before = counted("healthguard_shed_requests_total", reason="OVERLOADED")
    await open_facade(max_inflight_bytes=1).post("/api/events/batch", json={})
    assert counted("healthguard_shed_requests_total", reason="OVERLOADED") == before + 1
