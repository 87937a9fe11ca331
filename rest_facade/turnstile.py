"""Lets a request in or turns it away by the address it comes from, before anything is done for it."""

from typing import Protocol

import grpc
import grpc.aio
from starlette.types import ASGIApp, Receive, Scope, Send

from rest_facade.exchange import exchange_of


class AddressGate(Protocol):
    """Tells who has to wait."""

    def enter(self, address: str) -> grpc.Status | None:
        """Begin a request of this address; None where it was admitted, and then `leave` has to follow."""

    def leave(self, address: str) -> None:
        """End a request that was admitted."""


class Turnstile:
    """ASGI wrapper that asks the gate; raises AioRpcError with what the gate says of a request that has to wait."""

    def __init__(self, app: ASGIApp, gate: AddressGate) -> None:
        self._app, self._gate = app, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one HTTP request; anything else passes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = exchange_of(scope).client
        refusal = self._gate.enter(address)
        if refusal is not None:
            raise refused(refusal)
        try:
            await self._app(scope, receive, send)
        finally:
            self._gate.leave(address)


def refused(status: grpc.Status) -> grpc.aio.AioRpcError:
    """What an RPC would have failed with that had been refused by this status."""
    trailing = grpc.aio.Metadata(*status.trailing_metadata)
    return grpc.aio.AioRpcError(status.code, grpc.aio.Metadata(), trailing, status.details)
