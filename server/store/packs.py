"""Payloads that events share: which of them are compressed together, how a pack is stored, read, and rid of some of them.

A pack is named by the app and the id of its first event; each of its events knows how far behind that its own id lies. It is
stored in parts, because SQLite leaves the rest of a page empty where a large row does not fit. A pack never holds the
message of an event that is not stored: who removes events removes them here too.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from server.store import payload
from server.store.bulk import Bulk, Query
from server.store.columns import Columns

MAX_BYTES: Final = 65_536
"""Messages of one pack together, uncompressed; a longer one is on its own."""

PART_BYTES: Final = 1_300
"""Six rows of so many fill a page of 8 KiB on either engine."""

PackKey = tuple[int, int]
"""App id and id of the first event."""

_REMOVING: Final = -16
"""Locked by whoever takes messages out of packs. Apps lock numbers from 1 on."""


class Arrival(NamedTuple):
    """A new event, as far as packs go."""

    app_id: int
    id: int
    message: bytes


class Stored(NamedTuple):
    """What is stored of one event's message: a payload of its own, or (`offset`) its place in the pack that began so far before it."""

    app_id: int
    id: int
    offset: int | None
    payload: bytes

    @property
    def pack(self) -> PackKey:
        """The pack of an event that is in one."""
        return self.app_id, self.id - (self.offset or 0)


def stored(arrivals: Iterable[Arrival]) -> Iterator[tuple[int | None, bytes, bytes]]:
    """For each of the new events, in order: its offset, its own payload, and the part of its pack that it brings along."""
    for run in _runs(arrivals):
        if len(run) == 1:
            yield None, payload.compress(run[0].message), b""
            continue
        first = run[0].id
        data = payload.pack({event.id - first: event.message for event in run})
        parts = _parts(data, len(run))
        yield from ((event.id - first, b"", part) for event, part in zip(run, parts, strict=True))


def _runs(arrivals: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    """Neighbours of one app, as many as one pack takes."""
    run: list[Arrival] = []
    room = 0
    for event in arrivals:
        room -= len(event.message)
        if run and (room < 0 or len(run) == payload.MAX_PACKED or run[0].app_id != event.app_id):
            yield run
            run = []
        if not run:
            room = MAX_BYTES - len(event.message)
        run.append(event)
    if run:
        yield run


def _parts(data: bytes, count: int) -> list[bytes]:
    """So many parts: as long as they may be, then empty ones; the last takes what is left over."""
    last = (count - 1) * PART_BYTES
    return [data[at : at + PART_BYTES] for at in range(0, last, PART_BYTES)] + [data[last:]]


_KEY: Final[Columns] = (("app_id", "int"), ("id", "int"))
_READ = Query(
    _KEY,
    "SELECT p.app_id, p.id, p.part, p.data FROM {rows} CROSS JOIN payload_packs AS p WHERE p.app_id = r.app_id AND p.id = r.id",
)
_DELETE = Query(
    _KEY,
    "DELETE FROM payload_packs WHERE (app_id, id) IN (SELECT r.app_id, r.id FROM {rows}) RETURNING id",
)
_COLUMNS: Final[Columns] = (*_KEY, ("part", "small"), ("data", "blob"))


def messages(bulk: Bulk, events: Sequence[Stored]) -> list[bytes | None]:
    """The message of each event; None where it was removed since the event was read."""
    found = {
        key: payload.unpack(data) for key, data in _read(bulk, {e.pack for e in events if e.offset is not None}).items()
    }
    return [
        payload.decompress(event.payload) if event.offset is None else found.get(event.pack, {}).get(event.offset)
        for event in events
    ]


def remove(bulk: Bulk, events: Iterable[Stored]) -> None:
    """Take the messages of events that were removed in this transaction out of their packs."""
    gone: defaultdict[PackKey, set[int]] = defaultdict(set)
    for event in events:
        if event.offset is not None:
            gone[event.pack].add(event.offset)
    if not gone:
        return
    bulk.lock(_REMOVING)
    found = _read(bulk, gone)
    left = []
    for key, data in found.items():
        if payload.packed(data) > len(gone[key]):
            kept = {offset: message for offset, message in payload.unpack(data).items() if offset not in gone[key]}
            left += [(*key, part, piece) for part, piece in enumerate(_cut(payload.pack(kept)))]
    bulk.ask(_DELETE, sorted(found))
    if left:
        bulk.load("payload_packs", _COLUMNS, sorted(left))


def _read(bulk: Bulk, keys: Collection[PackKey]) -> dict[PackKey, bytes]:
    parts: defaultdict[PackKey, list[tuple[int, bytes]]] = defaultdict(list)
    for app_id, pack_id, part, data in bulk.ask(_READ, sorted(keys)):
        parts[app_id, pack_id].append((part, data))
    return {key: b"".join(data for _, data in sorted(of_pack)) for key, of_pack in parts.items()}


def _cut(data: bytes) -> list[bytes]:
    return _parts(data, -(-len(data) // PART_BYTES))
