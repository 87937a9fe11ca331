"""Validators that Connexion runs: compiled from the same document, parsing once, collecting instead of raising.

Connexion's own body validator rebuilds a pure Python validator for every request (140 batches of 50 a second; compiled:
1,200). Faults of shape are noted in the exchange and told by the transcoder after it knows the caller.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jsonschema_rs
from starlette.types import Receive, Scope

from rest_facade.contract import JSON, Operation, Schema
from rest_facade.exchange import exchange_of, operation_id
from rest_facade.json_text import parse_json
from rest_facade.problems import Violation
from rest_facade.query import DEFAULT_REASON, ParameterReader

_TYPE_WORDS = {
    "string": "a string",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "an array",
    "object": "an object",
}


class BodyChecker:
    """Compiled schema of one operation's body."""

    def __init__(self, schema: Schema) -> None:
        self._properties: Mapping[str, Schema] = schema.get("properties", {})
        self._order = {name: place for place, name in enumerate(self._properties)}
        self._validator = jsonschema_rs.Draft4Validator(_compilable(schema))

    def violations(self, value: Any) -> list[Violation]:  # noqa: ANN401 - any JSON value
        """What is wrong with the shape of the body, in the order of the schema's properties."""
        if self._validator.is_valid(value):
            return []
        found = [self._violation(error) for error in self._validator.iter_errors(value)]
        return sorted(found, key=lambda violation: self._order.get(violation.field.partition(".")[0], 0))

    def _violation(self, error: jsonschema_rs.ValidationError) -> Violation:
        keyword = error.kind.name
        path = [str(step) for step in error.instance_path]
        if keyword == "required":
            path.append(error.kind.property)  # type: ignore[attr-defined]  # only this kind has it
        # A body that is no object at all is told like one without its first property.
        top = path[0] if path else next(iter(self._properties), "")
        schema = self._properties.get(top, {})
        return Violation(".".join(path) or top, _reason(schema, keyword), _text(".".join(path), keyword, error, schema))


def _reason(schema: Schema, keyword: str) -> str:
    reason = schema.get("x-reason", DEFAULT_REASON)
    if isinstance(reason, str):
        return reason
    return str(reason.get(keyword, reason.get("default", DEFAULT_REASON)))


def _text(field: str, keyword: str, error: jsonschema_rs.ValidationError, schema: Schema) -> str:
    if not field:
        return "The body has to be a JSON object."
    if keyword in {"required", "minLength"}:
        return f"{field} is required."
    if keyword == "type":
        return f"{field} has to be {_TYPE_WORDS.get(schema.get('type', ''), 'of another type')}."
    if keyword in {"minItems", "maxItems"}:
        return f"{field} has to hold {schema.get('minItems', 0)} to {schema.get('maxItems', 'many')} items."
    return f"{field} is not valid: {keyword} {getattr(error.kind, 'limit', '')}".rstrip() + "."


def _compilable(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """The schema as JSON Schema knows it: `nullable` spelled out, items that are judged one by one left out."""
    if isinstance(schema, list):
        return [_compilable(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    out = {key: _compilable(value) for key, value in schema.items() if not key.startswith("x-")}
    if schema.get("x-judged-per-item"):
        out.pop("items")
    if schema.get("nullable") and "type" in out:
        out["type"] = [out["type"], "null"]
        if "enum" in out:
            out["enum"] = [*out["enum"], None]
    return out


def validator_map(planned: Mapping[str, Operation]) -> dict[str, Any]:
    """What Connexion's `validator_map` option wants, for the operations that stand for an RPC."""
    bodies = {name: BodyChecker(item.body) for name, item in planned.items() if item.body is not None}
    readers = {
        name: ParameterReader(item.rpc.input_type, item.parameters) for name, item in planned.items() if item.rpc
    }
    return {"parameter": _bind(_ParameterValidator, readers), "body": {JSON: _bind(_BodyValidator, bodies)}}


def _bind(validator: Callable[..., Any], plans: Mapping[str, Any]) -> Callable[..., Any]:
    """A factory as Connexion calls it for every request; what it passes stands in the plans already."""
    instance = validator(plans)
    return lambda *_args, **_kwargs: instance


class _ParameterValidator:
    """Reads path and query into the exchange."""

    def __init__(self, readers: Mapping[str, ParameterReader]) -> None:
        self._readers = readers

    def validate(self, scope: Scope) -> None:
        reader = self._readers.get(operation_id(scope) or "")
        if reader is not None:
            exchange = exchange_of(scope)
            exchange.fields, violations = reader.read(scope.get("path_params", {}), scope["query_string"])
            exchange.violations.extend(violations)


class _BodyValidator:
    """Parses and checks the body that `bodies.py` has read."""

    def __init__(self, checkers: Mapping[str, BodyChecker]) -> None:
        self._checkers = checkers

    async def wrap_receive(self, receive: Receive, *, scope: Scope) -> tuple[Receive, Scope]:
        exchange = exchange_of(scope)
        text = (await receive())["body"]
        exchange.body = parse_json(text) if text else None
        checker = self._checkers[operation_id(scope) or ""]
        exchange.violations.extend(checker.violations(exchange.body))
        return receive, scope
