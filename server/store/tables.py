"""The tables. Those that grow are keyed by `app_id` first, so that data can be partitioned or moved by app.

Times are epoch milliseconds of UTC in BIGINT columns: exact, comparable on both engines, and free of zone traps.
"""

from typing import ClassVar

from sqlalchemy import BigInteger, Index, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlmodel import Field, SQLModel

EVERY_PLATFORM = ""
"""The platform of the totals row that covers all platforms; events without a platform count under "unknown"."""


class UserRow(SQLModel, table=True):
    __tablename__: ClassVar[str] = "users"

    id: int | None = Field(default=None, primary_key=True)
    public_id: str = Field(unique=True)
    email: str = Field(unique=True)
    password_hash: str
    created_ms: int = Field(sa_type=BigInteger)


class TokenRow(SQLModel, table=True):
    """A bearer token, known only by its SHA-256."""

    __tablename__: ClassVar[str] = "tokens"

    token_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    user_id: int = Field(foreign_key="users.id", index=True)
    created_ms: int = Field(sa_type=BigInteger)
    expires_ms: int = Field(sa_type=BigInteger, index=True)
    client_name: str = ""


class ServiceTokenRow(SQLModel, table=True):
    """A token by which a service acts for a user, within `scopes` (separated by spaces); `expires_ms` None is never."""

    __tablename__: ClassVar[str] = "service_tokens"

    public_id: str = Field(primary_key=True)
    token_hash: bytes = Field(unique=True, sa_type=LargeBinary)
    user_id: int = Field(foreign_key="users.id", index=True)
    name: str
    scopes: str
    created_ms: int = Field(sa_type=BigInteger)
    expires_ms: int | None = Field(default=None, sa_type=BigInteger)


class ThrottleRow(SQLModel, table=True):
    """Attempts under one key, a keyed hash of an account or address; none is admitted before `next_ms` (see throttles.py)."""

    __tablename__: ClassVar[str] = "throttles"

    key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    attempts: int = Field(sa_type=BigInteger)
    next_ms: int = Field(sa_type=BigInteger)
    seen_ms: int = Field(sa_type=BigInteger, index=True)


class AppRow(SQLModel, table=True):
    """An app; `id` is also its project id for mobile trackers. Settings that are None are the server's own.

    Once `deleted_ms` is set the app exists for nobody. The row outlives its data, emptied: SQLite would give its id to
    the next app, and trackers that still know the number would report into it.
    """

    __tablename__: ClassVar[str] = "apps"

    id: int | None = Field(default=None, primary_key=True)
    public_id: str = Field(unique=True)
    name: str
    app_key: str = Field(unique=True)
    type: str
    created_ms: int = Field(sa_type=BigInteger)
    retention_days: int | None = None
    rate_limit_events_per_s: float | None = None
    capture_rate: int | None = None
    report_failed_network_calls: bool | None = None
    allowed_origins: str = ""
    """Separated by spaces, which no origin holds."""
    scrub_keys: str = ""
    """Without separators, in lower case, separated by spaces."""
    scrub_patterns: str = ""
    store_ip_addresses: bool | None = None
    deleted_ms: int | None = Field(default=None, sa_type=BigInteger)
    erased_ms: int | None = Field(default=None, sa_type=BigInteger)


class OldAppKeyRow(SQLModel, table=True):
    """A key that an app had before its current one; it names the app until it expires."""

    __tablename__: ClassVar[str] = "old_app_keys"

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    app_key: str = Field(primary_key=True, unique=True)
    expires_ms: int = Field(sa_type=BigInteger)


class MemberRow(SQLModel, table=True):
    """What a user may do with an app; `role` is a Role of scope.py."""

    __tablename__: ClassVar[str] = "members"

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    user_id: int = Field(primary_key=True, foreign_key="users.id", index=True)
    role: int = Field(sa_type=SmallInteger)
    created_ms: int = Field(sa_type=BigInteger)


class EventRow(SQLModel, table=True):
    """One event. `event_key` hashes its id, `id` orders arrivals, `payload` is the serialised Event in zstd.

    Where `pack_offset` is not None the payload is empty, and the Event in a pack (see packs.py). Columns stand in an order in
    which PostgreSQL has nothing to fill up between them.
    """

    __tablename__: ClassVar[str] = "events"
    __table_args__ = (
        Index(
            "ix_events_issue",
            "app_id",
            "issue_id",
            "time_ms",
            "id",
            sqlite_where=text("issue_id IS NOT NULL"),
            postgresql_where=text("issue_id IS NOT NULL"),
        ),
        # Covers the partial hours at the ends of a range; whole hours come from dimension_hours.
        Index("ix_events_time", "app_id", "time_ms", "kind", "dimension_id", "user_key"),
        # The oldest arrivals of all apps. Every insert goes to its end, so it costs 0.5 % of SQLite's and 5 % of PostgreSQL's
        # time to commit; one led by app_id cost 4 % and 8 %.
        Index("ix_events_arrival", "id"),
    )

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    id: int = Field(sa_type=BigInteger)
    issue_id: int | None = Field(sa_type=BigInteger)
    time_ms: int = Field(sa_type=BigInteger)
    received_ms: int = Field(sa_type=BigInteger)
    user_key: int | None = Field(sa_type=BigInteger)
    dimension_id: int
    pack_offset: int | None
    kind: int = Field(sa_type=SmallInteger)
    event_key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    payload: bytes = Field(sa_type=LargeBinary)


class PayloadPackRow(SQLModel, table=True):
    """A part of the payloads that some events of an app share; `id` is that of the first of them (see packs.py)."""

    __tablename__: ClassVar[str] = "payload_packs"

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    id: int = Field(primary_key=True, sa_type=BigInteger)
    part: int = Field(primary_key=True, sa_type=SmallInteger)
    data: bytes = Field(sa_type=LargeBinary)


class IssueRow(SQLModel, table=True):
    """One issue. `grouping_version` names the algorithm that made its fingerprint: "sdk" or ours.

    What is shown covers the issues merged into it as well; the `own_` columns cover its own fingerprint alone, so that
    merging can be undone. Of an issue that is merged into another the two are the same (see merges.py).
    """

    __tablename__: ClassVar[str] = "issues"
    __table_args__ = (
        UniqueConstraint("app_id", "id"),
        Index("ix_issues_last_seen", "app_id", "archived", "last_seen_ms", "id", "merged_into_id"),
        Index("ix_issues_first_seen", "app_id", "archived", "first_seen_ms", "id", "merged_into_id"),
        Index("ix_issues_event_count", "app_id", "archived", "event_count", "id", "merged_into_id"),
        Index("ix_issues_user_count", "app_id", "archived", "user_count", "id", "merged_into_id"),
        Index(
            "ix_issues_merged",
            "app_id",
            "merged_into_id",
            "id",
            sqlite_where=text("merged_into_id IS NOT NULL"),
            postgresql_where=text("merged_into_id IS NOT NULL"),
        ),
    )

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    fingerprint: str = Field(primary_key=True)
    id: int = Field(sa_type=BigInteger)
    grouping_version: str
    message: str
    error_type: str
    event_count: int = Field(sa_type=BigInteger)
    user_count: int = Field(default=0, sa_type=BigInteger)
    first_seen_ms: int = Field(sa_type=BigInteger)
    last_seen_ms: int = Field(sa_type=BigInteger)
    first_seen_release: str | None = None
    last_seen_release: str | None = None
    fixed_in_release: str | None = None
    verified_in_release: str | None = None
    status: str = Field(default="open")
    archived: bool = Field(default=False)
    archived_ms: int | None = Field(default=None, sa_type=BigInteger)
    regressed_ms: int | None = Field(default=None, sa_type=BigInteger)
    regressed_in_release: str | None = None
    status_changed_ms: int | None = Field(default=None, sa_type=BigInteger)
    status_changed_by: int | None = None
    assignee_id: int | None = None
    muted_until_ms: int | None = Field(default=None, sa_type=BigInteger)
    merged_into_id: int | None = Field(default=None, sa_type=BigInteger)
    own_event_count: int = Field(sa_type=BigInteger)
    own_first_seen_ms: int = Field(sa_type=BigInteger)
    own_last_seen_ms: int = Field(sa_type=BigInteger)
    own_first_seen_release: str | None = None
    own_last_seen_release: str | None = None


class IssueFacetRow(SQLModel, table=True):
    """Events of one issue with one value of one property: platform, release, environment, page, browser or device.

    `event_count` is shown and covers the issues merged into it; `own_event_count` covers its own fingerprint alone.
    """

    __tablename__: ClassVar[str] = "issue_facets"
    __table_args__ = {"sqlite_with_rowid": False}

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    issue_id: int = Field(primary_key=True, sa_type=BigInteger)
    property: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    event_count: int = Field(sa_type=BigInteger)
    own_event_count: int = Field(sa_type=BigInteger)


class IssueHourRow(SQLModel, table=True):
    """Events of one issue in one hour of event time, by its own fingerprint."""

    __tablename__: ClassVar[str] = "issue_hours"
    __table_args__ = {"sqlite_with_rowid": False}

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    issue_id: int = Field(primary_key=True, sa_type=BigInteger)
    hour: int = Field(primary_key=True, sa_type=BigInteger)
    event_count: int = Field(sa_type=BigInteger)


class IssueCommentRow(SQLModel, table=True):
    """What somebody (None: the server) wrote or did about an issue; `kind` is `comment` or names the change."""

    __tablename__: ClassVar[str] = "issue_comments"

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    issue_id: int = Field(primary_key=True, sa_type=BigInteger)
    id: int = Field(primary_key=True, sa_type=BigInteger)
    author_id: int | None
    kind: str
    text: str
    created_ms: int = Field(sa_type=BigInteger)


class DistinctUserRow(SQLModel, table=True):
    """A user counted in one scope: the app, a platform, an issue, or an hour of one of them (see counters.py)."""

    __tablename__: ClassVar[str] = "distinct_users"
    __table_args__ = {"sqlite_with_rowid": False}

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    scope: int = Field(primary_key=True, sa_type=BigInteger)
    part: int = Field(primary_key=True)
    user_key: int = Field(primary_key=True, sa_type=BigInteger)


class TotalsRow(SQLModel, table=True):
    """All-time totals of one app and platform. `shard` is the writer, so that writers never wait for each other."""

    __tablename__: ClassVar[str] = "totals"
    __table_args__ = {"sqlite_with_rowid": False}

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    platform: str = Field(primary_key=True)
    shard: int = Field(primary_key=True, sa_type=SmallInteger)
    events: int = Field(default=0, sa_type=BigInteger)
    errors: int = Field(default=0, sa_type=BigInteger)
    failed_requests: int = Field(default=0, sa_type=BigInteger)
    affected_users: int = Field(default=0, sa_type=BigInteger)
    issues: int = Field(default=0, sa_type=BigInteger)
    archived_issues: int = Field(default=0, sa_type=BigInteger)


class DimensionRow(SQLModel, table=True):
    """A combination of platform, environment, release and type, numbered from 1 within its app."""

    __tablename__: ClassVar[str] = "dimensions"
    __table_args__ = (UniqueConstraint("app_id", "id"),)

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    platform: str = Field(primary_key=True)
    environment: str = Field(primary_key=True)
    release: str = Field(primary_key=True)
    type: str = Field(primary_key=True)
    id: int


class DimensionHourRow(SQLModel, table=True):
    """Totals of one dimension in one hour of event time; `hour` counts hours since the epoch."""

    __tablename__: ClassVar[str] = "dimension_hours"
    __table_args__ = {"sqlite_with_rowid": False}

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    hour: int = Field(primary_key=True, sa_type=BigInteger)
    dimension_id: int = Field(primary_key=True)
    shard: int = Field(primary_key=True, sa_type=SmallInteger)
    events: int = Field(default=0, sa_type=BigInteger)
    errors: int = Field(default=0, sa_type=BigInteger)
    failed_requests: int = Field(default=0, sa_type=BigInteger)


class LedgerRow(SQLModel, table=True):
    """Events of one app by what became of them in one minute of server time; `minute` counts since the epoch."""

    __tablename__: ClassVar[str] = "ledger"
    __table_args__ = {"sqlite_with_rowid": False}

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    minute: int = Field(primary_key=True, sa_type=BigInteger)
    outcome: str = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    shard: int = Field(primary_key=True, sa_type=SmallInteger)
    events: int = Field(sa_type=BigInteger)


class MetricSpanRow(SQLModel, table=True):
    """Measurements of one name of a kind (see performance.py) in one hour or day (UTC) of event time.

    `first_hour` counts hours since the epoch.
    """

    __tablename__: ClassVar[str] = "metric_spans"

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    kind: int = Field(primary_key=True, sa_type=SmallInteger)
    span_hours: int = Field(primary_key=True, sa_type=SmallInteger)
    first_hour: int = Field(primary_key=True, sa_type=BigInteger)
    name: str = Field(primary_key=True)
    shard: int = Field(primary_key=True, sa_type=SmallInteger)
    sketch: str
    count: int = Field(sa_type=BigInteger)
    good: int = Field(sa_type=BigInteger)
    needs_improvement: int = Field(sa_type=BigInteger)
    poor: int = Field(sa_type=BigInteger)


class LeaseRow(SQLModel, table=True):
    """Work that one process at a time does for the whole installation, see lease.py."""

    __tablename__: ClassVar[str] = "leases"

    name: str = Field(primary_key=True)
    holder: str
    expires_ms: int = Field(sa_type=BigInteger)
