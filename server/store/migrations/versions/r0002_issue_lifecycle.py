"""Who changed an issue and when, regressions, assignment and comments. Forward only: to go back, restore a backup."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("regressed_ms", sa.BigInteger),
        sa.Column("regressed_in_release", sa.String),
        sa.Column("status_changed_ms", sa.BigInteger),
        sa.Column("status_changed_by", sa.Integer),
        sa.Column("assignee_id", sa.Integer),
        sa.Column("muted_until_ms", sa.BigInteger),
    ):
        op.add_column("issues", column)
    op.create_table(
        "issue_comments",
        sa.Column("app_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("issue_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("author_id", sa.Integer),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
    )
