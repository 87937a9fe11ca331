"""Leases: work that one process of an installation does at a time, for as long as it says so.

The clocks of several machines may differ by less than the length of a lease. Whoever works under a lease does so in
transactions that are right by themselves: two at once would waste work, nothing more.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class Lease:
    """A piece of work by its `name`, and who does it."""

    name: str
    holder: str


def claim(session: Session, lease: Lease, now_ms: int, until_ms: int) -> bool:
    """Take or prolong the lease; False while somebody else holds it. The row stays locked until the transaction ends."""
    given = {"name": lease.name, "holder": lease.holder, "now": now_ms, "until": until_ms}
    return session.connection().execute(text(_CLAIM), given).first() is not None


def release(session: Session, lease: Lease) -> None:
    """Let others take it at once."""
    session.connection().execute(
        text("DELETE FROM leases WHERE name = :name AND holder = :holder"),
        {"name": lease.name, "holder": lease.holder},
    )


_CLAIM = """
INSERT INTO leases (name, holder, expires_ms) VALUES (:name, :holder, :until)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_ms = excluded.expires_ms
WHERE leases.holder = excluded.holder OR leases.expires_ms <= :now
RETURNING holder
"""
