"""Turns HTTP requests into RPCs and their answers into JSON, by plans made from the OpenAPI document and the descriptors.

A new route needs an entry in the document and an RPC, no code here. The plans run in front of Connexion (routing.py) or, for
paths with parameters, as the last of its middlewares: its decorators around a handler function cost 230 us a request (108 us
without them), half of what a whole request may take.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import grpc
import grpc.aio
import orjson
from google.protobuf.descriptor import Descriptor
from google.protobuf.message_factory import GetMessageClass
from healthguard.v1 import auth_service_pb2 as auth_pb, auth_service_pb2_grpc as auth_grpc
from starlette.types import ASGIApp, Receive, Scope, Send

from rest_facade.bodies import Bodies, Body
from rest_facade.contract import ContractError, Operation
from rest_facade.exchange import Exchange, exchange_of, operation_id
from rest_facade.json_input import MessageReader
from rest_facade.json_output import MessageWriter
from rest_facade.json_text import parse_json
from rest_facade.problems import Violation, invalid_request
from rest_facade.query import ParameterReader
from rest_facade.reply import RawHeaders, Reply
from rest_facade.settings import FacadeSettings
from rest_facade.turnstile import refused
from rest_facade.validation import BodyChecker

_JSON_HEADERS: RawHeaders = ((b"content-type", b"application/json; charset=utf-8"),)

# Files come from other people's devices: browsers shall take them for what we found them to be, and run nothing in them.
_FILE_HEADERS: RawHeaders = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"cache-control", b"private, max-age=3600"),
    (b"vary", b"Authorization"),
)


Gate = Callable[[bytes], grpc.Status | None]
"""Tells of a body whether the RPC behind it would refuse it, as far as that can be told before it is parsed."""


class Given(NamedTuple):
    """What a request says, read but not yet made into a message."""

    fields: dict[str, Any]
    """Fields of the request message read from path and query."""
    body: Any
    """The parsed JSON body, or the bytes of one that is not JSON; None without one."""
    violations: list[Violation]
    """What is wrong with the shape of parameters and body."""


class Plan:
    """How one operation is served."""

    def __init__(
        self,
        operation: Operation,
        channel: grpc.aio.Channel,
        bodies: Bodies,
        settings: FacadeSettings,
        gate: Gate | None = None,
    ) -> None:
        """Plans the operation; raises ContractError where document and descriptors disagree."""
        rpc = operation.rpc
        if rpc is None:
            raise ContractError(f"{operation.id} stands for no RPC")
        self.verb, self.path = operation.verb, operation.path
        self._gate = gate
        self._operation, self._bodies, self._timeout_s = operation, bodies, settings.rpc_timeout_s
        self._has_body = operation.body is not None or operation.bytes_field is not None
        self._parameters = ParameterReader(rpc.input_type, operation.parameters)
        self._checker = BodyChecker(operation.body) if operation.body is not None else None
        self._make = GetMessageClass(rpc.input_type)
        self._reader = MessageReader(rpc.input_type, operation.body) if operation.body else None
        self._writer = MessageWriter(rpc.output_type, operation.response) if operation.response else None
        self._answers_bytes = _is_file(rpc.output_type)
        self._get_me = auth_grpc.AuthServiceStub(channel).GetMe
        self._call = channel.unary_unary(
            f"/{rpc.containing_service.full_name}/{rpc.name}",
            request_serializer=self._make.SerializeToString,
            response_deserializer=GetMessageClass(rpc.output_type).FromString,
        )

    async def serve(self, scope: Scope, receive: Receive, send: Send, path: Mapping[str, str]) -> None:
        """Serves one request, `path` being the parameters in its path; raises Problem, AioRpcError and ClientDisconnect."""
        exchange = exchange_of(scope)
        if not self._has_body:
            request = await self._request(exchange, self._given(path, scope["query_string"], b""))
            await self._reply(exchange, await self._asked(exchange, request)).send(send)
            return
        with self._bodies.open(self._operation, exchange, receive) as body:
            # Nothing read here is kept while the RPC is waited for: dozens of requests wait at once, and where each held its
            # body and the values in it, a batch of fifty took half as long again, for caches that hold nothing twice.
            asked = self._asked(exchange, await self._read(exchange, body, path, scope["query_string"]))
            await self._reply(exchange, await asked).send(send)

    async def _read(self, exchange: Exchange, body: Body, path: Mapping[str, str], query: bytes) -> Any:  # noqa: ANN401 - a message
        """The request message for a request with a body."""
        text = await body.read()
        exchange.request_bytes = len(text)
        if self._gate is not None and (refusal := self._gate(text)) is not None:
            raise refused(refusal)
        return await self._request(exchange, self._given(path, query, text))

    def _asked(self, exchange: Exchange, request: Any) -> Awaitable[Any]:  # noqa: ANN401 - a message
        return self._call(request, metadata=exchange.metadata(), timeout=self._timeout_s)

    def _reply(self, exchange: Exchange, answer: Any) -> Reply:  # noqa: ANN401 - a message
        status = self._operation.success_status
        if self._answers_bytes:
            content_type = (b"content-type", answer.content_type.encode("latin-1"))
            return Reply(status, (content_type, *_FILE_HEADERS), answer.data)
        if self._writer is None:
            return Reply(status)
        text = orjson.dumps(self._writer.write(answer))
        return _revalidated(text, exchange) if self.verb == "GET" else Reply(status, _JSON_HEADERS, text)

    async def _request(self, exchange: Exchange, given: Given) -> Any:  # noqa: ANN401 - a message of the RPC's request type
        """The request message for what was given; raises Problem for what is wrong with it."""
        if given.violations:
            await self._refuse(exchange, given.violations)
        message = self._make(**given.fields)
        if self._operation.bytes_field:
            setattr(message, self._operation.bytes_field, given.body)
        elif self._reader is not None:
            faults = self._reader.fill(message, given.body)
            if faults:
                raise invalid_request(Violation(*fault) for fault in faults)
        return message

    def _given(self, path: Mapping[str, str], query: bytes, text: bytes) -> Given:
        """Reads what the request says; raises Problem for what is no path or no JSON."""
        fields, violations = self._parameters.read(path, query)
        if self._checker is None:
            return Given(fields, text, violations)
        body = parse_json(text) if text else None
        return Given(fields, body, violations + self._checker.violations(body))

    async def _refuse(self, exchange: Exchange, violations: list[Violation]) -> None:
        """Tells what is wrong, but strangers only that they are: as the server does, which checks the caller first."""
        if self._operation.needs_user:
            await self._get_me(auth_pb.GetMeRequest(), metadata=exchange.metadata(), timeout=self._timeout_s)
        raise invalid_request(violations)


def make_plans(
    planned: Mapping[str, Operation], channel: grpc.aio.Channel, settings: FacadeSettings, gates: Mapping[str, Gate]
) -> dict[str, Plan]:
    """The plan of each operation, by its id; together they keep the bounds on bodies. `gates` goes by operation too."""
    bodies = Bodies(settings)
    return {name: Plan(operation, channel, bodies, settings, gates.get(name)) for name, operation in planned.items()}


def _revalidated(text: bytes, exchange: Exchange) -> Reply:
    """An answer that browsers keep and ask about: who looks at a page that did not change is sent no body again."""
    etag = b'"%s"' % hashlib.blake2b(text, digest_size=16).hexdigest().encode("ascii")
    headers = (*_JSON_HEADERS, (b"etag", etag), (b"cache-control", b"private, no-cache"))
    if etag in exchange.headers.get(b"if-none-match", b""):
        return Reply(304, headers)
    return Reply(200, headers, text)


def _is_file(answer: Descriptor) -> bool:
    """Whether an answer is a file: its type and its bytes, and nothing else."""
    return set(answer.fields_by_name) == {"content_type", "data"}


class Transcoder:
    """ASGI middleware that serves every operation with a plan; others pass."""

    def __init__(self, app: ASGIApp, *, plans: Mapping[str, Plan]) -> None:
        self._app, self._plans = app, plans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        plan = self._plans.get(operation_id(scope) or "") if scope["type"] == "http" else None
        if plan is None:
            await self._app(scope, receive, send)
        else:
            await plan.serve(scope, receive, send, scope.get("path_params", {}))
