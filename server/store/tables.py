"""The tables. Those that grow are keyed by `app_id` first, so that data can be partitioned or moved by app.

Times are epoch milliseconds of UTC in BIGINT columns: exact, comparable on both engines, and free of zone traps.
"""

from typing import ClassVar

from sqlalchemy import BigInteger, Index, LargeBinary, SmallInteger, String, UniqueConstraint, text
from sqlmodel import Field, SQLModel

ByteOrdered = String().with_variant(String(collation="C"), "postgresql")
"""Text that sorts by its bytes on both engines, so that ranges of keys mean the same."""

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


class AppRow(SQLModel, table=True):
    """An app; `id` is also its project id for mobile trackers."""

    __tablename__: ClassVar[str] = "apps"

    id: int | None = Field(default=None, primary_key=True)
    public_id: str = Field(unique=True)
    owner_id: int = Field(foreign_key="users.id", index=True)
    name: str
    app_key: str = Field(unique=True)
    type: str
    created_ms: int = Field(sa_type=BigInteger)


class EventRow(SQLModel, table=True):
    """One event. `event_key` hashes its id, `id` orders arrivals, `payload` is the serialised Event in zstd."""

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
        # Covers the partial hours at the ends of a range; whole hours come from hour_totals.
        Index("ix_events_time", "app_id", "time_ms", "kind", "platform", "user_key"),
    )

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    event_key: str = Field(primary_key=True)
    id: int = Field(sa_type=BigInteger)
    issue_id: int | None = Field(sa_type=BigInteger)
    time_ms: int = Field(sa_type=BigInteger)
    received_ms: int = Field(sa_type=BigInteger)
    kind: int = Field(sa_type=SmallInteger)
    platform: str
    user_key: int | None = Field(sa_type=BigInteger)
    payload: bytes = Field(sa_type=LargeBinary)


class IssueRow(SQLModel, table=True):
    """One issue. `grouping_version` names the algorithm that made its fingerprint: "sdk" or ours."""

    __tablename__: ClassVar[str] = "issues"
    __table_args__ = (
        UniqueConstraint("app_id", "id"),
        Index("ix_issues_last_seen", "app_id", "archived", "last_seen_ms", "id"),
    )

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    fingerprint: str = Field(primary_key=True)
    id: int = Field(sa_type=BigInteger)
    grouping_version: str
    message: str
    error_type: str
    event_count: int = Field(sa_type=BigInteger)
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


class IssuePlatformRow(SQLModel, table=True):
    """Events of one issue on one platform."""

    __tablename__: ClassVar[str] = "issue_platforms"

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    issue_id: int = Field(primary_key=True, sa_type=BigInteger)
    platform: str = Field(primary_key=True)
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
    """A user counted in one scope: the app, a platform, an issue, or a platform's hour (see counters.py)."""

    __tablename__: ClassVar[str] = "distinct_users"
    __table_args__ = {"sqlite_with_rowid": False}

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    scope: str = Field(primary_key=True, sa_type=ByteOrdered)
    user_key: int = Field(primary_key=True, sa_type=BigInteger)


class TotalsRow(SQLModel, table=True):
    """All-time totals of one app and platform. `shard` is the writer, so that writers never wait for each other."""

    __tablename__: ClassVar[str] = "totals"

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    platform: str = Field(primary_key=True)
    shard: int = Field(primary_key=True, sa_type=SmallInteger)
    events: int = Field(default=0, sa_type=BigInteger)
    errors: int = Field(default=0, sa_type=BigInteger)
    failed_requests: int = Field(default=0, sa_type=BigInteger)
    affected_users: int = Field(default=0, sa_type=BigInteger)
    issues: int = Field(default=0, sa_type=BigInteger)
    archived_issues: int = Field(default=0, sa_type=BigInteger)


class HourTotalsRow(SQLModel, table=True):
    """Totals of one hour of event time; `hour` counts hours since the epoch."""

    __tablename__: ClassVar[str] = "hour_totals"

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    hour: int = Field(primary_key=True, sa_type=BigInteger)
    platform: str = Field(primary_key=True)
    shard: int = Field(primary_key=True, sa_type=SmallInteger)
    events: int = Field(default=0, sa_type=BigInteger)
    errors: int = Field(default=0, sa_type=BigInteger)
    failed_requests: int = Field(default=0, sa_type=BigInteger)


class LedgerRow(SQLModel, table=True):
    """Events of one app by what became of them in one minute of server time; `minute` counts since the epoch."""

    __tablename__: ClassVar[str] = "ledger"

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    minute: int = Field(primary_key=True, sa_type=BigInteger)
    outcome: str = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    shard: int = Field(primary_key=True, sa_type=SmallInteger)
    events: int = Field(sa_type=BigInteger)


class SessionRow(SQLModel, table=True):
    """One recorded session. `id` holds 64 bits in two's complement; `start` is the StartSessionRequest in zstd."""

    __tablename__: ClassVar[str] = "sessions"
    __table_args__ = (
        Index("ix_sessions_start", "app_id", "start_ms", "id"),
        Index("ix_sessions_installation", "app_id", "user_uuid", "start_ms"),
        Index("ix_sessions_user", "app_id", "user_id", "start_ms"),
    )

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    id: int = Field(primary_key=True, sa_type=BigInteger)
    start_ms: int = Field(sa_type=BigInteger)
    last_ms: int = Field(sa_type=BigInteger)
    received_ms: int = Field(sa_type=BigInteger)
    listed: bool
    platform: str
    device: str
    device_type: str
    os_version: str
    tracker_version: str
    release: str
    user_uuid: str
    user_id: str = ""
    user_id_ms: int = Field(default=0, sa_type=BigInteger)
    anonymous_id: str = ""
    anonymous_id_ms: int = Field(default=0, sa_type=BigInteger)
    metadata_json: str = "{}"
    types_json: str = "{}"
    batches: int = Field(default=0, sa_type=BigInteger)
    damaged_batches: int = Field(default=0, sa_type=BigInteger)
    messages: int = Field(default=0, sa_type=BigInteger)
    crashes: int = Field(default=0, sa_type=BigInteger)
    failed_requests: int = Field(default=0, sa_type=BigInteger)
    rage_taps: int = Field(default=0, sa_type=BigInteger)
    freezes: int = Field(default=0, sa_type=BigInteger)
    images: int = Field(default=0, sa_type=BigInteger)
    start: bytes = Field(sa_type=LargeBinary)


class SessionBatchRow(SQLModel, table=True):
    """One batch, raw, in zstd. `content` is a hash of its bytes; `beats` are the signs of life in it (see beats.py).

    Kept here and not in the blob store, so that a batch and what is concluded from it are one transaction. Messages are
    decoded when they are read: an index of them would be 5,000 rows for a batch that compresses to 40 KB.
    """

    __tablename__: ClassVar[str] = "session_batches"
    __table_args__ = (
        Index("ix_session_batches_time", "app_id", "session_id", "first_ms"),
        Index("ix_session_batches_beats", "app_id", "session_id", "last_beat_ms"),
        Index(
            "ix_session_batches_due",
            "received_ms",
            sqlite_where=text("events_due"),
            postgresql_where=text("events_due"),
        ),
    )

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    session_id: int = Field(primary_key=True, sa_type=BigInteger)
    content: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    received_ms: int = Field(sa_type=BigInteger)
    first_ms: int | None = Field(sa_type=BigInteger)
    last_ms: int | None = Field(sa_type=BigInteger)
    messages: int = Field(sa_type=BigInteger)
    layout: str
    status: str
    fault: str
    size_bytes: int = Field(sa_type=BigInteger)
    events_due: bool
    first_beat_ms: int | None = Field(sa_type=BigInteger)
    last_beat_ms: int | None = Field(sa_type=BigInteger)
    in_background: bool | None = None
    touched: str | None = None
    beats: bytes = Field(sa_type=LargeBinary)
    payload: bytes = Field(sa_type=LargeBinary)


class SessionSignalRow(SQLModel, table=True):
    """Something worth a look in one session; `event_key` is its event's, where it became one."""

    __tablename__: ClassVar[str] = "session_signals"

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    session_id: int = Field(primary_key=True, sa_type=BigInteger)
    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    start_ms: int = Field(sa_type=BigInteger)
    end_ms: int = Field(sa_type=BigInteger)
    label: str
    count: int = Field(sa_type=BigInteger)
    event_key: str | None = None


class SessionImageRow(SQLModel, table=True):
    """One screenshot of a session; its bytes are the blob of this hash."""

    __tablename__: ClassVar[str] = "session_images"

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    session_id: int = Field(primary_key=True, sa_type=BigInteger)
    time_ms: int = Field(primary_key=True, sa_type=BigInteger)
    hash: str = Field(primary_key=True)


class BlobRow(SQLModel, table=True):
    """One object of the blob store, written before the object and removed after it (see blobs.py).

    `refs` counts the screenshots that show it; `stored` says that the object is known to be there; `doomed_ms` is set while
    it is being removed. `name` is what a tracker calls a loose picture, empty for all others.
    """

    __tablename__: ClassVar[str] = "blobs"
    __table_args__ = (
        Index("ix_blobs_unused", "touched_ms", sqlite_where=text("refs = 0"), postgresql_where=text("refs = 0")),
        Index(
            "ix_blobs_named",
            "app_id",
            "refs",
            sqlite_where=text("name <> ''"),
            postgresql_where=text("name <> ''"),
        ),
    )

    app_id: int = Field(primary_key=True, sa_type=BigInteger)
    hash: str = Field(primary_key=True)
    mime: str
    size_bytes: int = Field(sa_type=BigInteger)
    name: str = ""
    refs: int = Field(default=0, sa_type=BigInteger)
    stored: bool = False
    touched_ms: int = Field(sa_type=BigInteger)
    doomed_ms: int | None = Field(default=None, sa_type=BigInteger)
