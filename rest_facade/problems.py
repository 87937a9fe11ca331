"""What goes wrong, as HTTP tells it: statuses of RPCs and the facade's own faults become RFC 9457 problem documents."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

import grpc
import grpc.aio
import orjson
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2 as details_pb, status_pb2 as status_pb
from starlette.responses import Response

PROBLEM_JSON = "application/problem+json; charset=utf-8"

# The metadata entry in which gRPC carries google.rpc.Status, and who we trust to have written it.
_STATUS_KEY = "grpc-status-details-bin"
_DOMAIN = "healthguard"

_HTTP_STATUS: dict[grpc.StatusCode, int] = {
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.UNKNOWN: 500,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 409,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DATA_LOSS: 500,
    grpc.StatusCode.UNAUTHENTICATED: 401,
}

# Reasons that HTTP has a status of its own for.
_HTTP_STATUS_BY_REASON = {"START_TOO_LARGE": 413, "BATCH_TOO_LARGE": 413, "UPLOAD_TOO_LARGE": 413}

# What is said where the status text cannot be trusted: a channel's own UNAVAILABLE names the address of the backend.
_FIXED_TEXT: dict[int, str] = {
    400: "The request is invalid.",
    401: "Unauthorized",
    403: "This is not allowed.",
    404: "Not found.",
    409: "The request conflicts with the current state.",
    499: "The request was cancelled.",
    501: "This is not implemented.",
    503: "The service is unavailable; try again later.",
    504: "The request took too long.",
}
_INTERNAL_TEXT = "Something went wrong on our side."


class Violation(NamedTuple):
    """What is wrong with one property or parameter."""

    field: str
    reason: str
    message: str


@dataclass(eq=False)
class Problem(Exception):
    """A request that is answered with an error."""

    status: int
    code: str
    detail: str
    violations: tuple[Violation, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    def response(self, request_id: str) -> Response:
        """The problem document; faults of ours carry the request id so that they can be found in the logs."""
        body: dict[str, object] = {
            "type": "about:blank",
            "title": _title(self.status),
            "status": self.status,
            "detail": self.detail,
            "message": self.detail,
            "code": self.code,
        }
        if self.violations:
            body["violations"] = [violation._asdict() for violation in self.violations]
        if self.status >= 500:
            body["requestId"] = request_id
        return Response(orjson.dumps(body), self.status, dict(self.headers), PROBLEM_JSON)


def from_rpc(error: grpc.aio.AioRpcError, retry_after_s: int) -> Problem:
    """The problem that a failed RPC stands for; its text is believed only where it carries our ErrorInfo."""
    told = _rich_status(error)
    info, violations, retry = _unpack(told) if told else (None, (), None)
    status = _HTTP_STATUS.get(error.code(), 500)
    if info is None:
        return _untrusted(status, error.code(), retry_after_s)
    if status == 500:
        return internal()
    status = _HTTP_STATUS_BY_REASON.get(info, status)
    wait = retry_after_s if retry is None else retry
    return Problem(
        status, info, error.details() or _FIXED_TEXT.get(status, _title(status)), violations, _headers(status, wait)
    )


def internal() -> Problem:
    """Whatever nobody foresaw."""
    return Problem(500, "INTERNAL", _INTERNAL_TEXT)


def route_not_found(verb: str, path: str) -> Problem:
    """No operation has this path and verb; one answer for both, as existing clients know it."""
    return Problem(404, "ROUTE_NOT_FOUND", f"Route {verb}:{path} not found")


def invalid_path() -> Problem:
    """A path with a broken percent sequence, a NUL, or bytes that are not UTF-8."""
    return Problem(400, "INVALID_PATH", "The path is not a valid URL path.")


def invalid_json(reason: str) -> Problem:
    """A body that is not JSON; the reason tells line and column."""
    return Problem(400, "INVALID_JSON", f"The body is not valid JSON: {reason}.")


def corrupt_body(encoding: str) -> Problem:
    """A body that is not what its Content-Encoding says."""
    return Problem(400, "CORRUPT_BODY", f"The body is not valid {encoding}.")


def invalid_request(violations: Iterable[Violation]) -> Problem:
    """Properties or parameters of the wrong shape; the first of them gives code and text."""
    told = tuple(violations)
    return Problem(400, told[0].reason, told[0].message, told)


def body_timeout() -> Problem:
    """A body that did not arrive in time. The connection is in the middle of it and cannot be used again."""
    return Problem(408, "BODY_TIMEOUT", "The body did not arrive in time.", headers=(("connection", "close"),))


def body_too_large(limit: int, *, inflated: bool) -> Problem:
    """A body over its bound."""
    after = " after decompression" if inflated else ""
    return Problem(413, "BODY_TOO_LARGE", f"The body is larger than {limit} bytes{after}.")


def not_multipart(given: str) -> Problem:
    """An upload that is no form, or one that does not say where its parts end."""
    return Problem(
        415, "UNSUPPORTED_MEDIA_TYPE", f"Unsupported media type: {given[:100] or 'none'}. Send multipart/form-data."
    )


def invalid_multipart() -> Problem:
    """An upload that breaks the form of its own type, or ends before its last part does."""
    return Problem(400, "INVALID_MULTIPART", "The body is not valid multipart/form-data.")


def unsupported_media_type(given: str) -> Problem:
    """A body that does not say it is JSON."""
    return Problem(
        415, "UNSUPPORTED_MEDIA_TYPE", f"Unsupported media type: {given[:100] or 'none'}. Send application/json."
    )


def unsupported_encoding(given: str, known: Iterable[str]) -> Problem:
    """A Content-Encoding nobody reads here; Accept-Encoding tells which are (RFC 7694)."""
    accepted = ", ".join(known)
    text = f"Unsupported content encoding: {given[:100]}. Known are {accepted}."
    return Problem(415, "UNSUPPORTED_ENCODING", text, headers=(("accept-encoding", accepted),))


def overloaded(retry_after_s: int) -> Problem:
    """More bytes in flight than memory is reserved for."""
    return Problem(503, "OVERLOADED", "The server is busy; try again later.", headers=_headers(503, retry_after_s))


def plain(status: int) -> Problem:
    """A status that some library chose."""
    if status >= 500:
        return internal()
    return Problem(status, HTTPStatus(status).name, _FIXED_TEXT.get(status, _title(status)))


def _untrusted(status: int, code: grpc.StatusCode, retry_after_s: int) -> Problem:
    if status == 429:
        # gRPC itself says RESOURCE_EXHAUSTED for a message over its limit or too many calls: nothing a user's quota explains.
        status = 503
    if status in {500, 501}:
        return internal()
    return Problem(status, code.name, _FIXED_TEXT[status], headers=_headers(status, retry_after_s))


def _headers(status: int, retry_after_s: int) -> tuple[tuple[str, str], ...]:
    if status == 401:
        return (("www-authenticate", "Bearer"),)
    if status in {429, 503}:
        return (("retry-after", str(retry_after_s)),)
    return ()


def _rich_status(error: grpc.aio.AioRpcError) -> status_pb.Status | None:
    for key, value in error.trailing_metadata() or ():
        if key == _STATUS_KEY and isinstance(value, bytes):
            try:
                return status_pb.Status.FromString(value)
            except DecodeError:
                return None
    return None


def _unpack(status: status_pb.Status) -> tuple[str | None, tuple[Violation, ...], int | None]:
    """Reason, violations and seconds to wait; the reason is None where somebody else wrote the status."""
    reason: str | None = None
    violations: tuple[Violation, ...] = ()
    retry: int | None = None
    info, bad, wait = details_pb.ErrorInfo(), details_pb.BadRequest(), details_pb.RetryInfo()
    for detail in status.details:
        if detail.Unpack(info):
            reason = info.reason if info.domain == _DOMAIN else None
        elif detail.Unpack(bad):
            violations = tuple(Violation(item.field, item.reason, item.description) for item in bad.field_violations)
        elif detail.Unpack(wait):
            retry = max(1, math.ceil(wait.retry_delay.seconds + wait.retry_delay.nanos / 1e9))
    return reason, violations, retry


def _title(status: int) -> str:
    return "Client Closed Request" if status == 499 else HTTPStatus(status).phrase
