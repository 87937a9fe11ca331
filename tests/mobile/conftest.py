"""Apps with trackers in them, on the shared collector of each engine."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from server.store.engine import Engine
from tests.client import Account, Json, Rest
from tests.mobile.tracker import Tracker


@dataclass(frozen=True)
class Owner:
    """Who registered the app, and how they look at its sessions."""

    rest: Rest
    account: Account
    app: Json

    def tracker(self, prefix: str = "/v1/ios", platform: str = "ios", **fields: Any) -> Tracker:
        """An installation of the app, not started yet."""
        described = {"projectKey": self.app["appKey"], "trackerVersion": "1.0.14", "userDevice": "iPhone15,2"}
        return Tracker(self.rest.http, prefix, platform, described | fields)

    def get(self, path: str, **query: Any) -> Json:
        return self.rest.get(self.account, path, **query)

    def sessions(self, **filters: Any) -> list[Json]:
        found: list[Json] = self.get("/api/sessions", appKey=self.app["appKey"], **filters)["sessions"]
        return found

    def session(self, session_id: str) -> Json:
        return self.get(f"/api/sessions/{session_id}")

    def messages(self, session_id: str, page_size: int = 1000, **query: Any) -> list[Json]:
        """The whole timeline, page by page."""
        found: list[Json] = []
        token = ""
        while True:
            page = self.get(
                f"/api/sessions/{session_id}/messages",
                pageSize=page_size,
                **({"pageToken": token} if token else {}),
                **query,
            )
            found += page["messages"]
            token = page.get("nextPageToken", "")
            if not token:
                return found

    def issues(self) -> list[Json]:
        return self.rest.issues(self.account, appKey=self.app["appKey"])


def owner_on(rest: Rest, type: str = "ios") -> Owner:
    """A new user with a new app."""
    account = rest.register()
    return Owner(rest, account, rest.create_app(account, type=type))


@pytest.fixture
def owner(rest: Rest) -> Owner:
    return owner_on(rest)


@pytest.fixture
def android_owner(rest: Rest) -> Owner:
    return owner_on(rest, "android")


@pytest.fixture
def store(engine: str, migrated: Callable[[str], str]) -> Iterator[Engine]:
    """An empty database with the schema in it."""
    with closing(Engine(migrated(engine))) as opened:
        yield opened
