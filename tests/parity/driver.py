"""What every door can do, in one vocabulary: plain JSON-like values in and out, and `Refused` for every error."""

from collections.abc import Mapping
from typing import Any, Protocol

Json = dict[str, Any]


class Refused(Exception):
    """The door said no: the kind of error by its gRPC name, and the machine-readable reason."""

    def __init__(self, kind: str, reason: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{kind} {reason}: {message}")
        self.kind = kind
        self.reason = reason
        self.message = message
        self.fields = fields


class Driver(Protocol):
    """One door. Keys are the REST names, times are epoch milliseconds. `token` is a bearer token or none."""

    most_events: int

    async def register(self, email: str, password: str) -> Json: ...
    async def login(self, email: str, password: str) -> Json: ...
    async def logout(self, token: str | None) -> None: ...
    async def me(self, token: str | None) -> Json: ...
    async def create_app(self, token: str | None, name: str, type: str | None = None) -> Json: ...
    async def list_apps(self, token: str | None) -> Json: ...
    async def ingest(self, app_key: str, events: list[Json]) -> Json: ...
    async def overview(self, token: str | None, **filters: Any) -> Json: ...
    async def issues(self, token: str | None, **filters: Any) -> Json: ...
    async def issue(self, token: str | None, id: str, **filters: Any) -> Json: ...
    async def ledger(self, token: str | None, **filters: Any) -> Json: ...


def bearer(token: str | None) -> Mapping[str, str]:
    return {} if token is None else {"authorization": f"Bearer {token}"}
