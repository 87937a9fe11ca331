"""Turns away calls of addresses that ask for too much. Calls of our own REST door never come here: it asks the same limits."""

from server import context as caller
from server.address_limits import AddressLimits
from server.interceptors.base import Guard, Interceptor, MakeGuard


class AddressInterceptor(Interceptor):
    """Asks the limits before a call is worked on; what refuses it is answered, counted and logged by those around.

    grpc.aio tells an address only once it hands a call over with its message, so both were received by then, and who
    opens connections alone is never seen here.
    """

    def __init__(self, limits: AddressLimits) -> None:
        self._limits = limits

    def guard(self, method: str) -> MakeGuard:  # noqa: ARG002 -- alike for all methods
        return lambda _context: _Place(self._limits)


class _Place(Guard):
    __slots__ = ("_address", "_limits")

    def __init__(self, limits: AddressLimits) -> None:
        self._limits = limits

    def enter(self) -> None:
        self._address = caller.current().address
        refusal = self._limits.enter(self._address)
        if refusal is not None:
            raise refusal

    def leave(self, error: BaseException | None) -> None:  # noqa: ARG002 -- the place is free however the call ended
        self._limits.leave(self._address)
