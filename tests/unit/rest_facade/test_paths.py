"""Paths: what is inside a segment stays inside, and broken ones are told apart from unknown ones."""

import pytest

_USER = {"authorization": "Bearer session_good"}


@pytest.mark.parametrize(
    ("path", "id"),
    [
        ("web_1:js:abc", "web_1:js:abc"),
        ("web_1%3Ajs%3Aabc", "web_1:js:abc"),
        ("k:a%2Fb%20c%3Fd%23e%25f", "k:a/b c?d#e%f"),
        ("k:%E6%B5%8B", "k:测"),
        ("k:%2e%2e", "k:.."),
        ("a%2F", "a/"),
        ("x" * 1000, "x" * 1000),
    ],
)
async def test_issue_id_arrives_as_it_is_meant(facade, services, path: str, id: str) -> None:
    answer = await facade.get(f"http://collector.test/api/issues/{path}", headers=_USER)
    assert answer.status_code == 200
    assert services.requests[0].id == id


@pytest.mark.parametrize("path", ["/api/%zz", "/api/issues/%", "/api/issues/a%00b", "/api/issues/%FF", "/nope%2"])
async def test_broken_path_is_a_bad_request(facade, path: str) -> None:
    answer = await facade.get(f"http://collector.test{path}", headers=_USER)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_PATH")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nope"),
        ("GET", "/API/health"),
        ("GET", "/api/events/batch"),
        ("DELETE", "/api/issues/abc"),
        ("GET", "/api/apps/"),
        ("POST", "/api/events/batch/"),
        ("GET", "/api/issues/a/b"),
        ("GET", "//api/apps"),
        ("BREW", "/health"),
    ],
)
async def test_unknown_path_or_method_is_not_found(facade, method: str, path: str) -> None:
    answer = await facade.request(method, f"http://collector.test{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "ROUTE_NOT_FOUND")
    assert answer.json()["message"] == f"Route {method}:{path} not found"


async def test_encoded_letters_of_a_route_match(facade) -> None:
    assert (await facade.get("http://collector.test/%68ealth")).status_code == 200


async def test_unknown_route_is_told_before_its_body_is_read(facade) -> None:
    answer = await facade.post("/nope", content=b"x" * 2_000_000, headers={"content-type": "image/png"})
    assert answer.status_code == 404
