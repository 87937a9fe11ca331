"""What every later log line of the current request tells besides its own: one mapping, replaced whenever something joins it.

structlog keeps a context variable for each field and looks through all there are for each line: three times the time.
"""

from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

_bound: ContextVar[Mapping[str, Any]] = ContextVar("log_fields", default=MappingProxyType({}))


def begin(**fields: object) -> None:
    """Forget what earlier work in this context bound, and bind these fields."""
    _bound.set(fields)


def bind(**fields: object) -> None:
    """Add fields, in the current task and those it will start."""
    _bound.set({**_bound.get(), **fields})


def bound() -> Mapping[str, Any]:
    """What is bound, for reading only."""
    return _bound.get()


def merge(_logger: object, _level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor that adds what is bound to a line, which may say otherwise."""
    for name, value in _bound.get().items():
        event.setdefault(name, value)
    return event
