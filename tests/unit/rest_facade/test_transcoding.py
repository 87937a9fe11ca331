"""Requests become RPCs and answers become JSON, for every kind of route."""

import pytest
from healthguard.v1 import (
    app_pb2,
    app_service_pb2,
    auth_service_pb2,
    event_service_pb2,
    issue_pb2,
    issue_service_pb2,
    ledger_service_pb2,
    user_pb2,
)

_USER = {"authorization": "Bearer session_good"}


async def test_register_answers_201_with_epoch_milliseconds(facade, services) -> None:
    user = user_pb2.User(id="user_1", email="a@b.c", create_time={"seconds": 1795355475, "nanos": 472_000_000})
    services.answers["Register"] = auth_service_pb2.RegisterResponse(token="session_1", user=user)
    answer = await facade.post("/api/auth/register", json={"email": "A@b.c", "password": "12345678", "admin": True})
    assert answer.status_code == 201
    assert answer.json() == {
        "token": "session_1",
        "user": {"id": "user_1", "email": "a@b.c", "createdAt": 1795355475472},
    }
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert services.requests[0] == auth_service_pb2.RegisterRequest(email="A@b.c", password="12345678")


async def test_logout_answers_204_and_nothing(facade) -> None:
    answer = await facade.post("/api/auth/logout", headers={**_USER, "content-type": "application/json"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers


async def test_empty_list_is_shown_and_page_token_only_when_set(facade, services) -> None:
    assert (await facade.get("/api/apps", headers=_USER)).json() == {"apps": []}
    app = app_pb2.App(name="n", role="APP_ROLE_VIEWER")
    services.answers["ListApps"] = app_service_pb2.ListAppsResponse(apps=[app], next_page_token="t")
    shown = (await facade.get("/api/apps?pageSize=1&pageToken=x", headers=_USER)).json()
    assert shown["nextPageToken"] == "t"
    assert shown["apps"][0] == {"id": "", "name": "n", "appKey": "", "type": "", "projectId": 0, "role": "viewer"}
    assert services.requests[1] == app_service_pb2.ListAppsRequest(page_size=1, page_token="x")


@pytest.mark.parametrize("type_", [{}, {"type": None}])
async def test_absent_and_null_type_are_one(facade, services, type_: dict) -> None:
    assert (await facade.post("/api/apps", json={"name": "n", **type_}, headers=_USER)).status_code == 201
    assert not services.requests[0].HasField("type")


async def test_query_becomes_the_filter(facade, services) -> None:
    await facade.get("/api/issues?appKey=k&platform=web&status=all&start=1000&end=2001&pageSize=5", headers=_USER)
    wanted = issue_service_pb2.ListIssuesRequest(
        app_key="k", platform="web", status=issue_pb2.ISSUE_STATUS_FILTER_ALL, page_size=5
    )
    wanted.start_time.FromMilliseconds(1000)
    wanted.end_time.FromMilliseconds(2001)
    assert services.requests[0] == wanted


async def test_zeros_are_shown(facade, services) -> None:
    services.answers["GetOverview"] = issue_service_pb2.GetOverviewResponse(totals=issue_pb2.Totals(events=2**60))
    shown = (await facade.get("/api/overview", headers=_USER)).json()
    assert shown == {"totals": {"events": 2**60, "errors": 0, "failedRequests": 0, "affectedUsers": 0, "issues": 0}}


async def test_ledger_shows_its_reasons(facade, services) -> None:
    answer = ledger_service_pb2.GetLedgerResponse()
    answer.entries.add(app_key="k", received=3, rejected=3).reasons["WRONG_TYPE"] = 3
    answer.entries[0].minute.FromSeconds(60)
    services.answers["GetLedger"] = answer
    [entry] = (await facade.get("/api/ledger", headers=_USER)).json()["entries"]
    assert (entry["minute"], entry["stored"], entry["reasons"]) == (60_000, 0, {"WRONG_TYPE": 3})


async def test_verdicts_are_shown_when_there_are_any(facade, services) -> None:
    services.answers["IngestEvents"] = event_service_pb2.IngestEventsResponse(
        accepted=0, rejected=[{"index": 0, "code": "WRONG_TYPE", "field": "url", "message": "m"}], outcomes=[3]
    )
    answer = await facade.post("/api/events/batch", json={"appKey": "k", "events": [{"url": 1}]})
    assert answer.status_code == 202
    assert answer.json() == {
        "accepted": 0,
        "rejected": [{"index": 0, "eventId": "", "code": "WRONG_TYPE", "field": "url", "message": "m"}],
    }
    assert services.requests[0].events[0].faults[0].field == "url"


async def test_head_answers_like_get_without_a_body(facade) -> None:
    get, head = await facade.get("/api/auth/me", headers=_USER), await facade.head("/api/auth/me", headers=_USER)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "INVALID_EMAIL"), ([], "INVALID_EMAIL"), (None, "INVALID_EMAIL"), ("x", "INVALID_EMAIL"), (3, "INVALID_EMAIL"),
        ({"email": 1, "password": 2}, "INVALID_EMAIL"), ({"email": "a@b.c"}, "PASSWORD_TOO_SHORT"), ({"password": "12345678"}, "INVALID_EMAIL"),
        ({"email": "a@b.c", "password": None}, "PASSWORD_TOO_SHORT"),
    ],
)  # fmt: skip
async def test_wrong_credentials_shape_names_its_reason(facade, services, body: object, code: str) -> None:
    answer = await facade.post("/api/auth/login", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert services.requests == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "APP_KEY_REQUIRED"), ("abc", "APP_KEY_REQUIRED"), ({"events": [{}]}, "APP_KEY_REQUIRED"), ({"appKey": "", "events": [{}]}, "APP_KEY_REQUIRED"),
        ({"appKey": None, "events": [{}]}, "APP_KEY_REQUIRED"), ({"appKey": 1, "events": [{}]}, "APP_KEY_REQUIRED"), ({"appKey": "k"}, "EVENTS_REQUIRED"),
        ({"appKey": "k", "events": []}, "EVENTS_REQUIRED"), ({"appKey": "k", "events": {}}, "EVENTS_REQUIRED"), ({"appKey": "k", "events": None}, "EVENTS_REQUIRED"),
        ({"appKey": "k", "events": [{}] * 51}, "TOO_MANY_EVENTS"),
    ],
)  # fmt: skip
async def test_wrong_envelope_names_its_reason(facade, services, body: object, code: str) -> None:
    answer = await facade.post("/api/events/batch", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert services.requests == []


async def test_fifty_events_pass(facade) -> None:
    answer = await facade.post("/api/events/batch", json={"appKey": "k", "events": [{}] * 50})
    assert answer.json() == {"accepted": 50}


async def test_every_wrong_property_is_a_violation(facade) -> None:
    answer = await facade.post("/api/apps", json={"type": 3}, headers=_USER)
    assert [(item["field"], item["reason"]) for item in answer.json()["violations"]] == [
        ("name", "APP_NAME_REQUIRED"),
        ("type", "UNSUPPORTED_APP_TYPE"),
    ]
    assert answer.json()["message"] == "name is required."


@pytest.mark.parametrize(
    "request_",
    [("GET", "/api/overview?status=zz", None), ("GET", "/api/issues/x?start=x", None), ("POST", "/api/apps", {})],
)
async def test_strangers_are_not_told_what_is_wrong(facade, request_: tuple) -> None:
    method, path, body = request_
    assert (await facade.request(method, path, json=body)).status_code == 401
    assert (await facade.request(method, path, json=body, headers=_USER)).status_code == 400


async def test_broken_json_is_told_to_strangers_too(facade) -> None:
    answer = await facade.post("/api/apps", content=b'{"name":', headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_JSON")


async def test_rpc_gets_the_deadline_of_the_settings(open_facade, services) -> None:
    await open_facade(rpc_timeout_s=3).get("/api/auth/me", headers=_USER)
    assert 2 < services.remaining_s[0] <= 3
