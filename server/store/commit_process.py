"""Commits of events and of recorded sessions in a process of their own, beside the one that serves.

In one process the thread that commits and the event loop share one interpreter lock. They hand it over at every statement,
from one core's cache to the other's: each request cost 1.6 times as much as where nothing was committed. Rows go over a pipe
instead, a commit at a time, and the verdicts come back once they are durable.

The process belongs to the one that serves: it is a fork of its beginning, knows of the world no more than the pipe and the
database, and ends with it, however that ends. Where it ends first another is started.
"""

import contextlib
import gc
import itertools
import marshal
import os
import pickle
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from enum import IntEnum
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Final, NoReturn

import structlog

from server.errors import StoreUnavailable, Unavailable
from server.store import events, receiving
from server.store.dimensions import Dimension
from server.store.engine import Engine
from server.store.events import IssueSeed, NewEvent, Submission
from server.store.performance import Measurement
from server.store.receiving import Outcome, Received
from server.store.sequence import Sequence as IdSequence

_PLAIN: Final = NewEvent._fields.index("dimension")
"""How many of an event's fields are values; tuples come after them."""

_MARSHAL: Final = 2
"""The version that looks for no repeated values, which takes longer than writing them again."""

_LOG = structlog.get_logger(__name__)


_FIRST_COUNTED: Final = 16
_COUNT_ROWS: Final = "ANALYZE issues, issue_facets, issue_hours, distinct_users, dimensions, events, sessions, session_batches, session_signals"
"""After so many commits, and twice as many, and so on. PostgreSQL itself begins a minute after the tables have grown; until then
an issue may be looked up among all of its app, because plans were kept from when they were few: ten times the CPU of a commit."""


class CommitFault(Exception):
    """What a commit came to in the other process, where that is a fault of this program; or why the store is unavailable."""


class _Order(IntEnum):
    """What the process may be asked to do."""

    COMMIT = 0
    RECEIVE = 1


class CommitProcess:
    """The process and this end of its pipe. Takes one order at a time; other threads wait."""

    def __init__(self, url: str) -> None:
        """Fork. To be called before this process has other threads."""
        self._url = url
        self._turn = threading.Lock()
        self._pipe, theirs = Pipe()
        gc.freeze()  # a collection writes to all that it looks at, and what is written to is no longer shared
        self._pid: int | None = os.fork()
        if self._pid == 0:
            self._pipe.close()
            _be(theirs)
        theirs.close()
        self._pipe.send_bytes(url.encode())

    def commit(self, submissions: Sequence[bytes], shard: int) -> list[list[bool]]:
        """What `events.commit` says of packed submissions. Raises what `_ordered` raises."""
        return self._ordered(marshal.dumps((_Order.COMMIT.value, list(submissions), shard), _MARSHAL))  # type: ignore[no-any-return]

    def receive(self, received: Sequence[Received], longest_ms: int) -> list[Outcome]:
        """What `receiving.receive` says of batches. Raises what `_ordered` raises."""
        order = (_Order.RECEIVE.value, pickle.dumps(received), longest_ms)
        return self._ordered(marshal.dumps(order, _MARSHAL))  # type: ignore[no-any-return]

    def _ordered(self, order: bytes) -> Any:  # noqa: ANN401 -- what the order comes to
        """Have it done. Raises DiskFull, StoreUnavailable and CommitFault.

        StoreUnavailable also where the process ended meanwhile: whether the order was committed is then not known, as it is
        when a database's connection breaks; clients send it again, and what was stored counts as their duplicate.
        """
        with self._turn:
            try:
                self._pipe.send_bytes(order)
                answer = self._pipe.recv_bytes()
            except (EOFError, OSError) as error:
                with contextlib.suppress(OSError):  # then the next order finds nobody either, and tries again
                    self._replace()
                raise StoreUnavailable from error
        done, fault, cause = pickle.loads(answer)  # noqa: S301 -- bytes of our own process
        if fault is not None:
            raise fault from CommitFault(cause)
        return done

    def close(self) -> None:
        """Wait for the process to end, which it does without further orders."""
        self._pipe.close()
        if self._pid is not None:
            os.waitpid(self._pid, 0)
            self._pid = None

    def _replace(self) -> None:
        """Start another program: with threads about, a fork is no longer to be had."""
        _LOG.error("the process that commits events died, starting another", pid=self._pid)
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)  # it is not waited for yet, so the number is nobody else's
        self.close()
        self._pipe, theirs = Pipe()
        with theirs:
            os.set_inheritable(theirs.fileno(), True)
            command = [sys.executable, "-m", __name__, str(theirs.fileno())]
            self._pid = os.posix_spawn(sys.executable, command, os.environ)
        self._pipe.send_bytes(self._url.encode())


def packed(submission: Submission) -> bytes:
    """One submission as it goes over the pipe: much smaller, and one object, for as long as it waits its turn."""
    app_id, minute, new, others = submission.app_id, submission.minute, submission.events, submission.others
    return marshal.dumps((app_id, minute, [_row(event) for event in new], dict(others)), _MARSHAL)


def unpacked(submission: bytes) -> Submission:
    """What was packed."""
    app_id, minute, rows, others = marshal.loads(submission)  # noqa: S302 -- bytes of our own process
    return Submission(app_id, minute, [_event(row) for row in rows], Counter(others))


def _row(event: NewEvent) -> tuple[Any, ...]:
    """Without the names: marshal knows no tuples but plain ones."""
    issue, measurement = event.issue, event.measurement
    return (*event[:_PLAIN], tuple(event.dimension), issue and tuple(issue), measurement and tuple(measurement))


def _event(row: tuple[Any, ...]) -> NewEvent:
    *plain, dimension, issue, measurement = row
    parts = (Dimension(*dimension), issue and IssueSeed(*issue), measurement and Measurement(*measurement))
    return NewEvent._make((*plain, *parts))


def _be(pipe: Connection) -> NoReturn:
    """Be the other process, right after the fork, to its end."""
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1):
            os.dup2(nothing, number)
        _serve(pipe)
        code = 0
    finally:
        os._exit(code)


def _serve(pipe: Connection) -> None:
    """Commit what is ordered until nobody is left to order. What stops the parent reaches us as the end of its pipe."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        engine, ids = Engine(pipe.recv_bytes().decode()), IdSequence()
        with contextlib.closing(engine):
            for commits in itertools.count(1):
                pipe.send_bytes(_answer(engine, ids, pipe.recv_bytes()))
                if not engine.is_sqlite and commits >= _FIRST_COUNTED and commits.bit_count() == 1:
                    with contextlib.suppress(Unavailable):
                        engine.write_now(lambda bulk: bulk.run(_COUNT_ROWS))


def _commit(engine: Engine, ids: IdSequence, packages: list[bytes], shard: int) -> list[list[bool]]:
    return engine.write_now(events.commit, list(map(unpacked, packages)), ids, shard)


def _receive(engine: Engine, ids: IdSequence, received: bytes, longest_ms: int) -> list[Outcome]:
    batches = pickle.loads(received)  # noqa: S301 -- bytes of our own process
    return engine.write_session_now(receiving.receive, batches, ids, longest_ms)


_ORDERS: Final[dict[_Order, Callable[..., Any]]] = {_Order.COMMIT: _commit, _Order.RECEIVE: _receive}


def _answer(engine: Engine, ids: IdSequence, order: bytes) -> bytes:
    kind, packed_up, number = marshal.loads(order)  # noqa: S302 -- bytes of our own process
    try:
        return pickle.dumps((_ORDERS[kind](engine, ids, packed_up, number), None, ""))
    except Unavailable as error:
        return pickle.dumps((None, error, repr(error.__cause__)))
    except Exception as error:  # noqa: BLE001 -- whatever it is, who ordered must hear of it
        return pickle.dumps((None, CommitFault(repr(error)), ""))


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])))
