"""Nothing of one tenant is visible to another over REST: lists, totals, details, filters and the very bytes of errors."""

from dataclasses import dataclass

import pytest

from tests.client import Account, Rest
from tests.sample import error_event, http_event

SECRET = "only-for-the-owner"


@dataclass(frozen=True)
class Tenants:
    """The owner of data, and somebody else."""

    rest: Rest
    owner: Account
    app_key: str
    issue_id: str
    stranger: Account


@pytest.fixture
def tenants(rest: Rest) -> Tenants:
    owner, app_key = rest.new_app_key()
    events = [error_event(message=SECRET, fingerprint="js:one", userId=SECRET), http_event(url=f"/{SECRET}")]
    assert rest.ingest(app_key, events).status_code == 202
    stranger, _ = rest.new_app_key()
    return Tenants(rest, owner, app_key, f"{app_key}:js:one", stranger)


FILTERS = (
    "",
    "&platform=web",
    "&status=all",
    "&status=archived",
    "&start=0&end=4102444800000",  # the year 2100
    "&pageSize=1000",
)


@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("path", ["/api/overview", "/api/issues"])
def test_a_strangers_filter_answers_like_one_that_matches_nothing(tenants: Tenants, path: str, filters: str) -> None:
    theirs, nobodys = (
        _as_stranger(tenants, f"{path}?appKey={key}{filters}") for key in (tenants.app_key, "web_nobody")
    )
    assert theirs == nobodys
    assert theirs[0] == 200
    assert SECRET not in theirs[1]


def test_the_owner_does_see_it(tenants: Tenants) -> None:
    detail = tenants.rest.get(tenants.owner, f"/api/issues/{tenants.issue_id}")
    assert detail["issue"]["message"] == SECRET


@pytest.mark.parametrize("path", ["/api/overview", "/api/issues?status=all", "/api/apps", "/api/ledger"])
def test_lists_without_a_filter_hold_only_what_is_the_callers(tenants: Tenants, path: str) -> None:
    status, text = _as_stranger(tenants, path)
    assert status == 200
    assert SECRET not in text
    assert tenants.app_key not in text


def test_a_strangers_issue_answers_like_one_nobody_has(tenants: Tenants) -> None:
    theirs = _as_stranger(tenants, f"/api/issues/{tenants.issue_id}")
    nobodys = _as_stranger(tenants, f"/api/issues/{tenants.app_key[:-1]}~:js:one")
    assert theirs == nobodys
    assert theirs[0] == 404


def test_a_page_token_of_the_owner_opens_nothing_to_a_stranger(tenants: Tenants) -> None:
    tenants.rest.ingest(tenants.app_key, [error_event(fingerprint="js:two")])
    page = tenants.rest.get(tenants.owner, "/api/issues", pageSize=1)
    status, text = _as_stranger(tenants, f"/api/issues?pageSize=1&pageToken={page['nextPageToken']}")
    assert SECRET not in text
    assert status == 400


def test_no_answer_tells_a_stranger_that_a_batch_exists(tenants: Tenants) -> None:
    event = error_event()
    tenants.rest.ingest(tenants.app_key, [event])
    _, own_key = tenants.rest.new_app_key()
    assert tenants.rest.ingest(own_key, [event]).json() == {"accepted": 1}


def _as_stranger(tenants: Tenants, path: str) -> tuple[int, str]:
    answer = tenants.rest.http.get(path, headers=tenants.stranger.headers | {"x-request-id": "same"})
    return answer.status_code, answer.text
