"""Issues that are merged into others, with the numbers of each fingerprint kept apart. Forward only: restore a backup."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None

_OWN = ("event_count", "first_seen_ms", "last_seen_ms", "first_seen_release", "last_seen_release")


def upgrade() -> None:
    op.add_column("issues", sa.Column("merged_into_id", sa.BigInteger))
    for name in ("own_event_count", "own_first_seen_ms", "own_last_seen_ms"):
        op.add_column("issues", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    for name in ("own_first_seen_release", "own_last_seen_release"):
        op.add_column("issues", sa.Column(name, sa.String))
    op.execute("UPDATE issues SET " + ", ".join(f"own_{name} = {name}" for name in _OWN))  # noqa: S608 -- names from here
    op.add_column("issue_platforms", sa.Column("own_event_count", sa.BigInteger, nullable=False, server_default="0"))
    op.execute("UPDATE issue_platforms SET own_event_count = event_count")
    op.drop_index("ix_issues_last_seen", "issues")
    _index("ix_issues_last_seen", ["app_id", "archived", "last_seen_ms", "id"], "merged_into_id IS NULL")
    _index("ix_issues_merged", ["app_id", "merged_into_id"], "merged_into_id IS NOT NULL")


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "issues", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
