"""One JSON line per REST request, with the keys that operators search by and nothing secret."""

import pytest

from tests.client import PASSWORD, Rest
from tests.collector import Collector
from tests.sample import error_event

SECRET = "do-not-log-me"
ALWAYS = {"ts", "level", "caller", "msg", "requestID", "method", "url", "status", "durationMs", "sizeBytes"}


@pytest.fixture
def collector(shared_sqlite: Collector) -> Collector:
    return shared_sqlite


def test_an_ingest_request_is_one_line_that_names_the_app(collector: Collector, rest: Rest) -> None:
    _, app_key = rest.new_app_key()
    body = {"appKey": app_key, "events": [error_event(message=SECRET)]}
    rest.http.post("/api/events/batch", json=body, headers={"x-request-id": "req-ingest-log"})
    (line,) = collector.lines_of("req-ingest-log")
    assert line.keys() >= ALWAYS
    assert (line["method"], line["url"], line["status"]) == ("POST", "/api/events/batch", 202)
    assert line["appKey"] == app_key
    assert line["sizeBytes"] > 100


def test_a_refused_request_keeps_its_cause(collector: Collector, rest: Rest) -> None:
    answer = rest.http.get("/api/issues/nonsense?secret=" + SECRET, headers={"x-request-id": "req-refused-log"})
    assert answer.headers["x-request-id"] == "req-refused-log"
    (line,) = collector.lines_of("req-refused-log")
    assert (line["level"], line["status"]) == ("warning", 401)
    assert "NotSignedIn" in line["error"]


def test_nothing_secret_is_ever_logged(collector: Collector, rest: Rest) -> None:
    account = rest.register()
    login = {"email": account.email, "password": PASSWORD}
    rest.http.post("/api/auth/login", json=login, headers={"authorization": f"Bearer {SECRET}"})
    rest.http.get(f"/api/auth/me?token={account.token}", headers=account.headers)
    rest.http.post("/api/events/batch", content=f'{{"broken {SECRET}', headers={"content-type": "application/json"})
    text = collector.log_text()
    for secret in (account.token, PASSWORD, SECRET):
        assert secret not in text


TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({"traceparent": f"00-{TRACE}-{SPAN}-01"}, TRACE),
        ({"traceparent": f"00-{TRACE}-{SPAN}-01", "x-request-id": "given"}, "given"),
    ],
)
def test_a_trace_names_the_request_that_has_no_name(rest: Rest, headers: dict[str, str], request_id: str) -> None:
    assert rest.http.get("/health", headers=headers).headers["x-request-id"] == request_id


def test_a_trace_that_is_none_is_not_believed(rest: Rest) -> None:
    given = rest.http.get("/health", headers={"traceparent": f"00-{TRACE}-{SPAN}"}).headers["x-request-id"]
    assert given
    assert given != TRACE
