"""The dashboard's files: who gets them, how long they are kept, and what browsers may do with them."""

import gzip
import re

import brotli
import pytest

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def script_of(facade) -> str:
    page = await facade.get("/", headers=HTML)
    found = re.search(r'src="(/assets/[^"]+\.js)"', page.text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("path", ["/", "/login", "/apps/app_1", "/apps/app_1/issues/web_a%3Ajs%2F1/", "/account"])
async def test_a_browser_gets_the_page_wherever_the_dashboard_may_be_opened(facade, path: str) -> None:
    page = await facade.get(path, headers=HTML)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["cache-control"] == "no-cache"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in page.text
    assert "style=" not in page.text


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/", {}), ("/apps/app_1", {"accept": "*/*"}), ("/nope", HTML), ("/api/nope", HTML), ("/assets/nope.js", HTML)],
)
async def test_all_else_is_answered_as_before(facade, path: str, headers: dict[str, str]) -> None:
    answer = await facade.get(path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "ROUTE_NOT_FOUND")


async def test_other_methods_are_not_the_dashboards(facade) -> None:
    assert (await facade.post("/", headers=HTML)).status_code == 404
    head = await facade.head("/", headers=HTML)
    assert (head.status_code, head.content) == (200, b"")


async def test_hashed_files_are_kept_for_ever(facade) -> None:
    answer = await facade.get(await script_of(facade), headers={"accept-encoding": "identity"})
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "javascript" in answer.headers["content-type"]
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("accepted", "encoding", "decode"),
    [
        ("gzip, deflate, br, zstd", "br", brotli.decompress),
        ("gzip;q=1.0, br;q=0", "gzip", gzip.decompress),
        ("GZIP", "gzip", gzip.decompress),
        ("br;q=0.0", None, bytes),
    ],
)
async def test_the_best_encoding_is_sent_that_the_client_takes(facade, accepted: str, encoding, decode) -> None:
    path = await script_of(facade)
    plain = (await facade.get(path, headers={"accept-encoding": "identity"})).content
    async with facade.stream("GET", path, headers={"accept-encoding": accepted}) as answer:
        assert answer.headers.get("content-encoding") == encoding
        assert answer.headers["vary"].startswith("Accept-Encoding")
        assert decode(b"".join([part async for part in answer.aiter_raw()])) == plain


async def test_an_unchanged_page_is_not_sent_again(facade) -> None:
    page = await facade.get("/", headers=HTML)
    again = await facade.get("/", headers=HTML | {"if-none-match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "content-security-policy" in again.headers
