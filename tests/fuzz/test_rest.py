"""Made-up requests for every operation of the OpenAPI document, against the real program: no 5xx, and every answer fits its schema."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from rest_facade.contract import load_document
from tests import figures
from tests.client import Rest
from tests.collector import Collector
from tests.fuzz.amount import TIMES
from tests.mobile.conftest import owner_on
from tests.mobile.tracker import JPEG, frames_of
from tests.sample import error_event, now_ms

CASES = 4 * TIMES
"""Requests per operation, half of them against its schema."""

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.missing_required_header,
    checks.unsupported_method,
]
"""Left out: that everything a schema refuses is refused (what an event holds beyond the document is kept), that all it allows
is accepted (an id may have the right form and be nobody's), and who may call what (tests of access ask that by name)."""

SCHEMA = schemathesis.openapi.from_dict(load_document())
SCHEMA.config.generation.with_security_parameters = False  # ours are good, so that requests get past the door
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations()}
ENDS_A_SESSION = ("/api/auth/logout", "/api/auth/password", "/api/auth/sessions")


class Site:
    """What there is to be found: an app with an issue and a recorded session with a picture."""

    def __init__(self, base: str, rest: Rest) -> None:
        self.base = base
        owner = owner_on(rest)
        rest.ingest(owner.app["appKey"], [error_event()])
        tracker = owner.tracker()
        tracker.start()
        tracker.post("append", tracker.crash(now_ms()))
        tracker.upload([("a", frames_of([(now_ms(), JPEG)]))])
        self.token, self.tracker_token = owner.account.token, tracker.token
        self.ids = {
            "/api/apps": {"id": owner.app["id"]},
            "/api/issues": {"id": rest.issues(owner.account)[0]["id"]},
            "/api/sessions": {"id": tracker.session_id},
        }

    def known(self, path: str) -> dict[str, str]:
        """Path parameters of what is there, for operations that take one id."""
        return next((ids for root, ids in self.ids.items() if path.startswith(f"{root}/{{id}}")), {})


@pytest.fixture(scope="module")
def site(shared_sqlite: Collector) -> Iterator[Site]:
    with Rest(shared_sqlite.rest) as rest:
        yield Site(shared_sqlite.rest, rest)


@pytest.fixture(scope="module")
def statuses() -> Iterator[dict[str, int]]:
    """How each request was answered, by its id."""
    told: dict[str, int] = {}
    yield told
    counted = {f"of_{status}": count for status, count in sorted(Counter(told.values()).items())}
    figures.tell("fuzz: REST", operations=len(OPERATIONS), requests=len(told), **counted)


@pytest.mark.parametrize("label", OPERATIONS)
def test_no_request_breaks_an_operation(
    label: str, site: Site, statuses: dict[str, int], shared_sqlite: Collector
) -> None:
    operation = OPERATIONS[label]
    token = site.tracker_token if operation.path.startswith("/v1/") else site.token
    if operation.path.startswith(ENDS_A_SESSION):
        with Rest(shared_sqlite.rest) as rest:
            token = rest.register().token
    known = {} if operation.method == "delete" else site.known(operation.path)
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        for ids in ({}, known) if known else ({},):
            _fuzz(operation.as_strategy(mode, path_parameters=ids), site.base, token, statuses)


def _fuzz(cases: Any, base: str, token: str, statuses: dict[str, int]) -> None:
    @settings(
        max_examples=max(1, CASES // 2),
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def ask(case: schemathesis.Case) -> None:
        request_id = f"fuzz-{len(statuses)}"
        headers = {"authorization": f"Bearer {token}", "x-request-id": request_id}
        answer = case.call(base_url=base, headers=headers)
        statuses[request_id] = answer.status_code
        assert answer.headers["x-request-id"] == [request_id]
        case.validate_response(answer, checks=CHECKS)

    with contextlib.suppress(Unsatisfiable):  # an operation that takes nothing cannot be asked wrongly
        ask()


def test_each_of_them_left_one_line_and_each_refusal_its_cause(
    statuses: dict[str, int], shared_sqlite: Collector
) -> None:
    assert shared_sqlite.lines_of(list(statuses)[-1])
    told = (line for line in shared_sqlite.logs() if line["msg"] == "request")
    lines = [line for line in told if line["requestID"] in statuses]
    # One check asks again under the same id, by a method that nobody has.
    times = Counter((line["requestID"], line["method"]) for line in lines)
    assert set(times.values()) == {1}
    assert {request_id for request_id, _ in times} == statuses.keys()
    assert [line for line in lines if line["status"] >= 400 and not line.get("error")] == []
