"""PostgreSQL stops and comes back: clients are told to wait, and the collector recovers without a restart."""

import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests import postgres as pg
from tests.client import Rest
from tests.collector import Collector
from tests.conftest import unavailable
from tests.sample import error_event

RECOVERY_SECONDS = 20


@pytest.fixture
def own_server() -> Iterator[pg.PrivateServer]:
    """A PostgreSQL that no other test uses, to be stopped at will."""
    try:
        server = pg.PrivateServer()
    except pg.PostgresMissing as missing:
        unavailable(str(missing))
    yield server
    server.remove()


@pytest.mark.slow
def test_the_collector_survives_its_database(
    own_server: pg.PrivateServer, start_collector: Callable[..., Collector], connect: Callable[[str], Rest]
) -> None:
    collector = start_collector("postgresql", url=pg.Databases(own_server.url).create())
    rest = connect(collector.rest)
    account, app_key = rest.new_app_key()
    before, after = error_event(), error_event()
    assert rest.ingest(app_key, [before]).status_code == 202

    own_server.stop()
    _told_to_wait(rest.ingest(app_key, [after]))
    _told_to_wait(rest.http.get("/api/overview", headers=account.headers))
    assert rest.http.get("/ready").status_code == 503
    assert rest.http.get("/health").status_code == 200

    own_server.start()
    assert _eventually(lambda: rest.ingest(app_key, [after])).json() == {"accepted": 1}
    assert rest.ingest(app_key, [before]).json() == {"accepted": 1}
    assert rest.totals(account)["events"] == 2
    ledger = rest.ledger(account)
    assert ledger["received"] == ledger["stored"] + ledger["duplicate"] + ledger["rejected"] + ledger["limited"]
    assert (ledger["stored"], ledger["duplicate"]) == (2, 1)


def _told_to_wait(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "STORE_UNAVAILABLE")
    assert int(answer.headers["retry-after"]) >= 1


def _eventually(call: Callable[[], httpx.Response]) -> httpx.Response:
    """The first answer that is no 503."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    while (answer := call()).status_code == 503 and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer
