"""Removing events: their rows and their messages go together, whoever has them removed."""

from collections.abc import Sequence
from typing import Final

from server.store import packs
from server.store.bulk import Bulk, Query
from server.store.packs import Stored

_REMOVE: Final = Query(
    (("app_id", "int"), ("event_key", "blob")),
    "DELETE FROM events WHERE (app_id, event_key) IN (SELECT r.app_id, r.event_key FROM {rows}) "
    "RETURNING app_id, id, pack_offset",
)


def remove(bulk: Bulk, events: Sequence[tuple[int, bytes]]) -> None:
    """Remove events by app id and key; those that are gone by now are nobody's loss."""
    removed = bulk.ask(_REMOVE, sorted(events))
    packs.remove(bulk, (Stored(app_id, event_id, offset, b"") for app_id, event_id, offset in removed))
