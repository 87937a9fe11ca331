"""Proof that an SQLite file can be used: held by one server alone, and sound as far as a start has time to look."""

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from server.errors import StartupFault

LOOK_S = 2.0
"""How long a start may look: 1 GiB that is in memory, all of most databases. `doctor` looks at everything."""

_LOOKS_EVERY = 100_000
"""Steps of SQLite's machine between two looks at the clock, about a millisecond."""


@contextmanager
def sole_user(path: Path) -> Iterator[None]:
    """Hold the file for this process; the system lets go of it however the process ends.

    The lock is on a file beside it: SQLite's own locks on the database are of the process, so that closing any other
    descriptor of the same file would drop them. Raises StartupFault while another process holds it.
    """
    with path.with_name(f"{path.name}.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartupFault(
                f"another HealthGuard Collector uses {path}; stop it first, or give this one a --data-dir of its own"
            ) from error
        yield


def damage(path: Path, *, look_s: float | None = None) -> str | None:
    """The first thing wrong with a database file, or None; after `look_s` seconds what is left counts as sound."""
    if not path.exists() or not path.stat().st_size:
        return None
    until = None if look_s is None else time.monotonic() + look_s
    try:
        with closing(sqlite3.connect(path, timeout=10)) as connection:
            if until is not None:
                connection.set_progress_handler(lambda: time.monotonic() > until, _LOOKS_EVERY)
            return _finding(connection)
    except sqlite3.DatabaseError as error:
        return str(error) if is_damage(error) else None


def is_damage(error: BaseException | None) -> bool:
    """Whether SQLite says that the file itself is at fault, not how it is used."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the upper bits say more exactly what
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def refuse_damaged(path: Path) -> None:
    """Raise StartupFault, with what to do about it, where a short look at the file finds damage."""
    found = damage(path, look_s=LOOK_S)
    if found is not None:
        raise StartupFault(
            f"the database {path} is damaged ({found}); nothing was changed. Move it and its -wal and -shm files away,"
            " then bring back a backup (healthguard restore FILE) or start with an empty one"
        )


def _finding(connection: sqlite3.Connection) -> str | None:
    try:
        told = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return None
        raise
    return None if told == "ok" else " ".join(told.split())
