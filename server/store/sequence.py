"""Ids in time order, unique without asking the database."""

import secrets
import threading
import time

EPOCH_MS = 1_700_000_000_000
_NODE_BITS = 10
_COUNT_BITS = 12


class Sequence:
    """Gives increasing 63-bit ids: milliseconds since EPOCH_MS (41 bits), a random node (10), a count (12).

    The node is drawn once per process. Where an id must be unique the table has a constraint too, so two processes
    that drew the same node can cost a repeated transaction, never a mix-up.
    """

    def __init__(self) -> None:
        self._node = secrets.randbits(_NODE_BITS) << _COUNT_BITS
        self._last = 0
        self._lock = threading.Lock()

    def take(self, count: int) -> list[int]:
        """`count` new ids, ascending, greater than all this object gave before."""
        with self._lock:
            tick = max(self._last + 1, (time.time_ns() // 1_000_000 - EPOCH_MS) << _COUNT_BITS)
            self._last = tick + count - 1
        return [self._join(tick + i) for i in range(count)]

    def _join(self, tick: int) -> int:
        return (tick >> _COUNT_BITS) << (_NODE_BITS + _COUNT_BITS) | self._node | (tick & (1 << _COUNT_BITS) - 1)
