"""Made-up messages and made-up bytes for every RPC of the descriptors, against the real program: no fault is ever the server's."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from server import contract
from tests import figures
from tests.client import Account, Rest
from tests.collector import Collector
from tests.fuzz.amount import TIMES
from tests.sample import now_ms

CASES = 8 * TIMES
"""Requests per RPC, half of them bytes that may be no message."""

METHODS = {f"/{s.full_name}/{m.name}": m for s in contract.SERVICES for m in s.methods}
SERVER_FAULTS = {
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNIMPLEMENTED,
}
KNOWN_WORDS = st.sampled_from(["", "web", "error", "http", "js:abc", "\0", "%", "_", "-1", "9" * 400, "\U0001f600"])
TEXTS = KNOWN_WORDS | st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_ENUM: st.integers(-3, 12),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_FLOAT: st.floats(width=32),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(),
}
DEEPEST = 4


def messages(described: Descriptor, depth: int = 0) -> st.SearchStrategy[Message]:
    """Messages of this kind with any of their fields, every value any that its type can hold."""
    made = message_factory.GetMessageClass(described)
    fields = {f.name: _values(f, depth) for f in described.fields if depth < DEEPEST or f.message_type is None}
    return st.fixed_dictionaries({}, optional=fields).map(lambda chosen: _filled(made(), chosen))


def _values(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        if field.message_type.GetOptions().map_entry:
            return st.dictionaries(TEXTS, _values(field.message_type.fields_by_name["value"], depth + 1), max_size=3)
        one: st.SearchStrategy[Any] = st.deferred(lambda: messages(field.message_type, depth + 1))
    elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        one = st.binary(max_size=300) if field.type == FieldDescriptor.TYPE_BYTES else TEXTS
    else:
        one = INTEGERS[field.cpp_type]
    return st.lists(one, max_size=4) if field.is_repeated else one


def _filled(message: Any, chosen: dict[str, Any]) -> Message:
    for name, value in chosen.items():
        field = message.DESCRIPTOR.fields_by_name[name]
        if isinstance(value, dict):
            target = getattr(message, name)
            for key, inner in value.items():
                if isinstance(inner, Message):
                    target[key].CopyFrom(inner)
                else:
                    target[key] = inner
        elif field.is_repeated:
            getattr(message, name).extend(value)
        elif isinstance(value, Message):
            getattr(message, name).CopyFrom(value)
        else:
            setattr(message, name, value)
    return message


class Site:
    """Credentials of every kind, and values that are there, which made-up requests are sprinkled with."""

    def __init__(self, collector: Collector, rest: Rest) -> None:
        self.account: Account = rest.register()
        app = rest.create_app(self.account, type="ios")
        started = rest.http.post("/v1/ios/start", json={"projectKey": app["appKey"], "timestamp": now_ms()}).json()
        self.tracker_token: str = started["token"]
        self.real = {"app_key": app["appKey"], "app_keys": [app["appKey"]], "session_id": started["sessionID"]}
        self.channel = grpc.insecure_channel(collector.grpc, [("grpc.enable_http_proxy", 0)])


@pytest.fixture(scope="module")
def site(shared_sqlite: Collector) -> Iterator[Site]:
    with Rest(shared_sqlite.rest) as rest:
        found = Site(shared_sqlite, rest)
        yield found
        found.channel.close()


@pytest.fixture(scope="module")
def codes() -> Iterator[Counter[str]]:
    counted: Counter[str] = Counter()
    yield counted
    figures.tell("fuzz: gRPC", methods=len(METHODS), requests=counted.total(), **dict(sorted(counted.items())))


@pytest.mark.parametrize("path", METHODS)
def test_no_message_breaks_a_method(path: str, site: Site, codes: Counter[str], shared_sqlite: Collector) -> None:
    method = METHODS[path]
    token = site.account.token
    if "MobileSession" in path:
        token = site.tracker_token
    elif path.startswith("/healthguard.v1.AuthService/"):
        with Rest(shared_sqlite.rest) as rest:  # some of these end the session they are called with
            token = rest.register().token
    wanted = messages(method.input_type).map(lambda message: _with_real_values(message, site.real))
    serialised = wanted.map(lambda message: message.SerializeToString())
    whole = st.lists(serialised | st.binary(max_size=400), min_size=1, max_size=3)

    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(whole)
    def ask(requests: list[bytes]) -> None:
        code = _answered(site.channel, method, path, requests, token)
        codes[code.name] += 1
        assert code not in SERVER_FAULTS

    ask()


def _with_real_values(message: Any, real: dict[str, Any]) -> Message:
    """The message, pointing to something that is there where it would point to something made up."""
    for name, value in real.items():
        field = message.DESCRIPTOR.fields_by_name.get(name)
        if field is not None and len(message.SerializeToString()) % 2:
            _filled(message, {name: value})
    return message


def _answered(
    channel: grpc.Channel, method: MethodDescriptor, path: str, requests: list[bytes], token: str
) -> grpc.StatusCode:
    metadata = (("authorization", f"Bearer {token}"),)
    try:
        if method.client_streaming:
            channel.stream_unary(path)(iter(requests), metadata=metadata, timeout=30)
        else:
            channel.unary_unary(path)(requests[0], metadata=metadata, timeout=30)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK
