"""Direct access to a collector's database, for what no door offers: app keys of our choosing, and a second opinion on counts."""

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from healthguard.v1 import event_pb2 as event_pb
from sqlmodel import Session, select

from server.ids import token_hash
from server.store import end_users, service_tokens
from server.store.apps import NewApp, create
from server.store.engine import Engine
from server.store.service_tokens import NewServiceToken
from server.store.tables import AppRow, TokenRow, UserRow
from tests.sample import now_ms

PAGE = 1_000


def insert_app(database_url: str, owner_email: str, app_key: str) -> None:
    """Creates an app with exactly this key."""
    with _session(database_url) as session:
        owner = session.exec(select(UserRow).where(UserRow.email == owner_email)).one()
        assert owner.id is not None
        kind = app_key.split("_", maxsplit=1)[0]
        create(session, NewApp(f"app_record_{app_key}", owner.id, app_key, app_key, kind, now_ms()))
        session.commit()


def backdate_deletion(database_url: str, app_key: str, hours: int) -> None:
    """Makes it look as if the app had been deleted so much earlier."""
    with _session(database_url) as session:
        app = session.exec(select(AppRow).where(AppRow.app_key == app_key)).one()
        assert app.deleted_ms is not None
        app.deleted_ms -= hours * 3_600_000
        session.commit()


def expire_token(database_url: str, token: str, email: str) -> None:
    """Enters a bearer token of the user's whose time is over."""
    with _session(database_url) as session:
        user = session.exec(select(UserRow).where(UserRow.email == email)).one()
        session.add(TokenRow(token_hash=token_hash(token), user_id=user.id, created_ms=1, expires_ms=2))
        session.commit()


def insert_service_tokens(
    database_url: str, email: str, tokens: Mapping[str, Collection[str]], expires_ms: int | None = None
) -> None:
    """Enters tokens of services, with their scopes, that act for the user."""
    with _session(database_url) as session:
        for token, scopes in tokens.items():
            new = NewServiceToken(token, token_hash(token), "test", tuple(scopes), 1, expires_ms)
            service_tokens.create(session, email, new)
        session.commit()


def stored_event_ids(database_url: str, app_key: str) -> Counter[str]:
    """How often each event id of an app stands in the table of events."""
    with _session(database_url, writes=False) as session:
        app_id = session.exec(select(AppRow.id).where(AppRow.app_key == app_key)).one()
        assert app_id is not None
        found: Counter[str] = Counter()
        after = b""
        while page := end_users.events_page(session, app_id, None, after, PAGE):
            found.update(event_pb.Event.FromString(message).event_id for _, message in page)
            after = page[-1][0]
        return found


def holding_the_writer(database_url: str, seconds: float) -> None:
    """Keeps everybody else from committing events for a while."""
    with _session(database_url) as session:
        if session.get_bind().dialect.name == "postgresql":
            session.connection().exec_driver_sql("LOCK TABLE events, session_batches IN EXCLUSIVE MODE")
        session.connection()
        time.sleep(seconds)


@contextmanager
def _session(database_url: str, *, writes: bool = True) -> Iterator[Session]:
    """A session beside the collector's; one that only reads takes no lock that the collector waits for."""
    engine = Engine(database_url)
    try:
        with Session(engine.sync_engine() if writes else engine._read_engine) as session:
            yield session
    finally:
        engine.close()
