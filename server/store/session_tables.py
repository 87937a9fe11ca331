"""The tables of recorded sessions, keyed by `app_id` first like all that grow. Times are epoch milliseconds, as everywhere."""

from typing import ClassVar

from sqlalchemy import BigInteger, Index, LargeBinary, text
from sqlmodel import Field, SQLModel


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
    event_key: bytes | None = Field(default=None, sa_type=LargeBinary)


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
