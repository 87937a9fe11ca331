"""Builders for what the ingest line hands to the store."""

from collections import Counter
from itertools import count

from server.store.dimensions import Dimension
from server.store.events import ERROR, IssueSeed, NewEvent, Submission

NOW = 1_795_355_475_472
MINUTE = NOW // 60_000
_numbers = count()


def event(
    key: str | None = None,
    *,
    app: int = 1,
    issue: str | None = "js:a",
    kind: int = ERROR,
    at: int = NOW,
    platform: str = "web",
    environment: str = "",
    page: str = "",
    user: int | None = 1,
    release: str | None = "1.0.0",
    payload: bytes = b"payload",
) -> NewEvent:
    """One event; its key is new unless given."""
    return NewEvent(
        app_id=app,
        event_key=key or f"key-{next(_numbers)}",
        time_ms=at,
        received_ms=NOW,
        kind=kind,
        dimension=Dimension(platform, environment, release or "", "js" if kind == ERROR else "http"),
        release=release,
        page=page,
        browser="",
        user_key=user,
        issue=None if issue is None else IssueSeed(issue, "sdk", f"message of {issue}", "js"),
        payload=payload,
    )


def submission(*events: NewEvent, app: int = 1, rejected: int = 0) -> Submission:
    """One request."""
    return Submission(app, MINUTE, events, Counter({("rejected", "WRONG_TYPE"): rejected}) if rejected else Counter())
