"""EventService: the door events come in by."""

from healthguard.v1 import event_service_pb2 as event_service_pb, event_service_pb2_grpc as event_service_grpc

from server import context as caller, logs
from server.ingest.line import IngestLine
from server.interceptors.base import Context, metadata_value


class EventService(event_service_grpc.EventServiceServicer):
    """Takes events through the ingest line."""

    def __init__(self, line: IngestLine) -> None:
        self._line = line

    async def IngestEvents(  # noqa: N802 -- the contract's name
        self, request: event_service_pb.IngestEventsRequest, context: Context
    ) -> event_service_pb.IngestEventsResponse:
        logs.bind(appKey=request.app_key[:128])
        taking = self._line.take(request, metadata_value(context, "x-origin"), caller.current().address)
        del request  # see IngestLine.take
        return await taking
