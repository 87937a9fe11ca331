"""Scopes of distinct users as two numbers instead of a text: their rows take two thirds of the room, and those of a user lie together.

And room in PostgreSQL's pages of facets for rows that change: without, each change of a page's rows moved them to other pages and
entered them anew in the index. Forward only: to go back, restore a backup.
"""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

OF_ISSUE, OF_GROUP, OF_APP = 0, -1, -2

# By engine: the number behind the first colon, and the one behind the second.
NUMBERS = {
    "sqlite": (
        "CAST(substr(scope, 3) AS INTEGER)",
        "CAST(substr(scope, 4 + instr(substr(scope, 3), ':') - 1) AS INTEGER)",
    ),
    "postgresql": ("CAST(split_part(scope, ':', 2) AS BIGINT)", "CAST(split_part(scope, ':', 3) AS INTEGER)"),
}


def upgrade() -> None:
    op.create_table(
        "numbered_users",
        sa.Column("app_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("scope", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("user_key", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    first, second = NUMBERS[op.get_bind().dialect.name]
    _move("user_key", str(OF_APP), "scope = ''", of="0")
    _move_platforms()
    # ':' and ';' follow each other, so these are all scopes that begin with a letter and a colon.
    of_issue = "scope >= 'i:' AND scope < 'i;'"
    _move(first, str(OF_ISSUE), f"{of_issue} AND scope NOT LIKE 'i:%:%'")
    _move(first, second, f"{of_issue} AND scope LIKE 'i:%:%'")
    _move(first, str(OF_GROUP), "scope >= 'g:' AND scope < 'g;'")
    _move(f"-{first}", second, "scope >= 'd:' AND scope < 'd;'")
    op.drop_table("distinct_users")
    op.rename_table("numbered_users", "distinct_users")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE issue_facets SET (fillfactor = 60)")


def _move(scope: str, part: str, which: str, *, of: str = "user_key") -> None:
    op.execute(
        "INSERT INTO numbered_users (app_id, scope, part, user_key)"  # noqa: S608 -- our own expressions
        f" SELECT app_id, {scope}, {part}, {of} FROM distinct_users WHERE {which}"
    )


def _move_platforms() -> None:
    """Every platform with users has totals."""
    connection = op.get_bind()
    platforms = connection.execute(sa.text("SELECT DISTINCT app_id, platform FROM totals WHERE platform <> ''")).all()
    for app_id, platform in platforms:
        number = int.from_bytes(hashlib.blake2b(platform.encode(), digest_size=8).digest(), "big") >> 1
        connection.execute(
            sa.text(
                "INSERT INTO numbered_users (app_id, scope, part, user_key)"
                " SELECT app_id, user_key, CAST(:part AS INTEGER), CAST(:number AS BIGINT) FROM distinct_users"
                " WHERE app_id = :app_id AND scope = :scope"
            ),
            {"number": number, "part": OF_APP, "app_id": app_id, "scope": f"p:{platform}"},
        )
