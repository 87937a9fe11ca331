"""The messages of many batches as one line of time, read only as far as it is asked for."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from server.mobile.codec import Message, Messages
from server.mobile.reading import MAX_INT64

Position = tuple[int, int, int, int]
"""Place in a timeline: time, index, number of the batch, place in the batch."""


@dataclass(frozen=True, slots=True)
class Source:
    """One batch: its number in order of arrival, the time of its first message, and how to read it."""

    seq: int
    first_ms: int
    load: Callable[[], Messages]


@dataclass(frozen=True, slots=True)
class _Place:
    position: Position
    messages: Messages

    @property
    def content(self) -> tuple[int, bytes]:
        """What makes two messages of one time the same."""
        return self.messages.type_at(self.position[3]), self.messages.raw(self.position[3])


def timeline(
    sources: Iterable[Source], *, start_ms: int, end_ms: int, after: Position | None = None
) -> Iterator[tuple[Position, Message]]:
    """The messages from `start_ms` to `end_ms` behind the position, in order of it; `sources` come in order of `first_ms`.

    Trackers put messages back and send them again in another batch when no answer came, though the first may have been
    kept. So of messages with the same time, type and fields only those of one batch are shown, the one that has most of them.
    """
    for group in _by_time(sources, start_ms, end_ms):
        for place in sorted(_once(group), key=lambda place: place.position):
            if after is None or place.position > after:
                yield place.position, place.messages[place.position[3]]


def _by_time(sources: Iterable[Source], start_ms: int, end_ms: int) -> Iterator[list[_Place]]:
    """All places of one time, time by time."""
    waiting = iter(sources)
    upcoming = next(waiting, None)
    heap: list[tuple[Position, Messages]] = []
    while heap or upcoming is not None:
        while upcoming is not None and (not heap or upcoming.first_ms <= min(heap[0][0][0], MAX_INT64)):
            for entry in _entries(upcoming, start_ms, end_ms):
                heapq.heappush(heap, entry)
            upcoming = next(waiting, None)
        if heap:
            time_ms = heap[0][0][0]
            group = []
            while heap and heap[0][0][0] == time_ms:
                group.append(_Place(*heapq.heappop(heap)))
            yield group


def _entries(source: Source, start_ms: int, end_ms: int) -> list[tuple[Position, Messages]]:
    messages = source.load()
    return [
        ((time_ms, index, source.seq, place), messages)
        for place, (time_ms, index) in enumerate(messages.places())
        if start_ms <= time_ms <= end_ms
    ]


def _once(group: Sequence[_Place]) -> list[_Place]:
    """The group without what came again in another batch."""
    if len({place.position[2] for place in group}) == 1:
        return list(group)
    batches: defaultdict[tuple[int, bytes], Counter[int]] = defaultdict(Counter)
    for place in group:
        batches[place.content][place.position[2]] += 1
    chosen = {content: max(sorted(counts), key=counts.__getitem__) for content, counts in batches.items()}
    return [place for place in group if place.position[2] == chosen[place.content]]
