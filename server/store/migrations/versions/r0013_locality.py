"""Rows that are written together lie together: counters in the order of their keys, users of an issue's hours beside its users.

On SQLite a commit costs what it writes, page by page; a table beside its key's index is twice as many pages. Forward only:
to go back, restore a backup.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BIG, SMALL, INTEGER, TEXT = sa.BigInteger, sa.SmallInteger, sa.Integer, sa.String
Types = dict[str, type[sa.types.TypeEngine[int]] | type[sa.types.TypeEngine[str]]]
KEYS: dict[str, Types] = {
    "issue_facets": {"app_id": BIG, "issue_id": BIG, "property": TEXT, "value": TEXT},
    "issue_hours": {"app_id": BIG, "issue_id": BIG, "hour": BIG},
    "totals": {"app_id": BIG, "platform": TEXT, "shard": SMALL},
    "dimension_hours": {"app_id": BIG, "hour": BIG, "dimension_id": INTEGER, "shard": SMALL},
    "ledger": {"app_id": BIG, "minute": BIG, "outcome": TEXT, "reason": TEXT, "shard": SMALL},
}
COUNTS = {
    "issue_facets": ("event_count", "own_event_count"),
    "issue_hours": ("event_count",),
    "totals": ("events", "errors", "failed_requests", "affected_users", "issues", "archived_issues"),
    "dimension_hours": ("events", "errors", "failed_requests"),
    "ledger": ("events",),
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in KEYS:
            _order_by_key(table)
    # ':' and ';' follow each other, so these are all scopes that begin with "j:".
    op.execute("UPDATE distinct_users SET scope = 'i' || substr(scope, 2) WHERE scope >= 'j:' AND scope < 'j;'")


def _order_by_key(table: str) -> None:
    keys = [sa.Column(name, kind, primary_key=True, autoincrement=False) for name, kind in KEYS[table].items()]
    counts = [sa.Column(name, BIG, nullable=False) for name in COUNTS[table]]
    names = ", ".join((*KEYS[table], *COUNTS[table]))
    op.create_table("ordered", *keys, *counts, sqlite_with_rowid=False)
    op.execute(f"INSERT INTO ordered ({names}) SELECT {names} FROM {table} ORDER BY {', '.join(KEYS[table])}")  # noqa: S608
    op.drop_table(table)
    op.rename_table("ordered", table)
