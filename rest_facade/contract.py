"""The OpenAPI document and the protobuf descriptors, joined: which operation stands for which RPC."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import healthguard.v1
import yaml
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from healthguard.v1 import options_pb2 as options_pb

Schema: TypeAlias = Mapping[str, Any]
"""A JSON Schema of the document, references resolved."""

DOCUMENT_PATH = Path(__file__).with_name("openapi.yaml")

JSON = "application/json"

_METHODS = ("get", "put", "post", "delete", "patch")

EXTRA = "extra"
"""The Struct field that keeps the JSON keys a message has no field for; itself never seen in JSON."""


_WITH_TOKEN = frozenset(
    {
        options_pb.AUTH_REQUIREMENT_USER,
        options_pb.AUTH_REQUIREMENT_SESSION_TOKEN,
        options_pb.AUTH_REQUIREMENT_LATE_SESSION_TOKEN,
    }
)


class ContractError(Exception):
    """The document and the descriptors do not fit together; the program must not start."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the document."""

    id: str
    verb: str
    path: str
    rpc: MethodDescriptor | None
    """None where rest_facade/raw.py answers."""
    parameters: tuple[Schema, ...]
    body: Schema | None
    """Schema of the JSON body; None where no body is read."""
    success_status: int
    response: Schema | None
    """Schema of the JSON answer; None where the answer is empty or not JSON."""
    any_origin: bool
    bytes_field: str | None = None
    """The field of the request that takes the body as it is; None where the body is JSON or none is read."""
    max_body_bytes: int | None = None
    """Longest body, where the route has a bound of its own."""
    any_media_type: bool = False
    """Whether a JSON body is taken under any name."""
    aliases: tuple[str, ...] = ()
    """Other paths under which the operation answers."""

    @property
    def needs_user(self) -> bool:
        """Whether the RPC asks for a signed-in user."""
        return self._requirement == options_pb.AUTH_REQUIREMENT_USER

    @property
    def needs_token(self) -> bool:
        """Whether the RPC asks for a bearer token, of a user or of a recorded session."""
        return self._requirement in _WITH_TOKEN

    @property
    def _requirement(self) -> int:
        if self.rpc is None:
            return options_pb.AUTH_REQUIREMENT_UNSPECIFIED
        options: Any = self.rpc.GetOptions()  # the stubs do not know that `auth` extends MethodOptions
        return int(options.Extensions[options_pb.auth])


def load_document() -> dict[str, Any]:
    """The OpenAPI document as it is written."""
    # The loader written in C takes a tenth of the time, which every start of the server would otherwise wait for.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = yaml.load(DOCUMENT_PATH.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a safe one
    return document


def operations(document: Schema) -> Iterator[Operation]:
    """All operations of the document, references resolved; raises ContractError where one names no RPC there is."""
    _import_generated_code()
    resolved = resolve(document, document)
    for path, item in resolved["paths"].items():
        for verb in _METHODS:
            if verb in item:
                yield _operation(path, verb, item[verb])


def resolve(node: Any, document: Schema) -> Any:  # noqa: ANN401 - a document is any JSON
    """A copy of the node with every local `$ref` replaced by what it points to; the document has no cycles."""
    if isinstance(node, Mapping):
        if "$ref" in node:
            target: Any = document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            return resolve(target, document)
        return {key: resolve(value, document) for key, value in node.items()}
    if isinstance(node, list):
        return [resolve(item, document) for item in node]
    return node


def json_name(field: FieldDescriptor) -> str:
    """What the field is called in JSON."""
    return str(field.json_name)


def enum_words(field: FieldDescriptor) -> dict[int, str]:
    """The JSON word of each number: `ISSUE_STATUS_OPEN` of the enum IssueStatus is `open`."""
    enum = field.enum_type
    if enum is None:
        raise ContractError(f"{field.full_name} is no enum")
    prefix = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in enum.name)
    prefix = prefix.lstrip("_") + "_"
    return {value.number: value.name.removeprefix(prefix).lower() for value in enum.values}


def message_type_of(field: FieldDescriptor) -> Descriptor:
    """The message type of a field that holds messages."""
    if field.message_type is None:
        raise ContractError(f"{field.full_name} is no message")
    return field.message_type


def _import_generated_code() -> None:
    """Fills the default descriptor pool with every service of the package, those of later versions included."""
    for module in pkgutil.iter_modules(healthguard.v1.__path__):
        if module.name.endswith("_pb2"):
            importlib.import_module(f"healthguard.v1.{module.name}")


def _operation(path: str, verb: str, item: Schema) -> Operation:
    status = min(int(code) for code in item["responses"] if code.startswith("2"))
    body = item.get("requestBody", {}).get("content", {}).get(JSON)
    answer = item["responses"][str(status)].get("content", {}).get(JSON)
    name = item.get("x-grpc-method")
    return Operation(
        id=item["operationId"],
        verb=verb.upper(),
        path=path,
        rpc=_method(name) if name else None,
        parameters=tuple(item.get("parameters", ())),
        body=body["schema"] if body else None,
        success_status=status,
        response=answer["schema"] if answer else None,
        any_origin=bool(item.get("x-any-origin", False)),
        bytes_field=item.get("x-bytes-field"),
        max_body_bytes=item.get("x-max-body-bytes"),
        any_media_type=bool(item.get("x-any-media-type", False)),
        aliases=tuple(item.get("x-also-at", ())),
    )


def _method(full_name: str) -> MethodDescriptor:
    service_name, _, method_name = full_name.rpartition(".")
    try:
        service = descriptor_pool.Default().FindServiceByName(service_name)
        return service.methods_by_name[method_name]
    except KeyError as error:
        raise ContractError(f"x-grpc-method names an RPC that does not exist: {full_name}") from error
