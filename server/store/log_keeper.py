"""Moves SQLite's write-ahead log into the database, beside the writer: by default a commit now and then does it, and its requests wait."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

PAUSE_S: Final = 0.25
"""Between two rounds, in which pages that were written again are moved once."""

LONG_PAGES: Final = 1_000
"""A log this long starts over. It can only when nothing is left in it, so the writer moves what came in during the round."""

MOST_PAGES: Final = 8_000
"""Where SQLite moves the log within a commit after all."""


class LogKeeper:
    """One thread, from the first commit on. What it cannot move stays in the log, and is safe there."""

    def __init__(
        self, readers: sa.Engine, writers: sa.Engine, writing: Callable[[Callable[[], int]], Future[int]]
    ) -> None:
        """`writing` runs what must not run beside a commit."""
        self._readers = readers
        self._writers = writers
        self._writing = writing
        self.moving = threading.Lock()
        """Held during the part of a round that runs beside the writer. SQLite refuses to cut the log meanwhile."""
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-log")

    def note_commit(self) -> None:
        """There is something to move. Called by the writer's thread alone."""
        if self._thread.ident is None:
            self._thread.start()
        self._wake.set()

    def close(self) -> None:
        """Wait for a round that is under way; before the executor is shut down."""
        self._closing.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            with contextlib.suppress(sqlite3.Error, SQLAlchemyError):
                with self.moving:
                    pages = _move(self._readers)
                if pages >= LONG_PAGES and not self._closing.is_set():
                    self._writing(lambda: _move(self._writers)).result()
            self._closing.wait(PAUSE_S)


def _move(engine: sa.Engine) -> int:
    """Move what no reader needs in the log, without waiting for anybody; how many pages the log has."""
    pooled = engine.raw_connection()
    try:
        move: Callable[[str], sqlite3.Cursor] = pooled.driver_connection.execute  # type: ignore[union-attr]
        _, pages, _ = move("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    finally:
        pooled.close()
    return int(pages)
