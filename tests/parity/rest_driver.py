"""The REST door, for one process and for a separate facade alike."""

import random
from collections.abc import Sequence
from typing import Any, Self
from urllib.parse import quote

import httpx

from tests.parity.driver import File, Json, Refused, bearer

# The table of the design, backwards.
KINDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


class RestDriver:
    """Speaks HTTP and JSON."""

    most_events = 50

    def __init__(self, base: str) -> None:
        address = f"10.{random.randint(0, 255)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        self.http = httpx.AsyncClient(
            base_url=base, headers={"x-forwarded-for": address}, timeout=30, trust_env=False, verify=False
        )

    async def register(self, email: str, password: str) -> Json:
        return await self._call("POST", "/api/auth/register", json={"email": email, "password": password})

    async def login(self, email: str, password: str, client_name: str | None = None) -> Json:
        body = {"email": email, "password": password} | ({} if client_name is None else {"clientName": client_name})
        return await self._call("POST", "/api/auth/login", json=body)

    async def login_sessions(self, token: str | None) -> Json:
        return await self._call("GET", "/api/auth/sessions", token)

    async def revoke_login_session(self, token: str | None, id: str) -> None:
        await self._call("DELETE", f"/api/auth/sessions/{quote(id, safe='')}", token)

    async def revoke_other_login_sessions(self, token: str | None) -> None:
        await self._call("DELETE", "/api/auth/sessions", token)

    async def change_password(self, token: str | None, current: str, new: str) -> Json:
        body = {"currentPassword": current, "newPassword": new}
        return await self._call("POST", "/api/auth/password", token, json=body)

    async def logout(self, token: str | None) -> None:
        await self._call("POST", "/api/auth/logout", token)

    async def me(self, token: str | None) -> Json:
        return await self._call("GET", "/api/auth/me", token)

    async def create_app(self, token: str | None, name: str, type: str | None = None) -> Json:
        body = {"name": name} | ({} if type is None else {"type": type})
        return await self._call("POST", "/api/apps", token, json=body)

    async def list_apps(self, token: str | None) -> Json:
        return await self._call("GET", "/api/apps", token)

    async def app(self, token: str | None, id: str) -> Json:
        return await self._call("GET", _of_app(id), token)

    async def update_app(self, token: str | None, id: str, **changes: Any) -> Json:
        return await self._call("PATCH", _of_app(id), token, json=changes)

    async def delete_app(self, token: str | None, id: str) -> None:
        await self._call("DELETE", _of_app(id), token)

    async def rotate_key(self, token: str | None, id: str) -> Json:
        return await self._call("POST", _of_app(id, "rotate-key"), token)

    async def app_overviews(self, token: str | None, app_keys: list[str]) -> Json:
        return await self._call("GET", "/api/apps/overview", token, params={"appKeys": ",".join(app_keys)})

    async def members(self, token: str | None, app_id: str) -> Json:
        return await self._call("GET", _of_app(app_id, "members"), token)

    async def add_member(self, token: str | None, app_id: str, email: str, role: str) -> Json:
        return await self._call("POST", _of_app(app_id, "members"), token, json={"email": email, "role": role})

    async def remove_member(self, token: str | None, app_id: str, user_id: str) -> None:
        await self._call("DELETE", _of_app(app_id, "members", user_id), token)

    async def ingest(self, app_key: str, events: list[Json], origin: str = "") -> Json:
        body = {"appKey": app_key, "events": events}
        answer = await self._call("POST", "/api/events/batch", headers={"origin": origin} if origin else {}, json=body)
        return {"rejected": []} | answer

    async def overview(self, token: str | None, **filters: Any) -> Json:
        return await self._call("GET", "/api/overview", token, params=filters)

    async def issues(self, token: str | None, **filters: Any) -> Json:
        return await self._call("GET", "/api/issues", token, params=filters)

    async def count_issues(self, token: str | None, **filters: Any) -> Json:
        return await self._call("GET", "/api/issues/count", token, params=filters)

    async def releases(self, token: str | None, **filters: Any) -> Json:
        return await self._call("GET", "/api/releases", token, params=filters)

    async def filter_values(self, token: str | None, **filters: Any) -> Json:
        return await self._call("GET", "/api/filters", token, params=filters)

    async def issue(self, token: str | None, id: str, **filters: Any) -> Json:
        return await self._call("GET", _of_issue(id), token, params=filters)

    async def issue_events(self, token: str | None, id: str, **filters: Any) -> Json:
        return await self._call("GET", _of_issue(id, "events"), token, params=filters)

    async def archive(self, token: str | None, id: str) -> Json:
        return await self._call("PATCH", _of_issue(id, "archive"), token)

    async def reopen(self, token: str | None, id: str) -> Json:
        return await self._call("PATCH", _of_issue(id, "reopen"), token)

    async def fixed(self, token: str | None, id: str, release: str | None) -> Json:
        body = {} if release is None else {"fixedInRelease": release}
        return await self._call("PATCH", _of_issue(id, "fixed"), token, json=body)

    async def verified(self, token: str | None, id: str, release: str | None) -> Json:
        body = {} if release is None else {"verifiedInRelease": release}
        return await self._call("PATCH", _of_issue(id, "verified"), token, json=body)

    async def update_issue(self, token: str | None, id: str, **changes: Any) -> Json:
        return await self._call("PATCH", _of_issue(id), token, json=changes)

    async def comment(self, token: str | None, id: str, text: str) -> Json:
        return await self._call("POST", _of_issue(id, "comments"), token, json={"text": text})

    async def comments(self, token: str | None, id: str, **filters: Any) -> Json:
        return await self._call("GET", _of_issue(id, "comments"), token, params=filters)

    async def grouping(self, token: str | None, id: str) -> Json:
        return await self._call("GET", _of_issue(id, "grouping"), token)

    async def preview(self, token: str | None, app_id: str, version: str | None = None) -> Json:
        params = {} if version is None else {"version": version}
        return await self._call("GET", f"/api/apps/{quote(app_id, safe='')}/grouping/preview", token, params=params)

    async def merge(self, token: str | None, id: str, merged_ids: list[str]) -> Json:
        return await self._call("POST", _of_issue(id, "merge"), token, json={"mergedIds": merged_ids})

    async def unmerge(self, token: str | None, id: str) -> Json:
        return await self._call("POST", _of_issue(id, "unmerge"), token)

    async def performance(self, token: str | None, **filters: Any) -> Json:
        return await self._call("GET", "/api/performance", token, params=filters)

    async def request_performance(self, token: str | None, **filters: Any) -> Json:
        return await self._call("GET", "/api/performance/requests", token, params=filters)

    async def start_session(self, **fields: Any) -> Json:
        return await self._call("POST", "/v1/ios/start", json=fields)

    async def append(self, session_token: str | None, batch: bytes, late: bool = False) -> None:
        await self._call("POST", "/v1/ios/late" if late else "/v1/ios/append", session_token, content=batch)

    async def upload(self, session_token: str | None, files: Sequence[File], project: str = "") -> None:
        parts = [("batch", (name, content, "application/gzip")) for name, content in files]
        fields = {"projectKey": project} if project else {}
        await self._call("POST", "/v1/ios/images", session_token, data=fields, files=parts)

    async def conditions(self, project: str) -> Json:
        return await self._call("GET", f"/v1/mobile/conditions/{project}")

    async def sessions(self, token: str | None, **filters: Any) -> Json:
        return await self._call("GET", "/api/sessions", token, params=filters)

    async def session_totals(self, token: str | None, **filters: Any) -> Json:
        return await self._call("GET", "/api/sessions/totals", token, params=filters)

    async def session(self, token: str | None, id: str) -> Json:
        return await self._call("GET", f"/api/sessions/{id}", token)

    async def session_messages(self, token: str | None, id: str, **filters: Any) -> Json:
        return await self._call("GET", f"/api/sessions/{id}/messages", token, params=filters)

    async def session_images(self, token: str | None, id: str, **filters: Any) -> Json:
        return await self._call("GET", f"/api/sessions/{id}/images", token, params=filters)

    async def session_batches(self, token: str | None, id: str, **filters: Any) -> Json:
        return await self._call("GET", f"/api/sessions/{id}/batches", token, params=filters)

    async def session_image(self, token: str | None, id: str, name: str) -> File:
        return await self._file(f"/api/sessions/{id}/images/{quote(name, safe='')}", token)

    async def session_screenshot(self, token: str | None, id: str, at: int | None = None) -> File:
        return await self._file(f"/api/sessions/{id}/screenshot", token, params={} if at is None else {"at": at})

    async def session_batch(self, token: str | None, id: str, name: str) -> File:
        return await self._file(f"/api/sessions/{id}/batches/{quote(name, safe='')}", token)

    async def ledger(self, token: str | None, **filters: Any) -> Json:
        return await self._call("GET", "/api/ledger", token, params=filters)

    async def _call(
        self, method: str, path: str, token: str | None = None, headers: dict[str, str] | None = None, **options: Any
    ) -> Json:
        answer = await self._answer(method, path, token, headers, **options)
        return answer.json() if answer.content else {}

    async def _file(self, path: str, token: str | None, **options: Any) -> File:
        answer = await self._answer("GET", path, token, **options)
        return answer.headers["content-type"], answer.content

    async def _answer(
        self, method: str, path: str, token: str | None, headers: dict[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        answer = await self.http.request(method, path, headers={**bearer(token), **(headers or {})}, **options)
        if answer.is_success:
            return answer
        problem = answer.json()
        fields = tuple(v["field"] for v in problem.get("violations", ()))
        raise Refused(_kind(answer.status_code, problem["code"]), problem["code"], problem["message"], fields)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()


def _of_app(id: str, *parts: str) -> str:
    return "/".join(("/api/apps", quote(id, safe=""), *(quote(part, safe="") for part in parts)))


def _of_issue(id: str, *parts: str) -> str:
    return "/".join(("/api/issues", quote(id, safe=""), *parts))


def _kind(status: int, reason: str) -> str:
    """The gRPC code; 409 stands for two of them."""
    if status == 409:
        return "ALREADY_EXISTS" if reason.endswith("_REGISTERED") else "FAILED_PRECONDITION"
    return KINDS[status]
