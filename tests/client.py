"""A dashboard and an SDK in one: what tests ask of the REST door."""

import random
from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

import httpx

Json = dict[str, Any]
PASSWORD = "correct-horse-9"


@dataclass(frozen=True)
class Account:
    """A registered user and their bearer token."""

    id: str
    email: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}


class Rest:
    """Calls one REST door. Every client comes from an address of its own, because registrations are counted per address."""

    def __init__(self, base: str) -> None:
        address = ".".join(str(random.randint(1, 254)) for _ in range(3))
        self.http = httpx.Client(
            base_url=base, timeout=30, headers={"x-forwarded-for": f"10.{address}"}, trust_env=False, verify=False
        )

    def register(self) -> Account:
        body = {"email": f"{uuid4().hex}@example.test", "password": PASSWORD}
        answer = self._ok(self.http.post("/api/auth/register", json=body))
        return Account(answer["user"]["id"], answer["user"]["email"], answer["token"])

    def create_app(self, account: Account, type: str = "web", name: str = "Shop") -> Json:
        answer = self._ok(self.http.post("/api/apps", json={"name": name, "type": type}, headers=account.headers))
        app: Json = answer["app"]
        return app

    def new_app_key(self) -> tuple[Account, str]:
        """A new user and the key of a new app of theirs."""
        account = self.register()
        return account, self.create_app(account)["appKey"]

    def ingest(self, app_key: str, events: list[Any]) -> httpx.Response:
        return self.http.post("/api/events/batch", json={"appKey": app_key, "events": events})

    def totals(self, account: Account, **filters: Any) -> Json:
        totals: Json = self.get(account, "/api/overview", **filters)["totals"]
        return totals

    def issues(self, account: Account, **filters: Any) -> list[Json]:
        issues: list[Json] = self.get(account, "/api/issues", **filters)["issues"]
        return issues

    def ledger(self, account: Account, **filters: Any) -> Json:
        """The sums over all entries of the ledger."""
        entries = self.get(account, "/api/ledger", **filters)["entries"]
        return {
            key: sum(entry[key] for entry in entries)
            for key in ("received", "stored", "duplicate", "rejected", "limited")
        }

    def get(self, account: Account, path: str, **query: Any) -> Json:
        return self._ok(self.http.get(path, params=query, headers=account.headers))

    @staticmethod
    def _ok(answer: httpx.Response) -> Json:
        assert answer.is_success, (
            f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}"
        )
        body: Json = answer.json()
        return body

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
