"""Issues merged into others, with the numbers of each fingerprint kept apart. Forward only: to go back, restore a backup."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OWN = ("event_count", "first_seen_ms", "last_seen_ms", "first_seen_release", "last_seen_release")


def upgrade() -> None:
    op.add_column("issues", sa.Column("merged_into_id", sa.BigInteger))
    for name in _OWN[:3]:
        op.add_column("issues", sa.Column(f"own_{name}", sa.BigInteger, nullable=False, server_default="0"))
    for name in _OWN[3:]:
        op.add_column("issues", sa.Column(f"own_{name}", sa.String))
    op.execute("UPDATE issues SET " + ", ".join(f"own_{name} = {name}" for name in _OWN))  # noqa: S608 -- names from above
    op.add_column("issue_facets", sa.Column("own_event_count", sa.BigInteger, nullable=False, server_default="0"))
    op.execute("UPDATE issue_facets SET own_event_count = event_count")
    for column in ("last_seen_ms", "first_seen_ms", "event_count", "user_count"):
        name = f"ix_issues_{column.removesuffix('_ms')}"
        op.drop_index(name, "issues")
        op.create_index(name, "issues", ["app_id", "archived", column, "id", "merged_into_id"])
    merged = sa.text("merged_into_id IS NOT NULL")
    op.create_index(
        "ix_issues_merged", "issues", ["app_id", "merged_into_id", "id"], sqlite_where=merged, postgresql_where=merged
    )
