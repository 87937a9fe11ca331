"""The budget rows of ingest: batches of one size over one door, as fast as they go."""

from dataclasses import dataclass

from tests.bench import grpc_load, measure, wrk
from tests.bench.grpc_load import Fleet
from tests.bench.result import Row
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
        workload = Workload(seed=self.events)
        bodies = [lua_body(workload.batch(app_key, self.events)) for _ in range(self.templates)]
        pace = Pace(self.connections)
        return measure.ingest(site, self.name, lambda: wrk.ingest(site.collector.rest, bodies, pace, seconds).finish())


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

    def run(self, site: Site, app_key: str, seconds: float) -> Row:
        """Measure it."""
        workload = Workload(seed=self.events)
        requests = [request_bytes(workload.batch(app_key, self.events)) for _ in range(self.templates)]
        clients = grpc_load.Clients(site.collector.grpc, requests, self.fleet, seconds=seconds)
        return measure.ingest(site, self.name, clients.run)


REST_1 = RestRow(1, 16, 2_000)
REST_10 = RestRow(10, 32, 400)
REST_50 = RestRow(50, 32, 100)
GRPC_50 = GrpcRow(50, Fleet(2, 8), 100)
GRPC_1000 = GrpcRow(1_000, Fleet(2, 2), 5)

ALL = (REST_1, REST_10, REST_50, GRPC_50, GRPC_1000)
QUICK = (REST_1, REST_50, GRPC_50)
