"""Apps: what a user registers to get an app key."""

from dataclasses import asdict, dataclass

from sqlmodel import Session, col, select

from server.store.tables import AppRow


@dataclass(frozen=True, slots=True)
class NewApp:
    """An app to be created."""

    public_id: str
    owner_id: int
    name: str
    app_key: str
    type: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class App(NewApp):
    """An app; `id` is its project id for mobile trackers and grows with time."""

    id: int


def create(session: Session, new: NewApp) -> App:
    """Store the app."""
    row = AppRow(**asdict(new))
    session.add(row)
    session.flush()
    return _app(row)


def page(session: Session, owner_id: int, before_id: int | None, limit: int) -> list[App]:
    """The owner's apps, newest first, at most `limit`, older than `before_id`."""
    query = select(AppRow).where(AppRow.owner_id == owner_id)
    if before_id is not None:
        query = query.where(col(AppRow.id) < before_id)
    return [_app(row) for row in session.exec(query.order_by(col(AppRow.id).desc()).limit(limit))]


def _app(row: AppRow) -> App:
    return App(**row.model_dump())
