"""The ASGI application of the REST door, put together."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NoReturn

import grpc.aio
import orjson
from connexion import AsyncApp
from connexion.middleware.context import ContextMiddleware
from connexion.middleware.routing import RoutingMiddleware
from connexion.middleware.swagger_ui import SwaggerUIMiddleware
from connexion.options import SwaggerUIOptions
from connexion.resolver import Resolver
from starlette.types import ASGIApp

from rest_facade import raw
from rest_facade.contract import ContractError, Operation, load_document, operations
from rest_facade.cors import Cors
from rest_facade.edge import Edge, Problems
from rest_facade.exchange import RouteNote
from rest_facade.pages import Pages
from rest_facade.paths import RawPath
from rest_facade.routing import FixedPaths
from rest_facade.settings import FacadeSettings
from rest_facade.transcoder import Gate, Plan, Transcoder, make_plans
from rest_facade.turnstile import AddressGate, Turnstile
from rest_facade.uploads import Uploads

_DOCUMENT_ROUTE = "/openapi.json"


def create_app(
    settings: FacadeSettings,
    channel: grpc.aio.Channel,
    gates: Mapping[str, Gate] = MappingProxyType({}),
    addresses: AddressGate | None = None,
) -> ASGIApp:
    """The REST door in front of the services behind the channel, which may be a network's or an InProcessChannel.

    `gates` stand before operations, by their ids, where the services are near enough to be asked before a body is parsed;
    `addresses` stands before everything.
    Raises ContractError where the OpenAPI document and the descriptors do not fit together.
    """
    document = load_document()
    every = tuple(operations(document))
    planned = {operation.id: operation for operation in every if operation.rpc is not None}
    plans = make_plans(planned, channel, settings, gates)
    app: ASGIApp = _connexion(document, every, settings, channel, plans)
    app = FixedPaths(app, plans)
    app = RawPath(app, ((alias, operation.path) for operation in every for alias in operation.aliases))
    app = Pages(app)
    if addresses is not None:
        app = Turnstile(app, addresses)
    app = Problems(app, retry_after_s=settings.retry_after_s)
    open_paths = {path for operation in every if operation.any_origin for path in (operation.path, *operation.aliases)}
    app = Cors(app, origins=settings.cors_origins, open_paths=open_paths)
    return Edge(app, trusted_proxies=settings.trusted_proxies)


def _connexion(
    document: dict[str, Any],
    every: Collection[Operation],
    settings: FacadeSettings,
    channel: grpc.aio.Channel,
    plans: Mapping[str, Plan],
) -> AsyncApp:
    """Connexion with the middlewares that serve a purpose here.

    Routing comes first and Swagger UI after the transcoder, so that an RPC pays for no other router. Bodies, validation
    and exceptions are ours, with bounds and codes that Connexion's do not know; security is the server's business, and
    that responses fit the document is proven by tests.
    """
    app = AsyncApp(
        __name__,
        middlewares=[
            RoutingMiddleware,
            partial(RouteNote, paths={operation.id: operation.path for operation in every}),
            partial(Uploads, channel=channel, settings=settings),
            partial(Transcoder, plans=plans),
            SwaggerUIMiddleware,
            ContextMiddleware,
        ],
        swagger_ui_options=SwaggerUIOptions(serve_spec=False, spec_path=_DOCUMENT_ROUTE, swagger_ui_path="/docs"),
    )
    # Connexion would serve the document with all references expanded, 150 KB that take 160 ms to make each time.
    app.add_url_rule(_DOCUMENT_ROUTE, "document", raw.document(orjson.dumps(document)), methods=["GET"])
    app.add_api(document, resolver=_resolver(plans, raw.handlers(channel)))
    return app


def _resolver(planned: Collection[str], handlers: Mapping[str, raw.Handler]) -> Resolver:
    def function(operation_id: str) -> Callable[[], Awaitable[object]]:
        if operation_id in planned:
            return _transcoded
        if operation_id not in handlers:
            raise ContractError(f"{operation_id} has neither x-grpc-method nor a handler")
        return handlers[operation_id]

    return Resolver(function)


async def _transcoded() -> NoReturn:
    """Connexion wants a function for every operation; the transcoder has answered before it would be called."""
    raise AssertionError("the transcoder serves this operation")
