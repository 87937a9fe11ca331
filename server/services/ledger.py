"""LedgerService: what became of every event."""

from healthguard.v1 import (
    ledger_pb2 as ledger_pb,
    ledger_service_pb2 as ledger_service_pb,
    ledger_service_pb2_grpc as ledger_service_grpc,
)
from sqlmodel import Session

from server import clock, context as caller
from server.errors import InvalidTimeRange
from server.services.convert import ms_from_timestamp, timestamp_from_ms
from server.store import ledger as store_ledger
from server.store.engine import Engine
from server.store.scope import owned_apps

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
    now = clock.now_ms() // MINUTE_MS
    last = ms_from_timestamp(request.end_time) // MINUTE_MS if request.HasField("end_time") else now
    first = last - DEFAULT_MINUTES + 1
    if request.HasField("start_time"):
        first = ms_from_timestamp(request.start_time) // MINUTE_MS
    if not 0 <= last - first < MAX_MINUTES:
        raise InvalidTimeRange
    return first, last


def _entries(session: Session, user_id: int, app_key: str, first: int, last: int) -> list[ledger_pb.LedgerEntry]:
    apps = owned_apps(session, user_id, app_key)
    return [
        ledger_pb.LedgerEntry(
            app_key=apps[entry.app_id],
            minute=timestamp_from_ms(entry.minute * MINUTE_MS),
            reasons=entry.reasons,
            **entry.outcomes,
        )
        for entry in store_ledger.read(session, apps, first, last)
    ]
