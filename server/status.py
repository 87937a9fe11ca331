"""THE table from domain errors to gRPC codes, and the one place that builds a google.rpc.Status."""

import math

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from server import errors

DOMAIN = "healthguard"

CODES: dict[type[errors.DomainError], grpc.StatusCode] = {
    errors.InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.WrongState: grpc.StatusCode.FAILED_PRECONDITION,
    errors.LimitExceeded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
}


def code_of(error: errors.DomainError) -> grpc.StatusCode:
    """The gRPC code of the error's kind."""
    return next(code for kind, code in CODES.items() if isinstance(error, kind))


def to_status(error: errors.DomainError) -> grpc.Status:
    """A status with ErrorInfo, and BadRequest or RetryInfo where the kind has them, for `context.abort_with_status`."""
    status = Status(code=code_of(error).value[0], message=str(error))
    status.details.add().Pack(ErrorInfo(reason=error.reason, domain=DOMAIN))
    if isinstance(error, errors.InvalidInput):
        violations = [
            BadRequest.FieldViolation(field=v.field, reason=v.reason, description=v.message) for v in error.violations
        ]
        status.details.add().Pack(BadRequest(field_violations=violations))
    if isinstance(error, errors.LimitExceeded | errors.Unavailable):
        status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=max(1, math.ceil(error.retry_after_s)))))
    return _packed(status)


def internal(request_id: str) -> grpc.Status:
    """The status of an unforeseen fault: fixed text and the request id, nothing of the cause."""
    status = Status(code=grpc.StatusCode.INTERNAL.value[0], message=f"Internal error. Request id: {request_id}")
    status.details.add().Pack(ErrorInfo(reason="INTERNAL", domain=DOMAIN, metadata={"requestId": request_id}))
    return _packed(status)


def _packed(status: Status) -> grpc.Status:
    packed: grpc.Status = rpc_status.to_status(status)
    return packed
