"""Turns HTTP requests into RPCs and their answers into JSON, by plans made from the OpenAPI document and the descriptors.

A new route needs an entry in the document and an RPC, no code here. The plans run as the last of Connexion's middlewares:
its decorators around a handler function cost 230 us a request (108 us without them), half of what a whole request may take.
"""

from collections.abc import Mapping
from typing import Any

import grpc.aio
import orjson
from google.protobuf.descriptor import Descriptor
from google.protobuf.message_factory import GetMessageClass
from healthguard.v1 import auth_service_pb2 as auth_pb, auth_service_pb2_grpc as auth_grpc
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rest_facade.contract import ContractError, Operation
from rest_facade.exchange import Exchange, exchange_of, operation_id
from rest_facade.json_input import MessageReader
from rest_facade.json_output import MessageWriter
from rest_facade.problems import Violation, invalid_request

_MEDIA_TYPE = "application/json; charset=utf-8"

# Files come from other people's devices: browsers shall take them for what we found them to be, and run nothing in them.
_FILE_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cache-control": "private, max-age=3600",
}


class Plan:
    """How one operation is served."""

    def __init__(self, operation: Operation, channel: grpc.aio.Channel) -> None:
        """Plans the operation; raises ContractError where document and descriptors disagree."""
        rpc = operation.rpc
        if rpc is None:
            raise ContractError(f"{operation.id} stands for no RPC")
        self.needs_user = operation.needs_user
        self._status = operation.success_status
        self._make = GetMessageClass(rpc.input_type)
        self._reader = MessageReader(rpc.input_type, operation.body) if operation.body else None
        self._bytes_field = operation.bytes_field
        self._writer = MessageWriter(rpc.output_type, operation.response) if operation.response else None
        self._answers_bytes = _is_file(rpc.output_type)
        self._call = channel.unary_unary(
            f"/{rpc.containing_service.full_name}/{rpc.name}",
            request_serializer=self._make.SerializeToString,
            response_deserializer=GetMessageClass(rpc.output_type).FromString,
        )

    def request(self, exchange: Exchange) -> Any:  # noqa: ANN401 - a message of the RPC's request type
        """The request message, after the shape of everything in the exchange was found right; raises Problem."""
        if self._bytes_field:
            return self._make(**exchange.fields, **{self._bytes_field: exchange.body})
        if self._reader is None:
            return self._make(**exchange.fields)
        message = self._make()
        faults = self._reader.fill(message, exchange.body)
        if faults:
            raise invalid_request(Violation(*fault) for fault in faults)
        if exchange.fields:
            message.MergeFrom(self._make(**exchange.fields))
        return message

    async def respond(self, exchange: Exchange, timeout_s: float) -> Response:
        """Calls the RPC and writes its answer; raises AioRpcError and Problem."""
        answer: Any = await self._call(self.request(exchange), metadata=exchange.metadata(), timeout=timeout_s)
        if self._answers_bytes:
            return Response(answer.data, self._status, _FILE_HEADERS, answer.content_type)
        if self._writer is None:
            return Response(status_code=self._status)
        return Response(orjson.dumps(self._writer.write(answer)), self._status, media_type=_MEDIA_TYPE)


def _is_file(answer: Descriptor) -> bool:
    """Whether an answer is a file: its type and its bytes, and nothing else."""
    return set(answer.fields_by_name) == {"content_type", "data"}


class Transcoder:
    """ASGI middleware that serves every operation with a plan; others pass."""

    def __init__(
        self, app: ASGIApp, *, planned: Mapping[str, Operation], channel: grpc.aio.Channel, timeout_s: float
    ) -> None:
        self._app, self._timeout_s = app, timeout_s
        self._plans = {name: Plan(operation, channel) for name, operation in planned.items()}
        self._get_me = auth_grpc.AuthServiceStub(channel).GetMe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        plan = self._plans.get(operation_id(scope) or "") if scope["type"] == "http" else None
        if plan is None:
            await self._app(scope, receive, send)
            return
        exchange = exchange_of(scope)
        if exchange.violations:
            await self._refuse(plan, exchange)
        response = await plan.respond(exchange, self._timeout_s)
        await response(scope, receive, send)

    async def _refuse(self, plan: Plan, exchange: Exchange) -> None:
        """Tells what is wrong, but strangers only that they are: as the server does, which checks the caller first."""
        if plan.needs_user:
            await self._get_me(auth_pb.GetMeRequest(), metadata=exchange.metadata(), timeout=self._timeout_s)
        raise invalid_request(exchange.violations)
