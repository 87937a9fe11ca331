"""Connexion's routing with a short cut for paths without parameters, which is where events come in."""

from collections.abc import Mapping

from connexion.middleware.routing import RoutingMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from rest_facade.contract import Operation


class Routing(RoutingMiddleware):  # type: ignore[misc]  # Connexion is not annotated
    """Finds operations that stand for an RPC by their path as a whole, and all else as Connexion does.

    Connexion's router tries the patterns of all routes before it in turn and copies what it found from scope to scope.
    """

    def __init__(self, app: ASGIApp, *, planned: Mapping[str, Operation]) -> None:
        super().__init__(app)
        self._fixed = {(item.verb.upper(), item.path): name for name, item in planned.items() if "{" not in item.path}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Notes the operation in the scope, as the layers after it expect it, and passes on."""
        name = self._fixed.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if name is None:
            await super().__call__(scope, receive, send)
            return
        found = {"connexion_routing": {"api_base_path": "", "operation_id": name}}
        scope = {**scope, "path_params": {}, "extensions": {**scope.get("extensions", {}), **found}}
        await self.app(scope, receive, send)
