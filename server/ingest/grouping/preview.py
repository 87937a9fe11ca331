"""A dry run of a version of the grouping: which issues it would join and which it would split."""

from collections.abc import Iterable

from healthguard.v1 import event_pb2 as event_pb

from server.ingest.grouping import fingerprint_by


class Preview:
    """Collects the fingerprints that a version makes of issues' events; what it holds grows with those alone."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._issues: list[frozenset[str]] = []
        self._heads: dict[str, int] = {}
        self._shared: set[str] = set()
        self.events = 0

    def add(self, head_id: int, events: Iterable[event_pb.Event]) -> None:
        """Look at the events of one issue, which is shown in the issue `head_id`."""
        found = set()
        for event in events:
            fingerprint = fingerprint_by(event, self._version)
            if fingerprint is None:
                continue
            self.events += 1
            found.add(fingerprint)
            if self._heads.setdefault(fingerprint, head_id) != head_id:
                self._shared.add(fingerprint)
        if found:
            self._issues.append(frozenset(found))

    @property
    def issues(self) -> int:
        """Issues looked at."""
        return len(self._issues)

    @property
    def joined(self) -> int:
        """Issues that would share a fingerprint with one that is shown as another issue."""
        return sum(not self._shared.isdisjoint(found) for found in self._issues)

    @property
    def split(self) -> int:
        """Issues whose events would get more than one fingerprint."""
        return sum(len(found) > 1 for found in self._issues)
