"""Dimensions: each combination of platform, environment, release and type that an app's events have, by a small number.

Hours and their users are counted per dimension, so that a filter on any of the four reads counters, not events.
"""

from collections.abc import Collection
from itertools import groupby
from typing import Final, NamedTuple

from sqlmodel import Session, col, func, select

from server.store.bulk import Bulk, Insert, Query
from server.store.columns import Columns
from server.store.tables import DimensionRow

MAX_PER_APP: Final = 5_000
"""A client that makes up releases must not make up rows without end; what comes after shares OTHER."""

MAX_VALUES: Final = 200
"""More than anybody picks from a list."""

OTHER: Final = "(other)"


class Dimension(NamedTuple):
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
_FIND = Query(
    _COLUMNS,
    "SELECT d.app_id, d.platform, d.environment, d.release, d.type, d.id FROM {rows} CROSS JOIN dimensions AS d "
    "WHERE d.app_id = r.app_id AND d.platform = r.platform AND d.environment = r.environment AND d.release = r.release "
    "AND d.type = r.type",
)
_LARGEST = Query(
    (("app_id", "int"),), "SELECT MAX(d.id) FROM {rows} CROSS JOIN dimensions AS d WHERE d.app_id = r.app_id"
)
_ADD = Insert("dimensions", (*_COLUMNS, ("id", "int4")), tuple(name for name, _ in _COLUMNS), "DO NOTHING")


def resolve(bulk: Bulk, wanted: Collection[Key]) -> Known:
    """Numbers of the dimensions, new ones included."""
    known = _find(bulk, wanted)
    missing = set(wanted) - set(known)
    if missing:
        # One writer at a time numbers new dimensions of an app. Taken before any row is locked, and in order, so that
        # two writers cannot wait for each other.
        for app_id in sorted({app_id for app_id, _ in missing}):
            bulk.lock(app_id)
        known |= _find(bulk, missing)
        known |= _add(bulk, sorted(missing - set(known)))
    return known


def _find(bulk: Bulk, wanted: Collection[Key]) -> Known:
    known: Known = {}
    for app_id, *words, number in bulk.ask(_FIND, [(app_id, *dimension) for app_id, dimension in sorted(wanted)]):
        dimension = Dimension(*words)
        known[app_id, dimension] = (number, dimension)
    return known


def _add(bulk: Bulk, missing: list[Key]) -> Known:
    """Number new dimensions, each app's from its largest on. This happens once per combination."""
    added: Known = {}
    for app_id, keys in groupby(missing, key=lambda key: key[0]):
        wanted = [dimension for _, dimension in keys]
        ((found,),) = bulk.ask(_LARGEST, [(app_id,)])
        largest = found or 0
        room = max(0, MAX_PER_APP - largest)
        numbered = list(enumerate(wanted[:room], start=largest + 1))
        added |= {(app_id, dimension): (number, dimension) for number, dimension in numbered}
        if numbered:
            bulk.insert(_ADD, [(app_id, *dimension, number) for number, dimension in numbered])
        if wanted[room:]:
            shared = _other(bulk, app_id, max(largest, MAX_PER_APP) + 1)
            added |= {(app_id, dimension): shared for dimension in wanted[room:]}
    return added


def _other(bulk: Bulk, app_id: int, number: int) -> tuple[int, Dimension]:
    """The dimension for what there is no room for; it takes `number` when it is new."""
    other = Dimension(OTHER, OTHER, OTHER, OTHER)
    found = _find(bulk, [(app_id, other)])
    if not found:
        bulk.insert(_ADD, [(app_id, *other, number)])
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
