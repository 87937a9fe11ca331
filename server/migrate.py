"""`healthguard migrate`: brings the database to the schema of this program, on purpose."""

from server import data_dir
from server.config import Settings
from server.errors import StartupFault
from server.store.engine import Engine
from server.store.migrate import SchemaState, schema_state, upgrade


def migrate(settings: Settings) -> str:
    """Upgrade and say in one line what was done. Raises StartupFault when the database is newer than this program."""
    if settings.uses_sqlite:
        data_dir.prepare(settings.data_dir)
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
