"""One request through either door, built from the contract alone, and the answer as (code, reason)."""

from collections.abc import Mapping
from typing import Any

import grpc
import httpx
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from rest_facade.contract import Operation, load_document, operations
from server.contract import SERVICES
from tests.client import Json
from tests.mobile.tracker import JPEG
from tests.parity.driver import bearer
from tests.parity.grpc_driver import event_from_json

Answer = tuple[str, str]
OK: Answer = ("OK", "")

METHODS: dict[str, MethodDescriptor] = {
    f"{service.name}.{method.name}": method for service in SERVICES for method in service.methods
}
OPERATIONS: tuple[Operation, ...] = tuple(operations(load_document()))
ROUTES: dict[str, Operation] = {
    f"{o.rpc.containing_service.name}.{o.rpc.name}": o for o in OPERATIONS if o.rpc is not None
} | {"MobileSessionService.UploadImages": next(o for o in OPERATIONS if o.id == "uploadImages")}
"""The route of each RPC; uploads are a form that stands for one."""

_KINDS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}


def ask_grpc(channel: grpc.Channel, name: str, fields: Json, token: str | None) -> Answer:
    """Call the RPC over a socket."""
    method = METHODS[name]
    path = f"/{method.containing_service.full_name}/{method.name}"
    answer = GetMessageClass(method.output_type).FromString
    call = channel.stream_unary if method.client_streaming else channel.unary_unary
    requests = _steps(method, fields) if method.client_streaming else _message(method, fields)
    invoke: Any = call(
        path, request_serializer=lambda message: message.SerializeToString(), response_deserializer=answer
    )
    try:
        invoke(requests, metadata=tuple(bearer(token).items()), timeout=20)
    except grpc.RpcError as error:
        info = ErrorInfo()
        status = rpc_status.from_call(error)
        if status is not None and status.details:
            status.details[0].Unpack(info)
        return error.code().name, info.reason
    return OK


def ask_rest(http: httpx.Client, name: str, fields: Json, token: str | None) -> Answer:
    """Send the request that the document describes for the RPC."""
    operation = ROUTES[name]
    rest = dict(fields)
    path = operation.path
    query = {}
    for parameter in operation.parameters:
        key = parameter["name"]
        if parameter["in"] == "path" and key in rest:
            path = path.replace(f"{{{key}}}", str(rest.pop(key)))
        elif parameter["in"] == "query" and key in rest:
            value = rest.pop(key)
            query[key] = ",".join(value) if isinstance(value, list) else value
    answer = http.request(operation.verb, path, params=query, headers=dict(bearer(token)), **_body(operation, rest))
    if answer.is_success:
        assert answer.status_code == operation.success_status, f"{name}: {answer.status_code}"
        return OK
    return _KINDS.get(answer.status_code, str(answer.status_code)), answer.json()["code"]


def _body(operation: Operation, fields: Json) -> Mapping[str, Any]:
    if operation.id == "uploadImages":
        return {"files": [("batch", ("a.jpeg", JPEG, "image/jpeg"))]}
    if operation.bytes_field:
        return {"content": fields[operation.bytes_field]}
    return {"json": fields} if operation.body is not None else {}


def _message(method: MethodDescriptor, fields: Json) -> Any:
    message = GetMessageClass(method.input_type)()
    fields = dict(fields)
    for event in fields.pop("events", ()):
        message.events.append(event_from_json(event))
    for key, value in fields.items():
        field = next(field for field in method.input_type.fields if field.json_name == key)
        if field.enum_type is not None:
            prefix = field.enum_type.values[0].name.removesuffix("UNSPECIFIED")
            setattr(message, field.name, field.enum_type.values_by_name[prefix + value.upper()].number)
        elif isinstance(value, bytes):
            setattr(message, field.name, value)
        else:
            ParseDict({key: value}, message)
    return message


def _steps(method: MethodDescriptor, fields: Json) -> Any:
    step = GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(method.input_type.full_name))
    return iter([step(project=fields["project"]), step(file="a.jpeg"), step(chunk=JPEG)])
