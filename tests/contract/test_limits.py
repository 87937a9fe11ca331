"""The limits are told as they are kept: README has every row, and every reason is one that clients can meet."""

import pytest

from server.errors import DomainError
from server.limits import LIMITS, Limit
from tests.collector import ROOT

README = (ROOT / "README.md").read_text()


def reasons(kind: type[DomainError]) -> set[str]:
    """The reasons of a kind of error and of all under it."""
    return {vars(kind).get("reason", "")}.union(*(reasons(one) for one in kind.__subclasses__()))


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_readme_shows_the_limit(limit: Limit) -> None:
    assert limit.row() in README


def test_every_limit_is_counted_by_a_reason_that_exists() -> None:
    elsewhere = {"BODY_TOO_LARGE", "BODY_TIMEOUT", "healthguard_connections_refused_total"}
    assert {limit.counted for limit in LIMITS} - reasons(DomainError) == elsewhere
