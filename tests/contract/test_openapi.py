"""The OpenAPI document and the descriptors agree, down to names, types and required flags."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import healthguard.v1
import pytest
from connexion.spec import Specification
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from rest_facade import raw
from rest_facade.contract import ContractError, Operation, enum_words, load_document, operations
from rest_facade.inprocess import InProcessChannel, InProcessServer
from rest_facade.json_output import MessageWriter
from rest_facade.settings import FacadeSettings
from rest_facade.transcoder import make_plans
from rest_facade.validation import BodyChecker

_DOCUMENT = load_document()
_OPERATIONS = tuple(operations(_DOCUMENT))
_PLANNED = tuple(operation for operation in _OPERATIONS if operation.rpc is not None)

# RPCs that have no route, and why.
_GRPC_ONLY = {
    "healthguard.v1.MobileSessionService.UploadImages": "REST takes a form, which rest_facade/uploads.py streams to it",
}

# Fields that REST does not show, and why.
_NOT_IN_JSON = {
    "healthguard.v1.IngestEventsResponse.outcomes": "REST tells the exceptions in `rejected`; SDKs read nothing else",
    "healthguard.v1.Event.extra": "its keys stand beside the others",
    "healthguard.v1.Event.faults": "filled by the transcoder itself, told in `rejected`",
    "healthguard.v1.DeviceInfo.extra": "its keys stand beside the others",
    "healthguard.v1.StartSessionRequest.extra": "its keys stand beside the others",
    "healthguard.v1.Breadcrumb.extra": "its keys stand beside the others",
}

# Request fields that a route does not offer, and why.
_NOT_ASKED_FOR: dict[str, str] = {}

_SCALARS = {
    FieldDescriptor.CPPTYPE_STRING: {"string"},
    FieldDescriptor.CPPTYPE_BOOL: {"boolean"},
    FieldDescriptor.CPPTYPE_INT32: {"integer"},
    FieldDescriptor.CPPTYPE_INT64: {"integer"},
    FieldDescriptor.CPPTYPE_UINT64: {"integer"},
    FieldDescriptor.CPPTYPE_DOUBLE: {"number"},
    FieldDescriptor.CPPTYPE_ENUM: {"string"},
}


def _properties(
    descriptor: Descriptor, schema: Mapping[str, Any]
) -> Iterator[tuple[Descriptor, str, FieldDescriptor | None, Mapping[str, Any]]]:
    """Every property of a message and of the messages inside it, with its field."""
    fields = {field.json_name: field for field in descriptor.fields}
    for name, prop in schema["properties"].items():
        field = fields.get(name)
        yield descriptor, name, field, prop
        inner = prop.get("items", prop)
        if field is not None and field.message_type is not None and "properties" in inner:
            yield from _properties(field.message_type, inner)


def _messages(descriptor: Descriptor, schema: Mapping[str, Any]) -> Iterator[tuple[Descriptor, Mapping[str, Any]]]:
    yield descriptor, schema
    for _, _, field, prop in _properties(descriptor, schema):
        inner = prop.get("items", prop)
        if field is not None and field.message_type is not None and "properties" in inner:
            yield field.message_type, inner


_IN_PATH = {
    field.full_name
    for item in _PLANNED
    for parameter in item.parameters
    for field in item.rpc.input_type.fields
    if parameter["in"] == "path" and field.json_name == parameter["name"]
}
"""Fields that the path holds; a body does not repeat them."""

_BODIES = [pytest.param(item.rpc.input_type, item.body, id=item.id) for item in _PLANNED if item.body]
_ANSWERS = [pytest.param(item.rpc.output_type, item.response, id=item.id) for item in _PLANNED if item.response]
_ALL = [pytest.param(item, id=item.id) for item in _PLANNED]


def test_document_is_valid_openapi() -> None:
    Specification.from_dict(load_document())


def test_every_rpc_has_a_route_or_a_reason() -> None:
    routed = {operation.rpc.full_name for operation in _PLANNED}
    pool = descriptor_pool.Default()
    declared = {method.full_name for name in _services() for method in pool.FindServiceByName(name).methods}
    assert declared - routed == set(_GRPC_ONLY)


def _services() -> set[str]:
    """Full names of all services of the package, also those that no route names."""
    modules = [
        importlib.import_module(f"healthguard.v1.{item.name}")
        for item in pkgutil.iter_modules(healthguard.v1.__path__)
        if item.name.endswith("_pb2")
    ]
    return {service.full_name for module in modules for service in module.DESCRIPTOR.services_by_name.values()}


@pytest.mark.parametrize("operation", _ALL)
def test_what_can_be_asked_wrongly_says_so(operation: Operation) -> None:
    asked = operation.body is not None or any(parameter["in"] == "query" for parameter in operation.parameters)
    described = _DOCUMENT["paths"][operation.path][operation.verb.lower()]["responses"]
    assert not asked or "400" in described


def test_an_rpc_has_one_route() -> None:
    names = [operation.rpc.full_name for operation in _PLANNED]
    assert len(names) == len(set(names))


def test_every_other_operation_has_a_handler() -> None:
    handlers = raw.handlers(InProcessChannel(InProcessServer()))
    assert {operation.id for operation in _OPERATIONS if operation.rpc is None} == set(handlers)


@pytest.mark.parametrize("operation", _ALL)
def test_operation_can_be_planned(operation: Operation) -> None:
    make_plans({operation.id: operation}, InProcessChannel(InProcessServer()), FacadeSettings(), {})


@pytest.mark.parametrize("name", ["healthguard.v1.IssueService.NoSuch", "healthguard.v1.NoService.GetMe", "GetMe"])
def test_route_of_an_unknown_rpc_is_refused(name: str) -> None:
    document = {
        "paths": {
            "/x": {"get": {"operationId": "x", "x-grpc-method": name, "responses": {"200": {"description": "x"}}}}
        }
    }
    with pytest.raises(ContractError, match="does not exist"):
        list(operations(document))


@pytest.mark.parametrize(("descriptor", "schema"), [*_BODIES, *_ANSWERS])
def test_every_property_is_a_field(descriptor: Descriptor, schema: Mapping[str, Any]) -> None:
    unknown = [
        f"{owner.full_name}.{name}" for owner, name, field, _ in _properties(descriptor, schema) if field is None
    ]
    assert unknown == []


@pytest.mark.parametrize(("descriptor", "schema"), [*_BODIES, *_ANSWERS])
def test_every_property_has_the_type_of_its_field(descriptor: Descriptor, schema: Mapping[str, Any]) -> None:
    wrong = [
        f"{owner.full_name}.{name}"
        for owner, name, field, prop in _properties(descriptor, schema)
        if field and not _fits(field, prop)
    ]
    assert wrong == []


def _fits(field: FieldDescriptor, schema: Mapping[str, Any]) -> bool:
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        value, values = message.fields_by_name["value"], schema["additionalProperties"]
        is_union = value.message_type is not None and len(value.message_type.oneofs) == 1
        return schema["type"] == "object" and ("type" not in values if is_union else _fits(value, values))
    if field.is_repeated:
        return schema["type"] == "array" and _fits_one(field, schema["items"])
    return _fits_one(field, schema)


def _fits_one(field: FieldDescriptor, schema: Mapping[str, Any]) -> bool:
    if field.message_type is None:
        words = set(schema.get("enum", ()))
        known = set(enum_words(field).values()) - {"unspecified"} if field.enum_type else set()
        return schema["type"] in _SCALARS[field.cpp_type] and words == known
    if field.message_type.full_name == "google.protobuf.Timestamp":
        return schema["type"] in {"number", "integer"}
    if field.message_type.full_name == "google.protobuf.FieldMask":
        return schema["type"] == "string"
    return schema["type"] == "object"


@pytest.mark.parametrize(("descriptor", "schema"), [*_BODIES, *_ANSWERS])
def test_every_field_is_a_property_or_has_a_reason(descriptor: Descriptor, schema: Mapping[str, Any]) -> None:
    missing = {
        f"{message.full_name}.{field.name}"
        for message, shown in _messages(descriptor, schema)
        for field in message.fields
        if field.json_name not in shown["properties"]
    }
    assert missing <= set(_NOT_IN_JSON) | _IN_PATH


def test_reasons_for_hidden_fields_are_all_needed() -> None:
    pool = descriptor_pool.Default()
    shown = {
        f"{owner.full_name}.{field.name}"
        for item in _PLANNED
        for descriptor, schema in ((item.rpc.input_type, item.body), (item.rpc.output_type, item.response))
        if schema
        for owner, _, field, _ in _properties(descriptor, schema)
        if field
    }
    for name in _NOT_IN_JSON:
        assert pool.FindFieldByName(name)
        assert name not in shown


@pytest.mark.parametrize(("descriptor", "schema"), _ANSWERS)
def test_answers_require_what_is_always_there(descriptor: Descriptor, schema: Mapping[str, Any]) -> None:
    """A client may rely on every scalar without presence except where the schema says that empty means absent."""
    for message, shown in _messages(descriptor, schema):
        required = set(shown.get("required", ()))
        assert required <= set(shown["properties"])
        for field in message.fields:
            prop = shown["properties"].get(field.json_name)
            if prop is None or field.json_name in required:
                continue
            optional = field.has_presence or field.is_repeated or field.json_name == "nextPageToken"
            assert optional, f"{field.full_name} is always set, so {field.json_name} belongs into `required`"


@pytest.mark.parametrize(("descriptor", "schema"), _ANSWERS)
def test_nullable_answers_are_fields_with_presence(descriptor: Descriptor, schema: Mapping[str, Any]) -> None:
    for message, shown in _messages(descriptor, schema):
        for field in message.fields:
            prop = shown["properties"].get(field.json_name)
            if prop is None or field.is_repeated:
                continue
            required = field.json_name in shown.get("required", ())
            if prop.get("nullable"):
                assert field.has_presence
                assert required
            # A message may be set always; nobody declares a scalar `optional` without leaving it out at times.
            elif required:
                assert not field.has_presence or field.message_type is not None, field.full_name


@pytest.mark.parametrize(("descriptor", "schema"), _BODIES)
def test_bodies_require_what_has_no_presence(descriptor: Descriptor, schema: Mapping[str, Any]) -> None:
    for message, shown in _messages(descriptor, schema):
        for field in message.fields:
            if field.json_name in shown["properties"] and not field.is_repeated and field.message_type is None:
                assert (field.json_name in shown.get("required", ())) == (not field.has_presence), field.full_name


@pytest.mark.parametrize("operation", _ALL)
def test_request_fields_come_from_somewhere(operation: Operation) -> None:
    given = {parameter["name"] for parameter in operation.parameters} | set(
        (operation.body or {}).get("properties", {})
    )
    given |= {operation.bytes_field} - {None}
    hidden = {name.rpartition(".")[2] for name in _NOT_IN_JSON if name.startswith(operation.rpc.input_type.full_name)}
    fields = {field.json_name for field in operation.rpc.input_type.fields}
    assert given == fields - set(_NOT_ASKED_FOR) - hidden


@pytest.mark.parametrize("operation", _ALL)
def test_parameters_have_the_type_of_their_field(operation: Operation) -> None:
    fields = {field.json_name: field for field in operation.rpc.input_type.fields}
    for parameter in operation.parameters:
        assert _fits(fields[parameter["name"]], parameter["schema"]), parameter["name"]
        assert parameter.get("required", False) == (parameter["in"] == "path")


@pytest.mark.parametrize("operation", _ALL)
def test_documented_security_is_the_rpcs(operation: Operation) -> None:
    entry = _DOCUMENT["paths"][operation.path][operation.verb.lower()]
    assert ("security" in entry) == operation.needs_token
    assert ("401" in entry["responses"]) == (operation.needs_token or operation.id == "login")


@pytest.mark.parametrize("operation", [pytest.param(item, id=item.id) for item in _OPERATIONS])
def test_operation_is_described(operation: Operation) -> None:
    entry = _DOCUMENT["paths"][operation.path][operation.verb.lower()]
    assert entry["summary"]
    assert set(entry["tags"]) <= {tag["name"] for tag in _DOCUMENT["tags"]}
    assert all(parameter.get("description") for parameter in operation.parameters)


@pytest.mark.parametrize("operation", [pytest.param(item, id=item.id) for item in _PLANNED if item.body])
def test_every_body_property_names_its_reason(operation: Operation) -> None:
    assert all("x-reason" in prop for prop in operation.body["properties"].values())


def _fill(message: Message) -> Message:
    """Sets every field of the message and of those inside it to something that is not its default."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            value = field.message_type.fields_by_name["value"]
            if value.message_type is None:
                getattr(message, field.name)["k"] = _sample(value)
            else:
                _fill(getattr(message, field.name)["k"])
        elif field.is_repeated and field.message_type is None:
            getattr(message, field.name).append(_sample(field))
        elif field.is_repeated:
            _fill(getattr(message, field.name).add())
        elif field.message_type is None:
            setattr(message, field.name, _sample(field))
        elif isinstance(inner := getattr(message, field.name), Struct):
            inner.update({"a": [1, None]})
        elif isinstance(inner, Timestamp):
            inner.FromMilliseconds(1795355475472)
        else:
            _fill(inner)
    return message


def _sample(field: FieldDescriptor) -> object:
    if field.enum_type is not None:
        return field.enum_type.values[1].number
    return {
        FieldDescriptor.CPPTYPE_STRING: "x",
        FieldDescriptor.CPPTYPE_BOOL: True,
        FieldDescriptor.CPPTYPE_DOUBLE: 1.5,
    }.get(field.cpp_type, 7)


def _unset_optional(message: Message) -> Message:
    """Clears every field that the contract calls optional."""
    for field, value in message.ListFields():
        if field.has_presence and field.message_type is None:
            message.ClearField(field.name)
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for inner in value if field.is_repeated else [value]:
                _unset_optional(inner)
    return message


@pytest.mark.parametrize(("descriptor", "schema"), _ANSWERS)
@pytest.mark.parametrize(
    "change", [pytest.param(lambda message: message, id="full"), pytest.param(_unset_optional, id="bare")]
)
def test_written_answer_fits_its_schema(
    descriptor: Descriptor, schema: Mapping[str, Any], change: Callable[[Message], Message]
) -> None:
    answer = change(_fill(GetMessageClass(descriptor)()))
    assert BodyChecker(schema).violations(MessageWriter(descriptor, schema).write(answer)) == []
