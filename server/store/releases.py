"""Which releases the events of a range named, and since when in it: read from the hours of dimensions."""

from collections.abc import Collection
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from server.store.dimensions import MAX_VALUES
from server.store.tables import DimensionHourRow, DimensionRow


class Release(NamedTuple):
    """A release, the first hour since the epoch in which events named it, and how many did."""

    name: str
    first_hour: int
    events: int


def read(session: Session, app_ids: Collection[int], first_hour: int, last_hour: int) -> list[Release]:
    """The MAX_VALUES most frequent in an inclusive range of hours, by when they were first seen in it."""
    rows = session.connection().execute(_reading(app_ids, first_hour, last_hour)) if app_ids else ()
    return sorted((Release(name, int(hour), int(events)) for name, hour, events in rows), key=lambda r: r[1::-1])


def _reading(app_ids: Collection[int], first_hour: int, last_hour: int) -> sa.Select[Any, Any, Any]:
    """By dimension first, of which there are few, and then by their releases."""
    of_app, number = col(DimensionHourRow.app_id), col(DimensionHourRow.dimension_id)
    each = (
        sa.select(
            of_app,
            number,
            sa.func.min(DimensionHourRow.hour).label("hour"),
            sa.func.sum(DimensionHourRow.events).label("events"),
        )
        .where(of_app.in_(app_ids), col(DimensionHourRow.hour).between(first_hour, last_hour))
        .group_by(of_app, number)
        .subquery()
    )
    name, events = col(DimensionRow.release), sa.func.sum(each.c.events)
    return (
        sa.select(name, sa.func.min(each.c.hour), events)
        .join(each, sa.and_(col(DimensionRow.app_id) == each.c.app_id, col(DimensionRow.id) == each.c.dimension_id))
        .where(name != "")
        .group_by(name)
        .order_by(events.desc(), name)
        .limit(MAX_VALUES)
    )
