"""What an interceptor of ours is: a guard around each call, unary and streaming alike.

Guards are plain objects with two plain functions, because nearly all of them wait for nothing: four around a call cost two
thirds of four asynchronous context managers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import grpc
import grpc.aio

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Guard:
    """Surrounds one call. Each of its two steps is done at once, or gives back what is left of it to wait for."""

    __slots__ = ()

    def enter(self) -> Awaitable[None] | None:
        """Before the call; where it raises, the call is not made."""
        return None

    def leave(self, error: BaseException | None) -> Awaitable[None] | None:  # noqa: ARG002 -- not every guard asks
        """After the call, knowing how it ended; may raise in its stead, never swallow."""
        return None


MakeGuard: TypeAlias = Callable[[Context], Guard]


class Interceptor:
    """Puts a guard around every call of every method that somebody serves; `Chain` asks it how."""

    def guard(self, method: str) -> MakeGuard | None:
        """How calls of `method` (`/package.Service/Name`) are guarded, None for not at all; asked once per method."""
        raise NotImplementedError

    def received(self, deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        """The deserializer to use for requests that arrive as bytes."""
        return deserialize


def told(context: Context) -> dict[str, str | bytes]:
    """The metadata of a call by key; of one that came several times the last value, which the nearest sender added."""
    return {key: value for key, value in context.invocation_metadata() or ()}  # noqa: C416 -- dict() takes twice as long


def metadata_value(context: Context, key: str) -> str:
    """One value of the metadata as `told` has it; empty when it is absent."""
    return text_of(told(context), key)


def text_of(metadata: Mapping[str, str | bytes], key: str) -> str:
    """The text of an entry; empty when it is absent."""
    value = metadata.get(key, "")
    return value if isinstance(value, str) else ""


def metadata_values(context: Context, key: str) -> list[str]:
    """Every value of a metadata key, in the order they were added."""
    metadata = context.invocation_metadata() or ()
    return [value for name, value in metadata if name == key and isinstance(value, str)]


def code_of(context: Context, error: BaseException | None) -> grpc.StatusCode:
    """The status a call ended with, seen from outside of everything that could still change it."""
    if error is not None and not isinstance(error, grpc.aio.AbortError):
        return grpc.StatusCode.UNKNOWN if isinstance(error, Exception) else grpc.StatusCode.CANCELLED
    code: Any = context.code()  # grpc.aio says 0, not OK, while nobody has set a code
    return code if isinstance(code, grpc.StatusCode) else _BY_NUMBER[code or 0]


_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}
