"""Spans of the real program, as an OpenTelemetry receiver gets them."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.client import Rest
from tests.conftest import StartCollector
from tests.sample import error_event

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Receiver(ThreadingHTTPServer):
    """Takes what comes to /v1/traces."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Span] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.server.spans.extend(scope.spans)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_each_call_is_a_span_below_the_clients(
    receiver: Receiver, start_collector: StartCollector, connect: Callable[[str], Rest]
) -> None:
    collector = start_collector("sqlite", env={"HEALTHGUARD_TRACES_URL": receiver.url})
    rest = connect(collector.rest)
    _, app_key = rest.new_app_key()
    rest.http.headers["traceparent"] = f"00-{TRACE}-{PARENT}-01"
    assert rest.ingest(app_key, [error_event()]).status_code == 202
    assert rest.http.get("/api/auth/me").status_code == 401
    assert collector.stop() == 0
    of_trace = {span.name: span for span in receiver.spans if span.trace_id.hex() == TRACE}
    ingest = of_trace["healthguard.v1.EventService/IngestEvents"]
    assert ingest.parent_span_id.hex() == PARENT
    attributes = {a.key: a.value for a in ingest.attributes}
    assert attributes["rpc.grpc.status_code"].int_value == 0
    assert attributes["healthguard.request_id"].string_value == TRACE
    refused = of_trace["healthguard.v1.AuthService/GetMe"]
    assert {a.key: a.value.int_value for a in refused.attributes}["rpc.grpc.status_code"] == 16
    assert refused.status.code == Status.STATUS_CODE_UNSET  # the caller's fault, not ours


def test_a_receiver_that_is_away_costs_nobody_an_answer(
    start_collector: StartCollector, connect: Callable[[str], Rest]
) -> None:
    collector = start_collector("sqlite", env={"HEALTHGUARD_TRACES_URL": "http://127.0.0.1:9/v1/traces"})
    rest = connect(collector.rest)
    _, app_key = rest.new_app_key()
    assert rest.ingest(app_key, [error_event()]).json() == {"accepted": 1}
    assert collector.stop() == 0
