"""Sketches of what clients measured. Forward only: to go back, restore a backup."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "metric_spans",
        sa.Column("app_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("span_hours", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("first_hour", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("shard", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("sketch", sa.String, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("count", "good", "needs_improvement", "poor")),
    )
