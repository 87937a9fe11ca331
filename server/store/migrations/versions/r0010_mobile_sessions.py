"""Recorded mobile sessions: their batches, signals and screenshots, and the books of the blob store."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0007"
branch_labels = None
depends_on = None

DUE = sa.text("events_due")
UNUSED = sa.text("refs = 0")
NAMED = sa.text("name <> ''")


def upgrade() -> None:
    _create_sessions()
    _create_batches()
    _create_signals()
    _create_images()


def _app_id() -> sa.Column[int]:
    return sa.Column("app_id", sa.BigInteger, primary_key=True, autoincrement=False)


def _session_id() -> sa.Column[int]:
    return sa.Column("session_id", sa.BigInteger, primary_key=True, autoincrement=False)


def _numbers(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=nullable) for name in names]


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String, nullable=False) for name in names]


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        _app_id(),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        *_numbers("start_ms", "last_ms", "received_ms"),
        sa.Column("listed", sa.Boolean, nullable=False),
        *_texts("platform", "device", "device_type", "os_version", "tracker_version", "release", "user_uuid"),
        *_texts("user_id", "anonymous_id", "metadata_json", "types_json"),
        *_numbers("user_id_ms", "anonymous_id_ms", "batches", "damaged_batches", "messages"),
        *_numbers("crashes", "failed_requests", "rage_taps", "freezes", "images"),
        sa.Column("start", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_sessions_start", "sessions", ["app_id", "start_ms", "id"])
    op.create_index("ix_sessions_installation", "sessions", ["app_id", "user_uuid", "start_ms"])
    op.create_index("ix_sessions_user", "sessions", ["app_id", "user_id", "start_ms"])


def _create_batches() -> None:
    op.create_table(
        "session_batches",
        _app_id(),
        _session_id(),
        sa.Column("content", sa.String, primary_key=True),
        *_numbers("seq", "received_ms", "messages", "size_bytes"),
        *_numbers("first_ms", "last_ms", "first_beat_ms", "last_beat_ms", nullable=True),
        *_texts("layout", "status", "fault"),
        sa.Column("events_due", sa.Boolean, nullable=False),
        sa.Column("in_background", sa.Boolean),
        sa.Column("touched", sa.String),
        sa.Column("beats", sa.LargeBinary, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_session_batches_time", "session_batches", ["app_id", "session_id", "first_ms"])
    op.create_index("ix_session_batches_beats", "session_batches", ["app_id", "session_id", "last_beat_ms"])
    op.create_index(
        "ix_session_batches_due", "session_batches", ["received_ms"], sqlite_where=DUE, postgresql_where=DUE
    )


def _create_signals() -> None:
    op.create_table(
        "session_signals",
        _app_id(),
        _session_id(),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        *_numbers("start_ms", "end_ms", "count"),
        *_texts("label"),
        sa.Column("event_key", sa.String),
    )


def _create_images() -> None:
    op.create_table(
        "session_images",
        _app_id(),
        _session_id(),
        sa.Column("time_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String, primary_key=True),
    )
    op.create_table(
        "blobs",
        _app_id(),
        sa.Column("hash", sa.String, primary_key=True),
        *_texts("mime", "name"),
        *_numbers("size_bytes", "refs", "touched_ms"),
        sa.Column("stored", sa.Boolean, nullable=False),
        sa.Column("doomed_ms", sa.BigInteger),
    )
    op.create_index("ix_blobs_unused", "blobs", ["touched_ms"], sqlite_where=UNUSED, postgresql_where=UNUSED)
    op.create_index("ix_blobs_named", "blobs", ["app_id", "refs"], sqlite_where=NAMED, postgresql_where=NAMED)
