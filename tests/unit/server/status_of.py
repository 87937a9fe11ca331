"""Reads what a failed call says: code, reason and details of its google.rpc.Status."""

from dataclasses import dataclass

import grpc.aio
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status


@dataclass(frozen=True)
class Failure:
    """A failed call, taken apart."""

    code: grpc.StatusCode
    text: str
    reason: str
    retry_after_s: int


def failure_of(error: grpc.aio.AioRpcError) -> Failure:
    """The parts of the error; empty reason and 0 seconds where the server gave none."""
    raw = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    status = Status.FromString(raw)
    return Failure(
        error.code(),
        error.details() or "",
        _detail(status, ErrorInfo()).reason,
        _detail(status, RetryInfo()).retry_delay.seconds,
    )


def _detail(status: Status, found: Message) -> Message:
    for detail in status.details:
        if detail.Unpack(found):
            break
    return found
