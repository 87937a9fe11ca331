"""LedgerService: what became of every event."""

from healthguard.v1 import (
    ledger_pb2 as ledger_pb,
    ledger_service_pb2 as ledger_service_pb,
    ledger_service_pb2_grpc as ledger_service_grpc,
)
from sqlmodel import Session

from server import clock, context as caller
from server.errors import InvalidTimeRange
from server.services.convert import time_range, timestamp_from_ms
from server.store import ledger as store_ledger
from server.store.engine import Engine
from server.store.scope import visible_apps

MINUTE_MS = 60_000
DEFAULT_MINUTES = 60
MAX_MINUTES = 7 * 24 * 60


class LedgerService(ledger_service_grpc.LedgerServiceServicer):
    """Shows the books."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def GetLedger(  # noqa: N802
        self, request: ledger_service_pb.GetLedgerRequest, _context: object
    ) -> ledger_service_pb.GetLedgerResponse:
        first, last = _minutes(request)
        entries = await self._engine.read(_entries, caller.current_user().id, request.app_key, first, last)
        return ledger_service_pb.GetLedgerResponse(entries=entries)


def _minutes(request: ledger_service_pb.GetLedgerRequest) -> tuple[int, int]:
    """First and last minute since the epoch, inclusive. Raises InvalidTimeRange."""
    asked = time_range(
        request.start_time if request.HasField("start_time") else None,
        request.end_time if request.HasField("end_time") else None,
    )
    last = (clock.now_ms() if asked.end_ms is None else asked.end_ms) // MINUTE_MS
    first = last - DEFAULT_MINUTES + 1 if asked.start_ms is None else asked.start_ms // MINUTE_MS
    if not 0 <= last - first < MAX_MINUTES:
        raise InvalidTimeRange
    return first, last


def _entries(session: Session, user_id: int, app_key: str, first: int, last: int) -> list[ledger_pb.LedgerEntry]:
    apps = visible_apps(session, user_id, app_key)
    return [
        ledger_pb.LedgerEntry(
            app_key=apps[entry.app_id],
            minute=timestamp_from_ms(entry.minute * MINUTE_MS),
            reasons=entry.reasons,
            **entry.outcomes,
        )
        for entry in store_ledger.read(session, apps, first, last)
    ]
