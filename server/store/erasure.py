"""Erasure: the data of deleted apps goes in small transactions, from any process, one at a time per app."""

from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

from server.store.session_tables import BlobRow
from server.store.tables import AppRow

BATCH_ROWS: Final = 1_000
"""Rows of one transaction: with indexes about 20 ms in which ingest waits for SQLite's one writer."""


def erase_some(session: Session, deleted_before_ms: int, now_ms: int, rows: int = BATCH_ROWS) -> bool:
    """Remove at most `rows` rows of one app that was deleted before; False when no such app has data left.

    The app's row is locked meanwhile, and others skip it: no two processes work on one app, and one that dies leaves
    nothing to clean up.
    """
    app = session.exec(
        select(AppRow)
        .where(col(AppRow.deleted_ms) <= deleted_before_ms, col(AppRow.erased_ms).is_(None))
        .order_by(col(AppRow.deleted_ms), col(AppRow.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if app is None:
        return False
    if not any(_delete(session, table, app, rows) for table in _tables()) and not _let_go(session, app, rows):
        app.name = app.allowed_origins = app.scrub_keys = app.scrub_patterns = ""
        app.erased_ms = now_ms
        session.add(app)
    return True


def _tables() -> list[sa.Table]:
    """Every table with rows of apps but the books of the blob store; a new one joins by having the column."""
    growing = [table for table in reversed(SQLModel.metadata.sorted_tables) if "app_id" in table.columns]
    return [table for table in growing if table.name != BlobRow.__tablename__]


def _delete(session: Session, table: sa.Table, app: AppRow, rows: int) -> int:
    rest = [column for column in table.primary_key.columns if column.name != "app_id"]
    of_app = table.c.app_id == app.id
    some = sa.select(*rest).where(of_app).limit(rows)
    return session.connection().execute(sa.delete(table).where(of_app, sa.tuple_(*rest).in_(some))).rowcount


def _let_go(session: Session, app: AppRow, rows: int) -> int:
    """Let go of objects that the app's screenshots, gone by now, showed: whoever tidies the blob store removes both.

    Striking them off the books here would leave the objects for ever.
    """
    held = (col(BlobRow.app_id) == app.id, col(BlobRow.refs) != 0)
    some = select(BlobRow.hash).where(*held).limit(rows)
    return (
        session.connection()
        .execute(sa.update(BlobRow).where(*held, col(BlobRow.hash).in_(some)).values(refs=0))
        .rowcount
    )
