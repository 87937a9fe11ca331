"""Attempts counted in the store, so that neither a restart nor a second process forgets them.

Each law is one upsert that admits and counts or does neither: a hundred attempts at once get no further than one by one.
"""

from collections.abc import Collection, Mapping
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from server.errors import TooManyAttempts, TooManyRegistrations
from server.store.tables import ThrottleRow

LONGEST_PAUSE_MS: Final = 900_000
REMEMBERED_MS: Final = 86_400_000
"""Attempts under a key are forgotten a day after the last: by then 900 s of pause mean nothing."""

PURGED_AT_ONCE: Final = 100


def wait_ms(session: Session, keys: Collection[bytes], now_ms: int) -> int:
    """Milliseconds until the last of the keys may try again; 0 when all may now."""
    latest = session.exec(
        select(sa.func.max(col(ThrottleRow.next_ms))).where(col(ThrottleRow.key).in_(keys))
    ).one_or_none()
    return max(0, (latest or 0) - now_ms)


def attempt(session: Session, free_attempts: Mapping[bytes, int], now_ms: int) -> None:
    """Count one attempt under each key. After its free ones in a row a key waits 1, 2, 4 ... up to 900 s after the last.

    Raises TooManyAttempts when one of the keys has to wait; the transaction must then end without an effect.
    """
    _purge(session, now_ms - REMEMBERED_MS)
    for key, free in sorted(free_attempts.items()):  # one order for all, so that nobody waits in a circle
        given = {"key": key, "free": free, "now": now_ms, "first": now_ms + (1_000 if free <= 1 else 0)}
        if session.connection().execute(_ATTEMPT, given).first() is None:
            raise TooManyAttempts(retry_after_s=max(1, wait_ms(session, [key], now_ms)) / 1_000)


def abandon(session: Session, keys: Collection[bytes], now_ms: int) -> None:
    """Take one attempt back under each key: it was never judged."""
    query = sa.update(ThrottleRow).where(col(ThrottleRow.key).in_(keys))
    session.connection().execute(query.values(attempts=ThrottleRow.attempts - 1, next_ms=now_ms))


def forgive(session: Session, keys: Collection[bytes]) -> None:
    """Forget the attempts under these keys."""
    session.connection().execute(sa.delete(ThrottleRow).where(col(ThrottleRow.key).in_(keys)))


def take(session: Session, key: bytes, per_hour: int, now_ms: int) -> None:
    """Admit one of `per_hour` registrations, which may come all at once and are given back evenly over the hour.

    Raises TooManyRegistrations with the time until the next one.
    """
    _purge(session, now_ms - REMEMBERED_MS)
    each_ms = 3_600_000 // per_hour
    ahead_ms = each_ms * (per_hour - 1)
    given = {"key": key, "now": now_ms, "each": each_ms, "latest": now_ms + ahead_ms}
    if session.connection().execute(_TAKE, given).first() is None:
        raise TooManyRegistrations(retry_after_s=max(1, wait_ms(session, [key], now_ms) - ahead_ms) / 1_000)


def _purge(session: Session, before_ms: int) -> None:
    old = select(ThrottleRow.key).where(ThrottleRow.seen_ms < before_ms).limit(PURGED_AT_ONCE)
    session.connection().execute(sa.delete(ThrottleRow).where(col(ThrottleRow.key).in_(old)))


# The pause after the n-th attempt beyond the free ones is 2^n seconds; the shift says so on both engines.
_ATTEMPT = sa.text(
    f"""
INSERT INTO throttles (key, attempts, next_ms, seen_ms) VALUES (:key, 1, :first, :now)
ON CONFLICT (key) DO UPDATE SET attempts = throttles.attempts + 1, seen_ms = excluded.seen_ms,
    next_ms = excluded.seen_ms + CASE
        WHEN throttles.attempts + 1 < CAST(:free AS BIGINT) THEN 0
        WHEN throttles.attempts + 1 >= CAST(:free AS BIGINT) + 10 THEN {LONGEST_PAUSE_MS}
        ELSE CAST(1000 AS BIGINT) << CAST(throttles.attempts + 1 - CAST(:free AS BIGINT) AS INTEGER) END
WHERE throttles.next_ms <= excluded.seen_ms
RETURNING attempts
"""  # noqa: S608 -- a number of this program
)

# `next_ms` is when all that was taken is given back: so far ahead of now the bucket is empty.
_TAKE = sa.text(
    """
INSERT INTO throttles (key, attempts, next_ms, seen_ms) VALUES (:key, 1, :now + CAST(:each AS BIGINT), :now)
ON CONFLICT (key) DO UPDATE SET attempts = throttles.attempts + 1, seen_ms = excluded.seen_ms,
    next_ms = CAST(:each AS BIGINT)
        + CASE WHEN throttles.next_ms > excluded.seen_ms THEN throttles.next_ms ELSE excluded.seen_ms END
WHERE throttles.next_ms <= CAST(:latest AS BIGINT)
RETURNING attempts
"""
)
