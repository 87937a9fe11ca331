"""Users, apps, events, issues and their counters. Forward only: to go back, restore a backup."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BYTE_ORDERED = sa.String().with_variant(sa.String(collation="C"), "postgresql")
WITH_ISSUE = sa.text("issue_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("public_id", sa.String, nullable=False, unique=True),
        sa.Column("email", sa.String, nullable=False, unique=True),
        sa.Column("password_hash", sa.String, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "apps",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("public_id", sa.String, nullable=False, unique=True),
        sa.Column("owner_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("app_key", sa.String, nullable=False, unique=True),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
    )
    _create_events()
    _create_issues()
    _create_counters()


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("app_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("event_key", sa.String, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("issue_id", sa.BigInteger),
        sa.Column("time_ms", sa.BigInteger, nullable=False),
        sa.Column("received_ms", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("user_key", sa.BigInteger),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_index(
        "ix_events_issue",
        "events",
        ["app_id", "issue_id", "time_ms", "id"],
        sqlite_where=WITH_ISSUE,
        postgresql_where=WITH_ISSUE,
    )
    op.create_index("ix_events_time", "events", ["app_id", "time_ms", "kind", "platform", "user_key"])


def _create_issues() -> None:
    op.create_table(
        "issues",
        sa.Column("app_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("fingerprint", sa.String, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("grouping_version", sa.String, nullable=False),
        sa.Column("message", sa.String, nullable=False),
        sa.Column("error_type", sa.String, nullable=False),
        sa.Column("event_count", sa.BigInteger, nullable=False),
        sa.Column("first_seen_ms", sa.BigInteger, nullable=False),
        sa.Column("last_seen_ms", sa.BigInteger, nullable=False),
        sa.Column("first_seen_release", sa.String),
        sa.Column("last_seen_release", sa.String),
        sa.Column("fixed_in_release", sa.String),
        sa.Column("verified_in_release", sa.String),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("archived_ms", sa.BigInteger),
        sa.UniqueConstraint("app_id", "id"),
    )
    op.create_index("ix_issues_last_seen", "issues", ["app_id", "archived", "last_seen_ms", "id"])
    op.create_table(
        "issue_platforms",
        sa.Column("app_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("issue_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("platform", sa.String, primary_key=True),
        sa.Column("event_count", sa.BigInteger, nullable=False),
    )


def _create_counters() -> None:
    op.create_table(
        "distinct_users",
        sa.Column("app_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("scope", BYTE_ORDERED, primary_key=True),
        sa.Column("user_key", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    counted = ("events", "errors", "failed_requests")
    op.create_table(
        "totals",
        sa.Column("app_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("platform", sa.String, primary_key=True),
        sa.Column("shard", sa.SmallInteger, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in (*counted, "affected_users", "issues", "archived_issues")
        ),
    )
    op.create_table(
        "hour_totals",
        sa.Column("app_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("platform", sa.String, primary_key=True),
        sa.Column("shard", sa.SmallInteger, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in counted),
    )
    op.create_table(
        "ledger",
        sa.Column("app_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("minute", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("outcome", sa.String, primary_key=True),
        sa.Column("reason", sa.String, primary_key=True),
        sa.Column("shard", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("events", sa.BigInteger, nullable=False),
    )
