"""What the layers of the facade know about one HTTP request; travels in the ASGI scope."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

_KEY = "healthguard.exchange"

UNMATCHED = "unmatched"
"""Route of a request that no operation answers; keeps the labels of metrics few."""


SHORT_CUT = "healthguard.short_cut"
"""The ASGI extension under which a server offers one."""

RawHeaders = tuple[tuple[bytes, bytes], ...]


class ShortCut(Protocol):
    """What a server may offer beside ASGI's messages, which cost a sixteenth of a request with a single event."""

    def body(self) -> bytes | None:
        """The whole body of the request, once; None where it has not arrived yet, and then it is to be received."""

    def answer(self, status: int, headers: RawHeaders, body: bytes) -> bool:
        """Answer with all of it; False where it has to be sent, because the client reads slowly or has gone."""


@dataclass(slots=True)
class Exchange:
    """One request on its way through the layers; each notes what the next ones need."""

    request_id: str
    headers: Mapping[bytes, bytes]
    """The request's headers; of one that came twice the first value."""
    client: str
    authorization: str | None
    origin: str | None = None
    """Origin of the page that asks; None where no browser does."""
    traceparent: str | None = None
    """The span of the client, which ours go below."""
    route: str = UNMATCHED
    request_bytes: int = 0
    answer_headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Headers that the answer gets, whoever makes it."""
    code: str | None = None
    """Reason of the problem that was answered."""
    failure: Exception | None = None
    """The exception behind an answer that nobody foresaw; for the log."""
    status: int = 0
    """Status of the response; 0 until it has begun."""
    short_cut: ShortCut | None = None

    def answered(self, status: int, headers: RawHeaders, body: bytes) -> bool:
        """Answer by the short cut; False where there is none, or where it cannot be taken."""
        if self.short_cut is None or not self.short_cut.answer(status, (*headers, *self.answer_headers), body):
            return False
        self.status = status
        return True

    def header(self, name: bytes) -> str | None:
        """The value of a header, its name in lower case; None where the client sent none."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What the servicer is told about the request besides the message."""
        entries = [
            ("x-request-id", self.request_id),
            ("x-forwarded-for", self.client),
            ("x-healthguard-door", "rest"),
            ("x-request-bytes", str(self.request_bytes)),
        ]
        if self.authorization is not None:
            entries.append(("authorization", self.authorization))
        if self.origin is not None:
            entries.append(("x-origin", self.origin))
        if self.traceparent is not None:
            entries.append(("traceparent", self.traceparent))
        return tuple(entries)


def attach(scope: Scope, exchange: Exchange) -> None:
    """Puts the exchange into the scope, where every copy that a layer makes of it keeps it."""
    scope[_KEY] = exchange


def exchange_of(scope: Scope) -> Exchange:
    """The exchange of a request."""
    exchange: Exchange = scope[_KEY]
    return exchange


def operation_id(scope: Scope) -> str | None:
    """The operation that Connexion's routing found; None where none matches."""
    found: str | None = scope["extensions"]["connexion_routing"].get("operation_id")
    return found


class RouteNote:
    """ASGI middleware that notes the path of the operation which routing found, as the document writes it."""

    def __init__(self, app: ASGIApp, *, paths: Mapping[str, str]) -> None:
        self._app, self._paths = app, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Notes and passes on."""
        if scope["type"] == "http":
            exchange_of(scope).route = self._paths.get(operation_id(scope) or "", UNMATCHED)
        await self._app(scope, receive, send)
