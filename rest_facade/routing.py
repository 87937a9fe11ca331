"""A short cut past Connexion for paths without parameters, which is where events come in."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from rest_facade.exchange import exchange_of
from rest_facade.transcoder import Plan


class FixedPaths:
    """ASGI wrapper that serves operations whose path is known as a whole, and leaves all else to Connexion.

    Connexion's router tries the patterns of all routes before it in turn and copies what it found from scope to scope.
    """

    def __init__(self, app: ASGIApp, plans: Mapping[str, Plan]) -> None:
        self._app = app
        self._plans = {(plan.verb, plan.path): plan for plan in plans.values() if "{" not in plan.path}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request, or passes it on."""
        plan = self._plans.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if plan is None:
            await self._app(scope, receive, send)
            return
        exchange_of(scope).route = plan.path
        await plan.serve(scope, receive, send, {})
