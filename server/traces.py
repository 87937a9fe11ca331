"""Where spans go: an OTLP receiver over HTTP, if the settings name one; the packages for it are an extra."""

from collections.abc import Iterator
from contextlib import contextmanager

from server.errors import StartupFault
from server.interceptors.base import Interceptor


@contextmanager
def tracing(url: str) -> Iterator[tuple[Interceptor, ...]]:
    """The interceptor that makes spans of calls, none without a URL; what is left is sent when the block ends.

    Raises StartupFault where the packages are not installed.
    """
    if not url:
        yield ()
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 -- an extra

        from server.interceptors.tracing import TracingInterceptor, provider  # noqa: PLC0415 -- needs the same extra
    except ImportError as error:
        raise StartupFault("HEALTHGUARD_TRACES_URL: install healthguard-collector[traces] to send spans") from error
    spans = provider(OTLPSpanExporter(endpoint=url, timeout=5))
    try:
        yield (TracingInterceptor(spans),)
    finally:
        spans.shutdown()
