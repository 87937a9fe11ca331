"""Direct access to a collector's database, for what no door offers: app keys of our choosing, and a second opinion on counts."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import zstandard
from healthguard.v1 import event_pb2 as event_pb
from sqlmodel import Session, col, select

from server.store.engine import Engine
from server.store.tables import AppRow, EventRow, UserRow
from tests.sample import now_ms


def insert_app(database_url: str, owner_email: str, app_key: str) -> None:
    """Creates an app with exactly this key."""
    with _session(database_url) as session:
        owner = session.exec(select(UserRow).where(UserRow.email == owner_email)).one()
        assert owner.id is not None
        session.add(
            AppRow(
                public_id=f"app_record_{app_key}",
                owner_id=owner.id,
                name=app_key,
                app_key=app_key,
                type=app_key.split("_", maxsplit=1)[0],
                created_ms=now_ms(),
            )
        )
        session.commit()


def stored_event_ids(database_url: str, app_key: str) -> Counter[str]:
    """How often each event id of an app stands in the table of events."""
    with _session(database_url) as session:
        query = (
            select(EventRow.payload)
            .join(AppRow, col(AppRow.id) == col(EventRow.app_id))
            .where(AppRow.app_key == app_key)
        )
        return Counter(_event(payload).event_id for payload in session.exec(query))


def _event(payload: bytes) -> event_pb.Event:
    return event_pb.Event.FromString(zstandard.decompress(payload))


@contextmanager
def _session(database_url: str) -> Iterator[Session]:
    engine = Engine(database_url)
    try:
        with Session(engine.sync_engine()) as session:
            yield session
    finally:
        engine.close()
