"""The budget row of recorded sessions: trackers append batches, compressed as they send them, as fast as they go."""

from collections.abc import Iterator

from tests.bench import measure, wrk
from tests.bench.recording import BATCH_BYTES, Recording
from tests.bench.result import Row
from tests.bench.site import Site
from tests.bench.wrk import Pace
from tests.sample import now_ms

NAME = "mobile append 64 KB"
PACE = Pace(16)
BATCHES = 40
"""Of each session, each with a content of its own."""

TOGETHER = 64
"""Sessions that send side by side; more than connections, so that a session's batches follow each other."""

MOST_PER_S = 1_500
"""Batches for which there are sessions, nearly 100 MB/s: should they run out, the row is shorter."""

BEGAN_MS_AGO = 3_600_000


def run(site: Site, seconds: float) -> Row:
    """Measure it."""
    start_ms = now_ms() - BEGAN_MS_AGO
    recording = Recording(start_ms)
    batches = [recording.batch().hex() for _ in range(BATCHES)]
    tokens = list(_tokens(site, start_ms, seconds))
    return measure.append(
        site,
        NAME,
        BATCH_BYTES,
        lambda: wrk.append(site.collector.rest, batches, tokens, PACE, TOGETHER, seconds).finish(),
    )


def _tokens(site: Site, start_ms: int, seconds: float) -> Iterator[str]:
    """Of as many new sessions as can be needed, in full rounds."""
    app_key = site.new_app("ios")
    rounds = -(-int(seconds * MOST_PER_S) // (TOGETHER * BATCHES))
    for _ in range(rounds * TOGETHER):
        started = {"projectKey": app_key, "trackerVersion": "1.0.22", "userDevice": "iPhone15,2", "timestamp": start_ms}
        answer = site.rest.http.post("/v1/ios/start", json=started)
        answer.raise_for_status()
        yield answer.json()["token"]
