"""Runs revisions on the connection that `server.store.migrate` hands over."""

from alembic import context
from sqlmodel import SQLModel

import server.store.session_tables
import server.store.tables  # noqa: F401 -- fills SQLModel.metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
context.run_migrations()
