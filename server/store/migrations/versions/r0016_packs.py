"""Events that share their payloads, and rows of events without what stands elsewhere. Forward only: to go back, restore a backup.

Payloads that are there stay what they are. Columns stand in a new order, keys become bytes, and a platform is looked up by its
dimension, so the table is written anew: that takes as much room again while it lasts, and some minutes for ten million events.
"""

import base64
import sqlite3

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BIG = sa.BigInteger
KEPT = "app_id, id, issue_id, time_ms, received_ms, user_key, dimension_id, kind, payload"
POSTGRES_KEY = "decode(translate(event_key, '-_', '+/'), 'base64')"


def upgrade() -> None:
    op.create_table(
        "payload_packs",
        sa.Column("app_id", BIG, primary_key=True, autoincrement=False),
        sa.Column("id", BIG, primary_key=True, autoincrement=False),
        sa.Column("part", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    key = POSTGRES_KEY
    connection = op.get_bind().connection.driver_connection
    if isinstance(connection, sqlite3.Connection):
        key = "bytes_of_key(event_key)"
        connection.create_function("bytes_of_key", 1, base64.urlsafe_b64decode, deterministic=True)
    _write_events_anew(key)
    _write_signals_anew(key)


def _write_events_anew(key: str) -> None:
    op.create_table(
        "events_with_packs",
        sa.Column("app_id", BIG, primary_key=True, autoincrement=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("issue_id", BIG),
        sa.Column("time_ms", BIG, nullable=False),
        sa.Column("received_ms", BIG, nullable=False),
        sa.Column("user_key", BIG),
        sa.Column("dimension_id", sa.Integer, nullable=False),
        sa.Column("pack_offset", sa.Integer),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("event_key", sa.LargeBinary, primary_key=True),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.execute(f"INSERT INTO events_with_packs ({KEPT}, event_key) SELECT {KEPT}, {key} FROM events")  # noqa: S608 -- our own names
    op.drop_table("events")
    op.rename_table("events_with_packs", "events")
    issue = sa.text("issue_id IS NOT NULL")
    op.create_index(
        "ix_events_issue",
        "events",
        ["app_id", "issue_id", "time_ms", "id"],
        sqlite_where=issue,
        postgresql_where=issue,
    )
    op.create_index("ix_events_time", "events", ["app_id", "time_ms", "kind", "dimension_id", "user_key"])
    op.create_index("ix_events_arrival", "events", ["id"])
    if op.get_bind().dialect.name == "postgresql":
        for table in ("events", "payload_packs"):
            early = "autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_scale_factor = 0.02"
            op.execute(f"ALTER TABLE {table} SET ({early})")


def _write_signals_anew(key: str) -> None:
    op.add_column("session_signals", sa.Column("key_of_event", sa.LargeBinary))
    op.execute(f"UPDATE session_signals SET key_of_event = {key} WHERE event_key IS NOT NULL")  # noqa: S608 -- our own names
    op.execute("ALTER TABLE session_signals DROP COLUMN event_key")
    op.execute("ALTER TABLE session_signals RENAME COLUMN key_of_event TO event_key")
