"""Builders for what the ingest line hands to the store."""

from collections import Counter
from itertools import count

from server.mobile.beats import Beats
from server.store.arrivals import ERROR
from server.store.batches import NewBatch
from server.store.dimensions import Dimension
from server.store.events import IssueSeed, NewEvent, Submission
from server.store.sessions import NewSession
from server.store.signals import NewSignal

NOW = 1_795_355_475_472
MINUTE = NOW // 60_000
_numbers = count()


def event(
    key: str | bytes | None = None,
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
    message: bytes = b"message",
    received: int = NOW,
) -> NewEvent:
    """One event; its key is new unless given."""
    return NewEvent(
        app_id=app,
        event_key=key if isinstance(key, bytes) else (key or f"key-{next(_numbers)}").encode(),
        time_ms=at,
        received_ms=received,
        kind=kind,
        dimension=Dimension(platform, environment, release or "", "js" if kind == ERROR else "http"),
        release=release,
        page=page,
        browser="",
        device="",
        user_key=user,
        issue=None if issue is None else IssueSeed(issue, "sdk", f"message of {issue}", "js"),
        message=message,
    )


def submission(*events: NewEvent, app: int = 1, rejected: int = 0) -> Submission:
    """One request."""
    return Submission(app, MINUTE, events, Counter({("rejected", "WRONG_TYPE"): rejected}) if rejected else Counter())


def new_session(app_id: int, session_id: int, received_ms: int) -> NewSession:
    """A recorded session that began when it was received."""
    return NewSession(
        app_id=app_id, id=session_id, start_ms=received_ms, received_ms=received_ms, listed=True, platform="ios",
        device="", device_type="", os_version="", tracker_version="", release="", user_uuid="", start=b"",
    )  # fmt: skip


def new_batch(app_id: int, session_id: int) -> NewBatch:
    """A batch with one signal in it."""
    return NewBatch(
        app_id=app_id, session_id=session_id, content="c", received_ms=NOW, payload=b"", size_bytes=1, layout="current",
        status="complete", fault="", damaged=False, messages=1, counts={}, first_ms=NOW, last_ms=NOW, alive_ms=NOW,
        user_id=None, anonymous_id=None, metadata={}, beats=Beats([], in_background=None, touched=None),
        events_due=False, signals=[NewSignal("crash", "k", NOW, NOW, "m")],
    )  # fmt: skip
