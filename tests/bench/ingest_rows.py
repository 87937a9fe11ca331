"""The budget rows of ingest: batches of one size over one door, as fast as they go, and what less than that costs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.bench import grpc_load, measure, wrk
from tests.bench.grpc_load import Fleet
from tests.bench.result import Load, Row
from tests.bench.site import Site
from tests.bench.workload import Workload, lua_body, request_bytes
from tests.bench.wrk import Pace


@dataclass(frozen=True)
class RestRow:
    """Batches of `events` from so many connections, made from `templates` different ones."""

    events: int
    connections: int
    templates: int

    @property
    def name(self) -> str:
        """As in the table and the budgets."""
        return f"REST {self.events}"

    def run(self, site: Site, app_key: str, seconds: float) -> Row:
        """Measure it."""
        return measure.ingest(site, self.name, self._load(site, app_key, Pace(self.connections), seconds))

    def run_offered(self, site: Site, app_key: str, per_s: float, seconds: float) -> Row:
        """Measure it where clients send so many requests a second, whether or not others were answered."""
        name = f"{self.name}, {per_s:,.0f}/s offered"
        row = measure.ingest(site, name, self._load(site, app_key, Pace(OFFERING, per_s), seconds))
        row.extra[OFFERED] = per_s
        return row

    def run_shed(self, site: Site, seconds: float) -> Row:
        """Measure what it costs to refuse them: the app may send next to nothing."""
        app_key = site.new_app(rateLimitEventsPerS=0.1)
        name = f"{self.name}{SHED}"
        return measure.shed(site, name, self.events, self._load(site, app_key, Pace(self.connections), seconds))

    def _load(self, site: Site, app_key: str, pace: Pace, seconds: float) -> Callable[[], Load]:
        workload = Workload(seed=self.events)
        bodies = [lua_body(workload.batch(app_key, self.events)) for _ in range(self.templates)]
        return lambda: wrk.ingest(site.collector.rest, bodies, pace, seconds).finish()


@dataclass(frozen=True)
class GrpcRow:
    """Batches of `events` from a fleet of clients, made from `templates` different ones."""

    events: int
    fleet: Fleet
    templates: int

    @property
    def name(self) -> str:
        """As in the table and the budgets."""
        return f"gRPC {self.events}"

    def run(self, site: Site, app_key: str, seconds: float = grpc_load.FOR_EVER, count: int = 0) -> Row:
        """Measure it for some seconds or for `count` requests."""
        workload = Workload(seed=self.events)
        requests = [request_bytes(workload.batch(app_key, self.events)) for _ in range(self.templates)]
        clients = grpc_load.Clients(site.collector.grpc, requests, self.fleet, seconds=seconds, count=count)
        return measure.ingest(site, self.name, clients.run)


OFFERING = 256
"""Connections over which load is offered: it waits for nobody until as many requests are under way."""

WARM_UP_S = 1
OFFERED_PART = 0.6
"""Of the length of other rows: there are several."""

OFFERED_SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
OFFERED = "offered_per_s"
SHED = ", refused"
WORKERS = " workers"

REST_1 = RestRow(1, 16, 2_000)
REST_10 = RestRow(10, 32, 400)
REST_50 = RestRow(50, 32, 100)
GRPC_50 = GrpcRow(50, Fleet(2, 8), 100)
GRPC_1000 = GrpcRow(1_000, Fleet(2, 2), 5)

ALL = (REST_1, REST_10, REST_50, GRPC_50, GRPC_1000)
QUICK = (REST_1, REST_50, GRPC_50)
SEVERAL_WORKERS = (REST_10, REST_50, GRPC_50)
REFUSED = (REST_10, REST_50)


def warm_up(site: Site) -> None:
    """Let every door have its first requests, connections and pages behind it."""
    app_key = site.new_app()
    for row in (REST_10, GRPC_50):
        row.run(site, app_key, WARM_UP_S)


def offered(site: Site, app_key: str, most_per_s: float, seconds: float) -> Iterator[Row]:
    """Single events at shares of the rate at which they go as fast as they can."""
    for share in OFFERED_SHARES:
        yield REST_1.run_offered(site, app_key, share * most_per_s, OFFERED_PART * seconds)
