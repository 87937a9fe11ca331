"""Measurements of kinds: beside metrics the requests of clients. Forward only: to go back, restore a backup."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

COPIED = "app_id, span_hours, first_hour, name, shard, sketch, count, good, needs_improvement, poor"


def upgrade() -> None:
    op.create_table(
        "metric_spans_by_kind",
        sa.Column("app_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("span_hours", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("first_hour", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("shard", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("sketch", sa.String, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("count", "good", "needs_improvement", "poor")),
    )
    op.execute(f"INSERT INTO metric_spans_by_kind (kind, {COPIED}) SELECT 0, {COPIED} FROM metric_spans")  # noqa: S608 -- our own names
    op.drop_table("metric_spans")
    op.rename_table("metric_spans_by_kind", "metric_spans")
