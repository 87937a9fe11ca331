"""Spans of RPCs for OpenTelemetry: in the chain only where HEALTHGUARD_TRACES_URL is set, so that they cost nothing elsewhere."""

from contextlib import AbstractContextManager
from typing import Any

import grpc
from opentelemetry import trace
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer

from server import context as caller, program
from server.interceptors.base import Context, Guard, Interceptor, MakeGuard, code_of, metadata_value
from server.interceptors.requirement import requirement_of

PARENT = "traceparent"
"""W3C Trace Context, of a gRPC caller or handed on by the facade. Tracestate is nobody's business here."""

_OUR_FAULTS = {
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}


class TracingInterceptor(Interceptor):
    """A span for each call, below that of the caller who named one. What it tells: method, status, request id."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("healthguard", program.version())

    def guard(self, method: str) -> MakeGuard:
        name = method.strip("/") if requirement_of(method) is not None else "unknown"
        return lambda context: _Traced(self._tracer, name, context)


class _Traced(Guard):
    __slots__ = ("_context", "_current", "_name", "_span", "_tracer")

    def __init__(self, tracer: Tracer, name: str, context: Context) -> None:
        self._tracer, self._name, self._context = tracer, name, context

    def enter(self) -> None:
        parent = extract({PARENT: metadata_value(self._context, PARENT)})
        attributes = {"rpc.system": "grpc", "rpc.method": self._name}
        self._span: Span = self._tracer.start_span(self._name, parent, SpanKind.SERVER, attributes)
        self._current: AbstractContextManager[Any] = trace.use_span(
            self._span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        )
        self._current.__enter__()

    def leave(self, error: BaseException | None) -> None:
        code = code_of(self._context, error)
        self._span.set_attribute("rpc.grpc.status_code", code.value[0])
        self._span.set_attribute("healthguard.request_id", caller.current().request_id)
        if code in _OUR_FAULTS:
            self._span.set_status(StatusCode.ERROR)
        self._current.__exit__(None, None, None)


def provider(exporter: SpanExporter) -> TracerProvider:
    """Sends spans in batches from a thread of its own; what the receiver does not take in time is dropped, never waited for."""
    made = TracerProvider(
        resource=Resource.create({"service.name": "healthguard", "service.version": program.version()})
    )
    made.add_span_processor(BatchSpanProcessor(exporter))
    return made
