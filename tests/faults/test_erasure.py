"""A deleted app's data goes in the background, also when the program dies in the middle of it."""

import time

import pytest

from tests.client import Rest
from tests.conftest import StartCollector
from tests.sample import performance_event
from tests.store_access import backdate_deletion, stored_event_ids

BATCHES = 60
PATIENCE_S = 60


@pytest.mark.slow
def test_erasure_goes_on_after_a_kill(engine: str, start_collector: StartCollector) -> None:
    collector = start_collector(engine)
    with Rest(collector.rest) as rest:
        owner = rest.register()
        app, kept = rest.create_app(owner), rest.create_app(owner)["appKey"]
        for _ in range(BATCHES):
            rest.ingest(app["appKey"], [performance_event() for _ in range(50)])
        rest.ingest(kept, [performance_event()])
        assert rest.http.delete(f"/api/apps/{app['id']}", headers=owner.headers).status_code == 204
        assert rest.ingest(app["appKey"], [performance_event()]).status_code == 404
    url = collector.database_url
    assert len(stored_event_ids(url, app["appKey"])) == 50 * BATCHES
    collector.kill()
    backdate_deletion(url, app["appKey"], hours=1)
    collector.restart()
    _wait_below(url, app["appKey"], 50 * BATCHES)
    collector.kill()
    collector.restart()
    _wait_below(url, app["appKey"], 1)
    assert len(stored_event_ids(url, kept)) == 1
    assert collector.stop() == 0


def _wait_below(database_url: str, app_key: str, events: int) -> None:
    """Until the app has fewer events than that."""
    deadline = time.monotonic() + PATIENCE_S
    while len(stored_event_ids(database_url, app_key)) >= events:
        assert time.monotonic() < deadline, "nothing was erased"
        time.sleep(0.2)
