"""The store, opened for one piece of work by a command that runs beside the server or without it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server import program
from server.config import Settings
from server.errors import StartupFault
from server.store.engine import Engine
from server.store.migrate import SchemaState, schema_state


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Engine]:
    """The engine on a database with this program's schema. Raises StartupFault where it has another or is not there."""
    if settings.sqlite_file is not None and not settings.sqlite_file.exists():
        raise StartupFault(f"there is no database at {settings.sqlite_file}; --data-dir or --database-url name another")
    engine = Engine(settings.database)
    try:
        state = schema_state(engine)
        if state is not SchemaState.CURRENT:
            raise StartupFault(
                f"the database schema is {state.value}; run first: {program.command()} migrate (same settings)"
            )
        yield engine
    finally:
        engine.close()
