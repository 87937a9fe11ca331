"""The recount: what the counters of a database say against what its rows say, without any code of the server between."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from healthguard.v1 import event_pb2 as event_pb
from sqlmodel import Session

from server.store import end_users
from server.store.engine import Engine

ERROR, FAILED = 1, 2
MOST_CRASHES = 10_000

COUNTED = {
    "all-time totals of events": (
        "SELECT app_id, sum(events) FROM totals WHERE platform = '' GROUP BY 1",
        "SELECT app_id, count(*) FROM events GROUP BY 1",
    ),
    "all-time totals of errors": (
        "SELECT app_id, sum(errors) FROM totals WHERE platform = '' GROUP BY 1",
        f"SELECT app_id, count(*) FROM events WHERE kind = {ERROR} GROUP BY 1",
    ),
    "all-time totals of failed requests": (
        "SELECT app_id, sum(failed_requests) FROM totals WHERE platform = '' GROUP BY 1",
        f"SELECT app_id, count(*) FROM events WHERE kind = {FAILED} GROUP BY 1",
    ),
    "affected users": (
        "SELECT app_id, sum(affected_users) FROM totals WHERE platform = '' GROUP BY 1",
        f"SELECT app_id, count(DISTINCT user_key) FROM events WHERE kind IN ({ERROR}, {FAILED}) GROUP BY 1",
    ),
    "issues": (
        "SELECT app_id, sum(issues) FROM totals WHERE platform = '' GROUP BY 1",
        "SELECT app_id, count(DISTINCT issue_id) FROM events GROUP BY 1",
    ),
    "events of each issue": (
        "SELECT id, event_count FROM issues",
        "SELECT issue_id, count(*) FROM events WHERE issue_id IS NOT NULL GROUP BY 1",
    ),
    "users of each issue": (
        "SELECT id, user_count FROM issues",
        "SELECT issue_id, count(DISTINCT user_key) FROM events WHERE issue_id IS NOT NULL GROUP BY 1",
    ),
    "events by hour and dimension": (
        "SELECT app_id, sum(events) FROM dimension_hours GROUP BY 1",
        "SELECT app_id, count(*) FROM events GROUP BY 1",
    ),
    "events by hour and issue": (
        "SELECT issue_id, sum(event_count) FROM issue_hours GROUP BY 1",
        "SELECT issue_id, count(*) FROM events WHERE issue_id IS NOT NULL GROUP BY 1",
    ),
    "the ledger's stored": (
        "SELECT app_id, sum(events) FROM ledger WHERE outcome = 'stored' GROUP BY 1",
        "SELECT app_id, count(*) FROM events GROUP BY 1",
    ),
    "the ledger's received": (
        "SELECT app_id * 100000000 + minute, sum(events) FROM ledger WHERE outcome = 'received' GROUP BY 1",
        "SELECT app_id * 100000000 + minute, sum(events) FROM ledger WHERE outcome <> 'received' GROUP BY 1",
    ),
    "batches of each session": (
        "SELECT id, batches FROM sessions",
        "SELECT session_id, count(*) FROM session_batches GROUP BY 1",
    ),
    "messages of each session": (
        "SELECT id, messages FROM sessions",
        "SELECT session_id, sum(messages) FROM session_batches GROUP BY 1",
    ),
    "crashes of each session": (
        "SELECT id, crashes FROM sessions",
        "SELECT session_id, count(*) FROM session_signals WHERE kind = 'crash' GROUP BY 1",
    ),
    "pictures of each session": (
        "SELECT id, images FROM sessions",
        "SELECT session_id, count(*) FROM session_images GROUP BY 1",
    ),
    "sessions that show each picture": (
        "SELECT app_id || '/' || hash, refs FROM blobs",
        "SELECT app_id || '/' || hash, count(*) FROM session_images GROUP BY 1",
    ),
}
"""Pairs of queries that have to give the same numbers; a number that is missing is 0."""


def recount(database_url: str) -> None:
    """Every counter is what its rows say."""
    with _connection(database_url) as connection:
        for name, (told, true) in COUNTED.items():
            assert _numbers(connection, told) == _numbers(connection, true), name


def crash_reasons(database_url: str, app_key: str) -> list[str]:
    """What the crash events of an app say, one entry an event."""
    with _connection(database_url) as connection, Session(connection) as session:
        app_id = connection.execute(
            sa.text("SELECT id FROM apps WHERE app_key = :app_key"), {"app_key": app_key}
        ).scalar_one()
        stored = end_users.events_page(session, app_id, None, b"", MOST_CRASHES)
        return [event_pb.Event.FromString(message).message for _, message in stored]


def shown_pictures(database_url: str) -> set[tuple[str, int]]:
    """Session and time of every picture that is shown."""
    with _connection(database_url) as connection:
        rows = connection.execute(sa.text("SELECT session_id, time_ms FROM session_images"))
        return {(str(session_id % 2**64), time_ms) for session_id, time_ms in rows}


def check_blobs(database_url: str, directory: Path) -> None:
    """Every object is in the books, and every picture that is shown is an object."""
    objects = {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}
    with _connection(database_url) as connection:
        booked = {_key(*row) for row in connection.execute(sa.text("SELECT app_id, hash FROM blobs"))}
        shown = {_key(*row) for row in connection.execute(sa.text("SELECT DISTINCT app_id, hash FROM session_images"))}
    whole = {name for name in objects if "#" not in name}  # a write that was cut off leaves its draft, never an object
    assert whole - booked == set()
    assert shown - whole == set()


def overdue_batches(database_url: str) -> int:
    """Batches whose events wait to be handed on."""
    with _connection(database_url) as connection:
        return int(connection.execute(sa.text("SELECT count(*) FROM session_batches WHERE events_due")).scalar_one())


def make_overdue(database_url: str) -> None:
    """Let what a dead process left behind look old enough to be finished by another."""
    with _connection(database_url, writes=True) as connection:
        connection.execute(sa.text("UPDATE session_batches SET received_ms = 0 WHERE events_due"))
        connection.commit()


def _key(app_id: int, hash_: str) -> str:
    return f"{app_id}/{hash_[:2]}/{hash_}"


def _numbers(connection: sa.Connection, query: str) -> dict[Any, int]:
    return {key: int(number) for key, number in connection.execute(sa.text(query)) if number}


@contextmanager
def _connection(database_url: str, *, writes: bool = False) -> Iterator[sa.Connection]:
    """A connection beside the collector's; one that only reads takes no lock that the collector waits for."""
    engine = Engine(database_url)
    try:
        with (engine.sync_engine() if writes else engine._read_engine).connect() as connection:
            yield connection
    finally:
        engine.close()
