"""Gate: batches of an app that is over its rate are turned away before events are made of them.

What a storm sends beyond an app's rate costs everybody the time of the event loop. Most of that time goes into making messages
of JSON, so the gate stands before it. It refuses nothing that the line would take, and counts what it refuses as the line does.
"""

import re

import orjson

from server.errors import RateLimited
from server.ingest.admission import Admission
from server.ingest.line import MAX_EVENTS, IngestLine
from server.ingest.resolve import AppResolver

# SDKs write the key first. Who does not is judged by the line.
_APP_KEY = re.compile(rb'\s{0,99}\{\s{0,99}"appKey"\s{0,99}:\s{0,99}"([0-9A-Za-z_.:-]{1,128})"')


class IngestGate:
    """Stands before the ingest line where batches arrive as JSON."""

    def __init__(self, resolver: AppResolver, admission: Admission, line: IngestLine) -> None:
        self._resolver = resolver
        self._admission = admission
        self._line = line

    def refusal(self, body: bytes) -> RateLimited | None:
        """What the line would say to the batch in `body`, where it can be told without making events of it."""
        match = _APP_KEY.match(body)
        app = self._resolver.known(match[1].decode()) if match else None
        if match is None or app is None or app.settings.allowed_origins:  # whose page sends is for the line to check
            return None
        rate_per_s = app.settings.rate_limit_events_per_s
        # About as many events as there are, so that what will be let in is not parsed twice.
        if not self._admission.wait_s(app.id, body.count(b'"eventId"'), rate_per_s):
            return None
        events = _events(body, match[1].decode())
        wait_s = self._admission.wait_s(app.id, events, rate_per_s)
        if not events or not wait_s:
            return None
        refusal = RateLimited(wait_s)
        self._line.note_limited(app.id, events, refusal)
        return refusal


def _events(body: bytes, app_key: str) -> int:
    """How many events the batch holds; 0 where it is none of this app that the line would look at."""
    try:
        batch = orjson.loads(body)
    except orjson.JSONDecodeError:
        return 0
    events = batch.get("events")
    if batch.get("appKey") != app_key or not isinstance(events, list) or len(events) > MAX_EVENTS:
        return 0
    return len(events)
