"""The error table is total: every error has one reason of its own, a code, and the details its kind promises."""

from collections.abc import Iterator

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from server import errors, status


def _concrete(kind: type[errors.DomainError]) -> Iterator[type[errors.DomainError]]:
    below = kind.__subclasses__()
    if not below:
        yield kind
    for child in below:
        yield from _concrete(child)


ERRORS = sorted(_concrete(errors.DomainError), key=lambda error: error.__name__)


def _raised(error: type[errors.DomainError]) -> errors.DomainError:
    return error(2.5) if issubclass(error, errors.LimitExceeded | errors.Unavailable) else error()


def _parsed(error: errors.DomainError) -> Status:
    metadata = dict(status.to_status(error).trailing_metadata)
    return Status.FromString(metadata[rpc_status.GRPC_DETAILS_METADATA_KEY])


def _detail(found: Status, kind: type[ErrorInfo | BadRequest | RetryInfo]) -> ErrorInfo | BadRequest | RetryInfo | None:
    detail = kind()
    return detail if any(entry.Unpack(detail) for entry in found.details) else None


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_has_a_status_with_its_reason(error: type[errors.DomainError]) -> None:
    found = _parsed(_raised(error))
    info = _detail(found, ErrorInfo)
    assert (info.domain, info.reason) == ("healthguard", error.reason)
    assert found.message
    assert status.code_of(_raised(error)) not in {grpc.StatusCode.OK, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}


@pytest.mark.parametrize("error", [e for e in ERRORS if issubclass(e, errors.InvalidInput)])
def test_invalid_input_names_the_field(error: type[errors.InvalidInput]) -> None:
    violations = _detail(_parsed(_raised(error)), BadRequest).field_violations
    assert [violation.field for violation in violations] == [error.field]


@pytest.mark.parametrize("error", [e for e in ERRORS if issubclass(e, errors.LimitExceeded | errors.Unavailable)])
def test_errors_that_pass_say_when_to_come_back(error: type[errors.DomainError]) -> None:
    assert _detail(_parsed(_raised(error)), RetryInfo).retry_delay.seconds >= 1


def test_reasons_are_unique() -> None:
    reasons = [error.reason for error in ERRORS]
    assert len(reasons) == len(set(reasons))


def test_an_unforeseen_fault_tells_only_the_request_id() -> None:
    found = status.internal("req-1")
    assert found.code is grpc.StatusCode.INTERNAL
    assert found.details == "Internal error. Request id: req-1"
