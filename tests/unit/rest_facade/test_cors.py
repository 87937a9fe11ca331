"""Cross-origin answers as browsers need them and as they were recorded."""

import pytest

_PREFLIGHT = {
    "origin": "http://shop.example",
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type, x-a",
}


@pytest.mark.parametrize("path", ["/api/events/batch", "/nope", "/api/issues/a:b/fixed"])
async def test_preflight_is_answered_on_any_path(facade, path: str) -> None:
    answer = await facade.options(path, headers=_PREFLIGHT)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "http://shop.example"
    assert answer.headers["access-control-allow-methods"] == "GET,HEAD,PUT,PATCH,POST,DELETE"
    assert answer.headers["access-control-allow-headers"] == "content-type, x-a"
    assert answer.headers["access-control-max-age"] == "86400"
    assert answer.headers["vary"] == "Origin, Access-Control-Request-Headers"
    assert "access-control-allow-private-network" not in answer.headers


async def test_private_network_is_allowed_when_asked(facade) -> None:
    answer = await facade.options("/x", headers={**_PREFLIGHT, "access-control-request-private-network": "true"})
    assert answer.headers["access-control-allow-private-network"] == "true"


@pytest.mark.parametrize("headers", [{}, {"origin": "http://a.test"}, {"access-control-request-method": "POST"}])
async def test_half_a_preflight_is_refused(facade, headers: dict) -> None:
    answer = await facade.options("/api/events/batch", headers=headers)
    assert (answer.status_code, answer.text) == (400, "Invalid Preflight Request")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers.get("access-control-allow-origin") == headers.get("origin")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/health", 200), ("GET", "/nope", 404), ("GET", "/api/auth/me", 401), ("GET", "/%zz", 400)],
)
async def test_origin_is_reflected_on_every_answer(facade, method: str, path: str, status: int) -> None:
    answer = await facade.request(
        method, path if "%" not in path else f"http://collector.test{path}", headers={"origin": "null"}
    )
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "null"
    assert answer.headers["vary"] == "Origin"
    assert "X-Request-ID" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    ("content", "media", "status"), [(b"x" * 1_048_577, "application/json", 413), (b"<a/>", "application/xml", 415)]
)
async def test_refused_body_carries_the_headers(facade, content: bytes, media: str, status: int) -> None:
    answer = await facade.post(
        "/api/events/batch", content=content, headers={"origin": "http://a", "content-type": media}
    )
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "http://a"


async def test_answer_without_origin_varies_all_the_same(facade) -> None:
    answer = await facade.get("/health")
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-origin" not in answer.headers


async def test_without_a_list_only_ingest_is_open_to_other_pages(open_facade) -> None:
    client = open_facade()
    for path, is_open in (("/api/issues", False), ("/health", False), ("/api/events/batch", True), ("/v1/ios/i", True)):
        answer = await client.options(path, headers=_PREFLIGHT)
        assert answer.status_code == 204
        assert ("access-control-allow-origin" in answer.headers) is is_open


async def test_named_origins_limit_all_but_ingest(open_facade) -> None:
    client = open_facade(cors_origins=("http://dash.example",))

    async def allowed(path: str, origin: str, method: str = "GET") -> bool:
        answer = await client.request(method, path, headers={**_PREFLIGHT, "origin": origin})
        return "access-control-allow-origin" in answer.headers

    assert await allowed("/api/issues", "http://dash.example")
    assert await allowed("/api/issues", "http://dash.example", "OPTIONS")
    assert not await allowed("/api/issues", "http://evil.example")
    assert not await allowed("/api/issues", "http://evil.example", "OPTIONS")
    assert await allowed("/api/events/batch", "http://evil.example", "OPTIONS")
    assert await allowed("/api/events/batch", "http://evil.example", "POST")
