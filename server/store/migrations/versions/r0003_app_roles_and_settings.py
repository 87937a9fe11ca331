"""Members with roles, settings, old keys and deletion of apps. Forward only: to go back, restore a backup."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OWNER = 3


def upgrade() -> None:
    op.create_table(
        "members",
        sa.Column("app_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), primary_key=True, index=True),
        sa.Column("role", sa.SmallInteger, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
    )
    op.execute(
        f"INSERT INTO members (app_id, user_id, role, created_ms) SELECT id, owner_id, {OWNER}, created_ms FROM apps"  # noqa: S608
    )
    op.create_table(
        "old_app_keys",
        sa.Column("app_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("app_key", sa.String, primary_key=True, unique=True),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
    )
    # SQLite cannot drop a column with a foreign key; Alembic copies the table there, in the same transaction.
    with op.batch_alter_table("apps") as apps:
        apps.drop_index("ix_apps_owner_id")
        apps.drop_column("owner_id")
        for column in (
            sa.Column("retention_days", sa.Integer),
            sa.Column("rate_limit_events_per_s", sa.Float),
            sa.Column("capture_rate", sa.Integer),
            sa.Column("report_failed_network_calls", sa.Boolean),
            sa.Column("allowed_origins", sa.String, nullable=False, server_default=""),
            sa.Column("deleted_ms", sa.BigInteger),
            sa.Column("erased_ms", sa.BigInteger),
        ):
            apps.add_column(column)
