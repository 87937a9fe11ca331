"""The REST door, for one process and for a separate facade alike."""

import random
from typing import Any, Self
from urllib.parse import quote

import httpx

from tests.parity.driver import Json, Refused, bearer

# The table of the design, backwards.
KINDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


class RestDriver:
    """Speaks HTTP and JSON."""

    most_events = 50

    def __init__(self, base: str) -> None:
        address = f"10.{random.randint(0, 255)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        self.http = httpx.AsyncClient(base_url=base, headers={"x-forwarded-for": address}, timeout=30, trust_env=False)

    async def register(self, email: str, password: str) -> Json:
        return await self._call("POST", "/api/auth/register", json={"email": email, "password": password})

    async def login(self, email: str, password: str) -> Json:
        return await self._call("POST", "/api/auth/login", json={"email": email, "password": password})

    async def logout(self, token: str | None) -> None:
        await self._call("POST", "/api/auth/logout", token)

    async def me(self, token: str | None) -> Json:
        return await self._call("GET", "/api/auth/me", token)

    async def create_app(self, token: str | None, name: str, type: str | None = None) -> Json:
        body = {"name": name} | ({} if type is None else {"type": type})
        return await self._call("POST", "/api/apps", token, json=body)

    async def list_apps(self, token: str | None) -> Json:
        return await self._call("GET", "/api/apps", token)

    async def ingest(self, app_key: str, events: list[Json]) -> Json:
        answer = await self._call("POST", "/api/events/batch", json={"appKey": app_key, "events": events})
        return {"rejected": []} | answer

    async def overview(self, token: str | None, **filters: Any) -> Json:
        return await self._call("GET", "/api/overview", token, params=filters)

    async def issues(self, token: str | None, **filters: Any) -> Json:
        return await self._call("GET", "/api/issues", token, params=filters)

    async def issue(self, token: str | None, id: str, **filters: Any) -> Json:
        return await self._call("GET", f"/api/issues/{quote(id, safe='')}", token, params=filters)

    async def ledger(self, token: str | None, **filters: Any) -> Json:
        return await self._call("GET", "/api/ledger", token, params=filters)

    async def _call(self, method: str, path: str, token: str | None = None, **options: Any) -> Json:
        answer = await self.http.request(method, path, headers=bearer(token), **options)
        if answer.is_success:
            return answer.json() if answer.content else {}
        problem = answer.json()
        fields = tuple(v["field"] for v in problem.get("violations", ()))
        raise Refused(KINDS[answer.status_code], problem["code"], problem["message"], fields)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
