"""Totals by environment, release and type, and what an issue's events have in common. Forward only: restore a backup to go back.

Events that are there already keep their totals by platform; their environment, release and type were not kept apart and
stay empty. Users and hours of issues are counted again from the events.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_tables()
    _number_platforms()
    _move_hours()
    _move_platforms()
    _count_users_of_issues()


def _create_tables() -> None:
    def key(name: str, type_: type[sa.types.TypeEngine[int]] = sa.BigInteger) -> sa.Column[int]:
        return sa.Column(name, type_, primary_key=True, autoincrement=False)

    def count(name: str) -> sa.Column[int]:
        return sa.Column(name, sa.BigInteger, nullable=False)

    words = ("platform", "environment", "release", "type")
    op.create_table(
        "dimensions",
        key("app_id"),
        *(sa.Column(name, sa.String, primary_key=True) for name in words),
        sa.Column("id", sa.Integer, nullable=False),
        sa.UniqueConstraint("app_id", "id"),
    )
    op.create_table(
        "dimension_hours",
        key("app_id"),
        key("hour"),
        key("dimension_id", sa.Integer),
        key("shard", sa.SmallInteger),
        *(count(name) for name in ("events", "errors", "failed_requests")),
    )
    op.create_table(
        "issue_facets",
        key("app_id"),
        key("issue_id"),
        sa.Column("property", sa.String, primary_key=True),
        sa.Column("value", sa.String, primary_key=True),
        count("event_count"),
    )
    op.create_table("issue_hours", key("app_id"), key("issue_id"), key("hour"), count("event_count"))


def _number_platforms() -> None:
    """One dimension for each platform an app has events of, with nothing else in it."""
    op.execute(
        "INSERT INTO dimensions (app_id, platform, environment, release, type, id)"
        " SELECT app_id, platform, '', '', '', ROW_NUMBER() OVER (PARTITION BY app_id ORDER BY platform)"
        " FROM (SELECT DISTINCT app_id, platform FROM totals WHERE platform <> '') AS seen"
    )
    op.add_column("events", sa.Column("dimension_id", sa.Integer, nullable=False, server_default="0"))
    op.execute(
        "UPDATE events SET dimension_id = (SELECT d.id FROM dimensions AS d"
        " WHERE d.app_id = events.app_id AND d.platform = events.platform)"
    )
    op.drop_index("ix_events_time", "events")
    op.create_index("ix_events_time", "events", ["app_id", "time_ms", "kind", "dimension_id", "user_key"])


def _move_hours() -> None:
    op.execute(
        "INSERT INTO dimension_hours (app_id, hour, dimension_id, shard, events, errors, failed_requests)"
        " SELECT h.app_id, h.hour, d.id, h.shard, h.events, h.errors, h.failed_requests FROM hour_totals AS h"
        " JOIN dimensions AS d ON d.app_id = h.app_id AND d.platform = h.platform"
    )
    op.drop_table("hour_totals")
    op.execute(
        "INSERT INTO distinct_users (app_id, scope, user_key)"
        " SELECT u.app_id, 'd:' || substr(u.scope, 3, 10) || CAST(d.id AS VARCHAR), u.user_key FROM distinct_users AS u"
        " JOIN dimensions AS d ON d.app_id = u.app_id AND d.platform = substr(u.scope, 13)"
        " WHERE u.scope >= 'h:' AND u.scope < 'h;'"
    )
    op.execute("DELETE FROM distinct_users WHERE scope >= 'h:' AND scope < 'h;'")


def _move_platforms() -> None:
    op.execute(
        "INSERT INTO issue_facets (app_id, issue_id, property, value, event_count)"
        " SELECT app_id, issue_id, 'platform', platform, event_count FROM issue_platforms"
    )
    op.drop_table("issue_platforms")


def _count_users_of_issues() -> None:
    op.execute(
        "INSERT INTO issue_hours (app_id, issue_id, hour, event_count)"
        " SELECT app_id, issue_id, time_ms / 3600000, COUNT(*) FROM events WHERE issue_id IS NOT NULL GROUP BY 1, 2, 3"
    )
    for scope in (
        "'i:' || CAST(issue_id AS VARCHAR)",
        "'j:' || CAST(issue_id AS VARCHAR) || ':' || CAST(time_ms / 3600000 AS VARCHAR)",
    ):
        op.execute(
            "INSERT INTO distinct_users (app_id, scope, user_key)"  # noqa: S608 -- the two scopes above
            f" SELECT DISTINCT app_id, {scope}, user_key FROM events"
            " WHERE issue_id IS NOT NULL AND user_key IS NOT NULL"
        )
    op.add_column("issues", sa.Column("user_count", sa.BigInteger, nullable=False, server_default="0"))
    op.execute(
        "UPDATE issues SET user_count = (SELECT COUNT(*) FROM distinct_users AS u"
        " WHERE u.app_id = issues.app_id AND u.scope = 'i:' || CAST(issues.id AS VARCHAR))"
    )
    for column in ("first_seen_ms", "event_count", "user_count"):
        name = f"ix_issues_{column.removesuffix('_ms')}"
        op.create_index(name, "issues", ["app_id", "archived", column, "id"])
