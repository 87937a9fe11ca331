"""Brings a database to the schema of this program, and tells whether it is there."""

from enum import Enum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from server.store.engine import Engine


class SchemaState(Enum):
    """How a database's schema relates to this program's."""

    EMPTY = "empty"
    OLD = "old"
    CURRENT = "current"
    NEWER = "newer"


def schema_state(engine: Engine) -> SchemaState:
    """Compare the revision in the database with ours. Raises the engine's errors when it cannot be reached."""
    with engine.sync_engine().connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory.from_config(_config())
    if revision is None:
        return SchemaState.EMPTY
    if revision == script.get_current_head():
        return SchemaState.CURRENT
    return SchemaState.OLD if knows(revision) else SchemaState.NEWER


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run what is missing up to `revision`, in one transaction."""
    with engine.sync_engine().begin() as connection:
        upgrade_on(connection, revision)


def upgrade_on(connection: Connection, revision: str = "head") -> None:
    """Like `upgrade`, in the transaction of the caller."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def knows(revision: str) -> bool:
    """Whether this program can bring a database from `revision` to its own."""
    return revision in {known.revision for known in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
