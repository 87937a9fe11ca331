"""Counts statements, through SQLAlchemy and past it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import sqlalchemy as sa

from server.store.bulk import Bulk
from server.store.engine import Engine


@contextmanager
def counted_statements(store: Engine) -> Iterator[list[str]]:
    """What the store was told meanwhile; of a Bulk only what it had rows for."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    def noting(method: Any) -> Any:
        def noted(self: Bulk, *args: Any) -> Any:
            if args[-1]:
                statements.append(repr(args[:-1]))
            return method(self, *args)

        return noted

    sa.event.listen(store.sync_engine(), "before_cursor_execute", note)
    with ExitStack() as stack:
        stack.callback(sa.event.remove, store.sync_engine(), "before_cursor_execute", note)
        for kind in Bulk.__subclasses__():
            for name in ("insert", "ask", "load", "run"):
                stack.enter_context(mock.patch.object(kind, name, noting(getattr(kind, name))))
        yield statements
