"""Direct access to a collector's database, for what no door offers: app keys of our choosing, and a second opinion on counts."""

from sqlmodel import Session, select

from server.store.engine import Engine
from server.store.tables import AppRow, UserRow
from tests.sample import now_ms


def insert_app(database_url: str, owner_email: str, app_key: str) -> None:
    """Creates an app with exactly this key."""
    engine = Engine(database_url)
    try:
        with Session(engine.sync_engine()) as session:
            owner = session.exec(select(UserRow).where(UserRow.email == owner_email)).one()
            assert owner.id is not None
            public_id = f"app_record_{app_key}"
            app_type = app_key.split("_", maxsplit=1)[0]
            session.add(
                AppRow(
                    public_id=public_id,
                    owner_id=owner.id,
                    name=app_key,
                    app_key=app_key,
                    type=app_type,
                    created_ms=now_ms(),
                )
            )
            session.commit()
    finally:
        engine.close()
