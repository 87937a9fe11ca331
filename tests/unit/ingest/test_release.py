"""Tests of the order of releases."""

import itertools

import pytest
from hypothesis import given, strategies as st

from server.release import compare_releases

# A pre-release is older than its release; the recorded collector ignored that and ordered by text.
BETTER = {"fixed 1.2.0-beta then 1.2.0": True, "fixed 1.2.0 then 1.2.0-beta": False}

RELEASES = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="0129.-+@vabetr", max_size=12),
    st.from_regex(r"\Av?[0-9]{1,2}(\.[0-9]{1,2}){0,3}(-(rc|beta|hotfix)\.?[0-9]?)?\Z"),
)


def test_compare_releases_reopens_as_recorded(recorded_pairs):
    issues = recorded_pairs["relcmp.result"]["response"]["json"]["issues"]
    reopened = {
        issue["message"]: compare_releases(issue["lastSeenRelease"], issue["fixedInRelease"]) >= 0 for issue in issues
    }
    recorded = {issue["message"]: issue["status"] == "open" for issue in issues}
    assert reopened == recorded | BETTER


@pytest.mark.parametrize(
    "ascending",
    [
        "1.9.0 1.10.0 1.10.1 2.0",
        "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0",
        "2.0.0-beta.1 2.0.0 2.0.1-SNAPSHOT 2.0.1",
        "1.0rc1 1.0rc2 1.0rc10 1.0",
        "1.0b1 1.0b2 1.0",
        "1.0.2 1.0.2a 1.0.2b 1.0.3",
        "1.0.0 1.0.0-1 1.0.0-2 1.0.1",
        "1.2.3 1.2.3+5 1.2.3+6 1.2.4",
        "release-7 release-10",
        "shop2@1.9.0 shop2@1.10.0",
        "2024.4.30 2024.05.01",
        "1.2 1.2.0 v1.2.0 1.2.1",
        "a A abd",
    ],
)
def test_compare_releases_orders_as_people_read_them(ascending):
    releases = ascending.split()
    for older, newer in itertools.combinations(releases, 2):
        assert compare_releases(older, newer) == -1, (older, newer)
        assert compare_releases(newer, older) == 1, (newer, older)


def test_compare_releases_says_the_same_only_of_the_same_string():
    assert compare_releases("1.2.0", "1.2.0") == 0
    assert compare_releases("1.2.0", "1.2") != 0


def test_compare_releases_takes_absurd_input():
    assert compare_releases("9" * 100_000, "1") == 1
    assert compare_releases("", "1") == -1
    assert compare_releases("\u00b2.\u0663", "1") == -1


@given(RELEASES, RELEASES, RELEASES)
def test_compare_releases_is_a_total_order(a, b, c):
    assert compare_releases(a, b) == -compare_releases(b, a)
    assert (compare_releases(a, b) == 0) == (a == b)
    if compare_releases(a, b) <= 0 and compare_releases(b, c) <= 0:
        assert compare_releases(a, c) <= 0
