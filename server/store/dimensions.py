"""Dimensions: each combination of platform, environment, release and type that an app's events have, by a small number.

Hours and their users are counted per dimension, so that a filter on any of the four reads counters, not events.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Final

from sqlalchemy import text
from sqlmodel import Session, col, func, select

from server.store.engine import Columns, bind, source
from server.store.tables import DimensionRow

MAX_PER_APP: Final = 5_000
"""A client that makes up releases must not make up rows without end; what comes after shares OTHER."""

MAX_VALUES: Final = 200
"""More than anybody picks from a list."""

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
    """Numbers of the dimensions, new ones included."""
    known = _find(session, wanted)
    missing = set(wanted) - set(known)
    if missing:
        _lock(session, {app_id for app_id, _ in missing})
        known |= _find(session, missing)
        known |= _add(session, sorted(missing - set(known)))
    return known


def _lock(session: Session, app_ids: Collection[int]) -> None:
    """Let one writer at a time number new dimensions of an app; SQLite has but one writer.

    Taken before any row is locked, and in order, so that two writers cannot wait for each other.
    """
    if session.get_bind().dialect.name == "postgresql":
        for app_id in sorted(app_ids):
            session.connection().execute(text("SELECT pg_advisory_xact_lock(:app_id)"), {"app_id": app_id})


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
    """Number new dimensions, each app's from its largest on. This happens once per combination."""
    added: Known = {}
    for app_id, keys in groupby(missing, key=lambda key: key[0]):
        wanted = [dimension for _, dimension in keys]
        largest = session.exec(select(func.max(DimensionRow.id)).where(DimensionRow.app_id == app_id)).one() or 0
        room = max(0, MAX_PER_APP - largest)
        for number, dimension in enumerate(wanted[:room], start=largest + 1):
            session.add(DimensionRow(app_id=app_id, id=number, **asdict(dimension)))
            added[app_id, dimension] = (number, dimension)
        if wanted[room:]:
            shared = _other(session, app_id, max(largest, MAX_PER_APP) + 1)
            added |= {(app_id, dimension): shared for dimension in wanted[room:]}
    session.flush()
    return added


def _other(session: Session, app_id: int, number: int) -> tuple[int, Dimension]:
    """The dimension for what there is no room for; it takes `number` when it is new."""
    other = Dimension(OTHER, OTHER, OTHER, OTHER)
    found = _find(session, [(app_id, other)])
    if not found:
        session.add(DimensionRow(app_id=app_id, id=number, **asdict(other)))
    return found.get((app_id, other), (number, other))


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


def values(session: Session, app_ids: Collection[int], name: str) -> list[str]:
    """What events of the apps had as their platform, environment, release or type; the latest to appear first."""
    value = col(getattr(DimensionRow, name))
    query = select(value).where(col(DimensionRow.app_id).in_(app_ids), value != "")
    return list(session.exec(query.group_by(value).order_by(func.max(DimensionRow.id).desc(), value).limit(MAX_VALUES)))
