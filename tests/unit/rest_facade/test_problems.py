"""Statuses of RPCs as HTTP tells them, and whose words are believed."""

import grpc
import pytest
from google.rpc import code_pb2

from rest_facade import problems
from tests.unit.rest_facade.fakes import rich_status

_USER = {"authorization": "Bearer session_good"}

_TABLE = {
    "CANCELLED": 499, "INVALID_ARGUMENT": 400, "DEADLINE_EXCEEDED": 504, "NOT_FOUND": 404, "ALREADY_EXISTS": 409, "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429, "FAILED_PRECONDITION": 409, "ABORTED": 409, "OUT_OF_RANGE": 400, "UNIMPLEMENTED": 501, "UNAVAILABLE": 503,
    "UNAUTHENTICATED": 401,
}  # fmt: skip


def test_every_status_of_grpc_has_one_of_http() -> None:
    assert set(problems._HTTP_STATUS) == set(grpc.StatusCode) - {grpc.StatusCode.OK}


@pytest.mark.parametrize(("code", "status"), _TABLE.items())
async def test_error_with_our_error_info_is_told(facade, services, code: str, status: int) -> None:
    services.answers["GetIssue"] = rich_status(code_pb2.Code.Value(code), "SOME_REASON", "What happened.")
    answer = await facade.get("/api/issues/x", headers=_USER)
    told = answer.json()
    assert answer.status_code == told["status"] == status
    assert (told["code"], told["detail"], told["message"], told["type"]) == (
        "SOME_REASON",
        "What happened.",
        "What happened.",
        "about:blank",
    )
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"


@pytest.mark.parametrize("code", ["UNKNOWN", "INTERNAL", "DATA_LOSS"])
async def test_inner_faults_are_never_told(facade, services, code: str) -> None:
    services.answers["GetIssue"] = rich_status(code_pb2.Code.Value(code), "SOME_REASON", "a secret")
    answer = await facade.get("/api/issues/x", headers=_USER)
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    assert answer.json()["requestId"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text


@pytest.mark.parametrize("domain", ["", "somebody.else"])
@pytest.mark.parametrize("code", _TABLE)
async def test_text_of_others_is_not_believed(facade, services, domain: str, code: str) -> None:
    told = rich_status(code_pb2.Code.Value(code), "R", "10.0.0.1 is down", domain=domain)
    services.answers["GetIssue"] = told if domain else (told.code, told.details)
    answer = await facade.get("/api/issues/x", headers=_USER)
    assert "10.0.0.1" not in answer.text
    assert answer.status_code == {"RESOURCE_EXHAUSTED": 503, "UNIMPLEMENTED": 500}.get(code, _TABLE[code])


async def test_broken_details_are_not_believed(facade, services) -> None:
    async def broken(request, context):
        context.set_trailing_metadata((("grpc-status-details-bin", b"\xff\xff"),))
        await context.abort(grpc.StatusCode.NOT_FOUND, "text")

    services.answers["GetIssue"] = broken
    answer = await facade.get("/api/issues/x", headers=_USER)
    assert (answer.status_code, answer.json()["message"]) == (404, "Not found.")


@pytest.mark.parametrize(
    ("code", "wait_s", "header"), [("RESOURCE_EXHAUSTED", 1.2, "2"), ("UNAVAILABLE", 0.1, "1"), ("UNAVAILABLE", 0, "5")]
)
async def test_retry_after_is_rounded_up(facade, services, code: str, wait_s: float, header: str) -> None:
    services.answers["GetIssue"] = rich_status(code_pb2.Code.Value(code), "R", "Later.", retry_s=wait_s)
    answer = await facade.get("/api/issues/x", headers=_USER)
    assert answer.headers["retry-after"] == header


async def test_unauthenticated_names_the_scheme(facade) -> None:
    answer = await facade.get("/api/auth/me")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_violations_are_told(facade, services) -> None:
    services.answers["Register"] = rich_status(
        code_pb2.INVALID_ARGUMENT, "INVALID_EMAIL", "No.", fields=[("email", "No.")]
    )
    answer = await facade.post("/api/auth/register", json={"email": "x", "password": "y"})
    assert answer.json()["violations"] == [{"field": "email", "reason": "INVALID_EMAIL", "message": "No."}]


async def test_unforeseen_exception_is_told_without_its_text(facade, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("rest_facade.transcoder.Plan._request", fail)
    answer = await facade.get("/api/auth/me", headers=_USER)
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    assert "secret" not in answer.text
