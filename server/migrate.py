"""`healthguard migrate`: brings the database to the schema of this program, on purpose."""

from contextlib import ExitStack

from server import data_dir
from server.config import Settings
from server.errors import StartupFault
from server.store import integrity
from server.store.engine import Engine
from server.store.migrate import SchemaState, schema_state, upgrade


def migrate(settings: Settings) -> str:
    """Upgrade and say in one line what was done. Raises StartupFault when the database is newer than this program."""
    with ExitStack() as stack:
        if settings.sqlite_file is not None:
            data_dir.prepare(settings.data_dir)
            stack.enter_context(integrity.sole_user(settings.sqlite_file))
            integrity.refuse_damaged(settings.sqlite_file)
        return _upgraded(settings)


def _upgraded(settings: Settings) -> str:
    engine = Engine(settings.database)
    try:
        before = schema_state(engine)
        if before is SchemaState.NEWER:
            raise StartupFault("the database belongs to a newer HealthGuard Collector; upgrade this program")
        upgrade(engine)
        shown = engine.display_url()
    finally:
        engine.close()
    done = "was current already" if before is SchemaState.CURRENT else f"was {before.value} and is current now"
    return f"{shown}: the schema {done}"
