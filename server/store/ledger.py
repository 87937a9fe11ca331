"""Reading the ledger."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlmodel import Session, col

from server.store.counters import DUPLICATE, LIMITED, RECEIVED, REJECTED, STORED
from server.store.tables import LedgerRow

_OUTCOMES = (RECEIVED, STORED, DUPLICATE, REJECTED, LIMITED)


@dataclass(slots=True)
class LedgerEntry:
    """What one app sent in one minute since the epoch."""

    app_id: int
    minute: int
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_OUTCOMES, 0))
    reasons: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))


def read(session: Session, app_ids: Mapping[int, str], first_minute: int, last_minute: int) -> list[LedgerEntry]:
    """Entries of the apps in the inclusive range of minutes, newest first, then by app."""
    key = (col(LedgerRow.app_id), col(LedgerRow.minute), col(LedgerRow.outcome), col(LedgerRow.reason))
    rows = session.connection().execute(
        sa.select(*key, sa.func.sum(col(LedgerRow.events)))
        .where(key[0].in_(app_ids), key[1].between(first_minute, last_minute))
        .group_by(*key)
    )
    entries: dict[tuple[int, int], LedgerEntry] = {}
    for app_id, minute, outcome, reason, events in rows:
        entry = entries.setdefault((minute, app_id), LedgerEntry(app_id, minute))
        entry.outcomes[outcome] += int(events)
        if reason:
            entry.reasons[reason] += int(events)
    return [entries[key] for key in sorted(entries, key=lambda key: (-key[0], key[1]))]


def unbalanced(session: Session, limit: int) -> list[tuple[int, int]]:
    """(app id, minute) where received is not what became of it, at most `limit` of them, the first ones first."""
    signed = sa.case((col(LedgerRow.outcome) == RECEIVED, col(LedgerRow.events)), else_=-col(LedgerRow.events))
    key = (col(LedgerRow.app_id), col(LedgerRow.minute))
    query = sa.select(*key).group_by(*key).having(sa.func.sum(signed) != 0).order_by(*key).limit(limit)
    return [(app_id, minute) for app_id, minute in session.connection().execute(query)]
