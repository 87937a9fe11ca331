"""Keys of events begin with the time in an SDK's id. Forward only: to go back, restore a backup.

Ids stand in the messages alone, so each message is read once.
"""

from hashlib import blake2b

import sqlalchemy as sa
from alembic import op
from healthguard.v1 import event_pb2 as event_pb
from sqlmodel import Session

from server.store import packs
from server.store.bulk import bulk_of

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

PAGE = 1_000
NEXT = sa.text(
    "SELECT app_id, event_key, id, pack_offset, payload FROM events"
    " WHERE (app_id, event_key) > (:app_id, :event_key) ORDER BY app_id, event_key LIMIT :page"
)
RENAME = sa.text("UPDATE events SET event_key = :new WHERE app_id = :app_id AND event_key = :old")


def upgrade() -> None:
    connection, last = op.get_bind(), (-1, b"")
    with Session(connection) as session:
        bulk = bulk_of(session)
        # A row whose key grows is met again further on, and found to be as it should.
        while rows := connection.execute(NEXT, {"app_id": last[0], "event_key": last[1], "page": PAGE}).all():
            last = rows[-1][0], rows[-1][1]
            found = packs.messages(
                bulk, [packs.Stored(row.app_id, row.id, row.pack_offset, row.payload) for row in rows]
            )
            named = [
                {
                    "app_id": row.app_id,
                    "old": row.event_key,
                    "new": timed_key(event_pb.Event.FromString(message).event_id),
                }
                for row, message in zip(rows, found, strict=True)
                if message is not None
            ]
            renamed = [one for one in named if one["new"] not in (None, one["old"])]
            if renamed:
                connection.execute(RENAME, renamed)


def timed_key(event_id: str) -> bytes | None:
    """The key of an id of an SDK's."""
    name = event_id.encode()
    return name[-8:-2].ljust(6) + blake2b(name, digest_size=9).digest() if name.startswith(b"evt_") else None
