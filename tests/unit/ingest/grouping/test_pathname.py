"""Tests of cutting the path out of an address as a browser does."""

import pytest
from hypothesis import given, strategies as st

from server.ingest.grouping.pathname import pathname


def test_pathname_agrees_with_recorded_titles(recorded_pairs):
    events = [
        event
        for name in ("httpfp.urls.0", "httpfp.urls.1")
        for event in recorded_pairs[name]["request"]["body"]["events"]
    ]
    issues = recorded_pairs["httpfp.urls.list"]["response"]["json"]["issues"]
    first_seen = {issue["firstSeenAt"]["$t"]: issue["message"] for issue in issues}
    titles = {event["timestamp"]["$t"]: f"GET {pathname(event['url'])}" for event in events}
    assert {seen: titles[seen] for seen in first_seen} == first_seen
    assert set(titles.values()) == set(first_seen.values())


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/api/orders/123?x=/y#z", "/api/orders/123"),
        ("https://[::1]:8080/a", "/a"),
        ("https://[Filtered]@h.test/a", "/a"),
        ("http://[Filtered", "http://[Filtered"),
        ("https://h.test:port/a", "https://h.test:port/a"),
        ("/a/%2E%2e/b/", "/b/"),
        ("/../../a", "/a"),
        ("file:///C:/x", "/C:/x"),
        ("custom://host/a b", "/a%20b"),
        ("", "/"),
    ],
)
def test_pathname_of_odd_addresses(url, expected):
    assert pathname(url) == expected


@given(st.text(max_size=80) | st.text(alphabet="htps:/?#@[].%2eE\\ab1 \n", max_size=40))
def test_pathname_is_never_empty_and_has_no_query(url):
    path = pathname(url)
    assert path
    assert "?" not in path
    assert "#" not in path


def test_pathname_of_an_endless_address_is_bounded():
    assert len(pathname("/" + "a" * 1_000_000)) <= 2048
    assert len(pathname("data:" + "中" * 1_000_000)) <= 9 * 2048
