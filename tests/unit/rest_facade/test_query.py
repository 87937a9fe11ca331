"""Text of path and query, read as JavaScript reads numbers and no wider."""

import pytest
from google.protobuf import descriptor_pb2
from healthguard.v1 import app_service_pb2, issue_pb2, issue_service_pb2

from rest_facade.contract import ContractError, load_document, operations
from rest_facade.problems import Problem
from rest_facade.query import ParameterReader

_OPERATIONS = {operation.id: operation for operation in operations(load_document())}


def reader(name: str) -> ParameterReader:
    return ParameterReader(_OPERATIONS[name].rpc.input_type, _OPERATIONS[name].parameters)


_ISSUES, _DETAIL = reader("listIssues"), reader("getIssue")


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("0", 0),
        ("1e3", 1000),
        ("0x10", 16),
        ("0b11", 3),
        ("0o17", 15),
        ("-1", -1),
        ("%2B5", 5),
        (" 7 ", 7),
        ("1790000000000.0", 1790000000000),
        (".5e1", 5),
        ("5.", 5),
    ],
)
def test_time_is_read_as_javascript_would(text: str, ms: int) -> None:
    fields, violations = _ISSUES.read({}, f"start={text}".encode())
    assert not violations
    assert issue_service_pb2.ListIssuesRequest(**fields).start_time.ToMilliseconds() == ms


@pytest.mark.parametrize("text", ["", "%20", "%EF%BB%BF", "%09"])
def test_blank_time_is_absent(text: str) -> None:
    assert _ISSUES.read({}, f"start={text}&end={text}".encode()) == ({}, [])


@pytest.mark.parametrize(
    "query",
    [
        "start=x",
        "start=1.5",
        "start=Infinity",
        "start=-Infinity",
        "start=NaN",
        "start=1e21",
        "start=1e999",
        "start=1&start=2",
        "start=2024-01-01",
        "start=1_0",
        "start=0x",
        "start=-0x1",
        "start=" + "9" * 65,
        "start=%D9%A1",
        "start=null",
    ],
)
def test_other_times_are_refused(query: str) -> None:
    fields, violations = _ISSUES.read({}, query.encode())
    assert fields == {}
    assert [(violation.field, violation.reason) for violation in violations] == [("start", "INVALID_TIME_RANGE")]


def test_known_word_is_an_enum_value() -> None:
    assert _ISSUES.read({}, b"status=archived") == ({"status": issue_pb2.ISSUE_STATUS_FILTER_ARCHIVED}, [])


@pytest.mark.parametrize(
    "query",
    [b"status=", b"status=OPEN", b"status=closed", b"status=unspecified", b"status=open&status=all", b"status=1"],
)
def test_other_words_are_refused(query: bytes) -> None:
    _, violations = _ISSUES.read({}, query)
    assert [violation.reason for violation in violations] == ["INVALID_STATUS"]


@pytest.mark.parametrize("query", [b"pageSize=x", b"pageSize=1.5", b"pageSize=99999999999"])
def test_bad_page_size_is_refused(query: bytes) -> None:
    _, violations = _ISSUES.read({}, query)
    assert [violation.reason for violation in violations] == ["INVALID_PAGE_SIZE"]


def test_unknown_parameters_are_ignored() -> None:
    assert _ISSUES.read({}, b"foo=bar&limit=1&foo=2&appKey=k") == ({"app_key": "k"}, [])


def test_text_is_decoded() -> None:
    assert _ISSUES.read({}, b"appKey=a+b%2Bc%C3%A4")[0] == {"app_key": "a b+cä"}


@pytest.mark.parametrize("query", [b"appKey=a&appKey=b", b"appKey=a%00"])
def test_text_twice_or_with_nul_is_refused(query: bytes) -> None:
    _, violations = _ISSUES.read({}, query)
    assert [(violation.field, violation.reason) for violation in violations] == [("appKey", "INVALID_ARGUMENT")]


def test_a_flood_of_parameters_is_refused() -> None:
    _, violations = _ISSUES.read({}, b"&".join(b"a=1" for _ in range(1000)))
    assert [violation.reason for violation in violations] == ["INVALID_ARGUMENT"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a:js:x", "a:js:x"),
        ("a%3Ajs", "a:js"),
        ("a%2Fb%20c%3Fd%23e%25f", "a/b c?d#e%f"),
        ("%E6%B5%8B", "测"),
        ("a+b", "a+b"),
    ],
)
def test_path_parameter_is_decoded(raw: str, text: str) -> None:
    assert _DETAIL.read({"id": raw}, b"") == ({"id": text}, [])


@pytest.mark.parametrize("raw", ["%FF", "a%00b"])
def test_broken_path_parameter_is_refused(raw: str) -> None:
    with pytest.raises(Problem) as caught:
        _DETAIL.read({"id": raw}, b"")
    assert caught.value.code == "INVALID_PATH"


def test_long_path_parameter_is_refused() -> None:
    assert not _DETAIL.read({"id": "x" * 1024}, b"")[1]
    assert [violation.field for violation in _DETAIL.read({"id": "x" * 1025}, b"")[1]] == ["id"]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", None),
        ("appKeys=", []),
        ("appKeys=a", ["a"]),
        ("appKeys=b,a,b", ["b", "a", "b"]),
        ("appKeys=a%2Cb", ["a", "b"]),
        ("appKeys=,a,,", ["", "a", "", ""]),
        ("appKeys=%20a", [" a"]),
    ],
)
def test_list_is_read_from_commas(query: str, keys: list[str] | None) -> None:
    fields, violations = reader("getAppOverviews").read({}, query.encode())
    assert violations == []
    assert fields.get("app_keys") == keys


@pytest.mark.parametrize("query", ["appKeys=a&appKeys=b", "appKeys=a,%00"])
def test_list_in_another_form_is_refused(query: str) -> None:
    _, violations = reader("getAppOverviews").read({}, query.encode())
    assert [violation.reason for violation in violations] == ["INVALID_APP_KEYS"]


def test_list_of_numbers_is_read_number_by_number() -> None:
    parameter = {"name": "path", "in": "query", "style": "form", "explode": False, "schema": {}}
    location = ParameterReader(descriptor_pb2.SourceCodeInfo.Location.DESCRIPTOR, (parameter,))
    assert location.read({}, b"path=1,0x10,%20,3e0") == ({"path": [1, 16, 3]}, [])
    assert location.read({}, b"path=1,x")[1] != []


@pytest.mark.parametrize("style", [{}, {"explode": True}, {"style": "spaceDelimited", "explode": False}])
def test_list_in_a_style_that_is_not_read_stops_the_program(style: dict) -> None:
    parameter = {"name": "appKeys", "in": "query", "schema": {}, **style}
    with pytest.raises(ContractError, match="without explode"):
        ParameterReader(app_service_pb2.BatchGetAppOverviewsRequest.DESCRIPTOR, (parameter,))
