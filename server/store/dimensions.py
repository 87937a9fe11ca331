"""Dimensions: each combination of platform, environment, release and type that an app's events have, by a small number.

Hours and their users are counted per dimension, so that a filter on any of the four reads counters, not events.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from server.store.engine import Columns, StaleTransaction, bind, source
from server.store.tables import DimensionRow

MAX_PER_APP: Final = 5_000
"""A client that makes up releases must not make up rows without end; what comes after shares OTHER."""

OTHER: Final = "(other)"


@dataclass(frozen=True, slots=True, order=True)
class Dimension:
    """Where an event belongs in its app's totals; empty where it does not say."""

    platform: str
    environment: str = ""
    release: str = ""
    type: str = ""


Key = tuple[int, Dimension]
Known = dict[Key, tuple[int, Dimension]]
"""For what an event says: the number of its dimension, and the dimension that counts (OTHER when there are too many)."""

_COLUMNS: Columns = (
    ("app_id", "int"),
    ("platform", "text"),
    ("environment", "text"),
    ("release", "text"),
    ("type", "text"),
)


def resolve(session: Session, wanted: Collection[Key]) -> Known:
    """Numbers of the dimensions, new ones included. Raises StaleTransaction when another writer added one meanwhile."""
    known = _find(session, wanted)
    missing = sorted(set(wanted) - set(known))
    if missing:
        known |= _add(session, missing)
    return known


def _find(session: Session, wanted: Collection[Key]) -> Known:
    rows = [(app_id, d.platform, d.environment, d.release, d.type) for app_id, d in sorted(wanted)]
    query = (
        "SELECT d.app_id, d.platform, d.environment, d.release, d.type, d.id FROM "  # noqa: S608
        f"{source(session, 'w', _COLUMNS)} CROSS JOIN dimensions AS d WHERE d.app_id = w.app_id"
        " AND d.platform = w.platform AND d.environment = w.environment AND d.release = w.release AND d.type = w.type"
    )
    found = session.connection().execute(text(query), bind(session, "w", _COLUMNS, rows))
    known: Known = {}
    for app_id, platform, environment, release, type_, number in found:
        dimension = Dimension(platform, environment, release, type_)
        known[app_id, dimension] = (number, dimension)
    return known


def _add(session: Session, missing: list[Key]) -> Known:
    """Number new dimensions from the app's largest on; this happens once per combination, so it may cost a query each."""
    added: Known = {}
    other = Dimension(OTHER, OTHER, OTHER, OTHER)
    for app_id, dimension in missing:
        largest = session.exec(
            select(DimensionRow.id).where(DimensionRow.app_id == app_id).order_by(col(DimensionRow.id).desc()).limit(1)
        ).first()
        number = (largest or 0) + 1
        counted = dimension if number <= MAX_PER_APP else other
        if counted is other:
            found = _find(session, [(app_id, other)])
            if found:
                added[app_id, dimension] = found[app_id, other]
                continue
        _insert(session, app_id, counted, number)
        added[app_id, dimension] = (number, counted)
    return added


def _insert(session: Session, app_id: int, dimension: Dimension, number: int) -> None:
    session.add(
        DimensionRow(
            app_id=app_id,
            platform=dimension.platform,
            environment=dimension.environment,
            release=dimension.release,
            type=dimension.type,
            id=number,
        )
    )
    try:
        session.flush()
    except IntegrityError as error:
        raise StaleTransaction from error


def matching(session: Session, app_ids: Collection[int], only: Dimension) -> list[tuple[int, int]] | None:
    """(app id, number) of the dimensions that have all the values of `only` that are not empty; None if none is asked."""
    conditions = [
        col(getattr(DimensionRow, name)) == value
        for name in ("platform", "environment", "release", "type")
        if (value := getattr(only, name))
    ]
    if not conditions:
        return None
    query = select(DimensionRow.app_id, DimensionRow.id).where(col(DimensionRow.app_id).in_(app_ids), *conditions)
    return [(app_id, number) for app_id, number in session.exec(query)]
