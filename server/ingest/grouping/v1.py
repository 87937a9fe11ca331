"""Version 1 of the server's own grouping.

Frozen: issues are stored under these fingerprints, so once released neither this module nor `frames`, `masks` and
`pathname` may change an answer. An improvement is a new version beside it, entered in `VERSIONS`.
"""

from hashlib import blake2b

from healthguard.v1 import event_pb2 as event_pb

from server.ingest.grouping.frames import file_name, top_frames
from server.ingest.grouping.inputs import Input, Masked
from server.ingest.grouping.masks import mask_message, mask_path, masked_in_message, masked_in_path
from server.ingest.grouping.pathname import pathname

VERSION = "v1"
# Between inputs, so that no shift of text from one to the next gives the same fingerprint.
_SEPARATOR = "\x1f"
_DIGEST_BYTES = 16
# Where some environments put the stack into the message, this is where it begins.
_FIRST_FRAME = "\n    at "
# Longer addresses are data: URLs.
_MAX_FILENAME = 2048


def error_inputs(event: event_pb.Event) -> list[Input]:
    """Return what tells errors apart: type, message without its variables, and the top frames of the stack."""
    message, stack = _message_and_stack(event)
    inputs = [
        Input("errorType", event.error_type, event.error_type),
        Input("message", message, mask_message(message)),
    ]
    frames = top_frames(stack)
    inputs += [
        Input(f"frame{position}", line, f"{frame.function} {frame.file}")
        for position, (line, frame) in enumerate(frames, start=1)
    ]
    # A resource that did not load has no stack, and of the address in its message only the kind is left.
    if not frames and event.filename:
        inputs.append(Input("filename", event.filename, file_name(event.filename[:_MAX_FILENAME])))
    return inputs


def request_inputs(event: event_pb.Event) -> list[Input]:
    """Return what tells failed requests apart: method, template of the path, status and platform."""
    path = pathname(event.url)
    status = _status(event)
    return [
        Input("method", event.method, event.method.upper()),
        Input("path", path, mask_path(path)),
        Input("status", status, status),
        Input("platform", event.platform, event.platform),
    ]


def error_fingerprint(event: event_pb.Event) -> str:
    """Return `v1:` and 32 hexadecimal digits."""
    return f"{VERSION}:{_digest(error_inputs(event))}"


def request_fingerprint(event: event_pb.Event) -> str:
    """Return `http:` and 32 hexadecimal digits."""
    return f"http:{_digest(request_inputs(event))}"


def masked(given: Input) -> list[Masked]:
    """Return the parts of an input that were replaced, in order."""
    if given.name == "message":
        return masked_in_message(given.raw)
    return masked_in_path(given.raw) if given.name == "path" else []


def _message_and_stack(event: event_pb.Event) -> tuple[str, str]:
    message, stack = event.message, event.stack
    if stack or _FIRST_FRAME not in message:
        return message, stack
    start = message.index(_FIRST_FRAME)
    return message[:start], message[start + 1 :]


def _status(event: event_pb.Event) -> str:
    """Return the status as text: no status is not status 0, and one that is no whole number waits in `extra`."""
    if event.HasField("status"):
        return str(event.status)
    if event.HasField("extra") and "status" in event.extra.fields:
        return repr(event.extra.fields["status"].number_value)
    return ""


def _digest(inputs: list[Input]) -> str:
    text = _SEPARATOR.join([given.normalised for given in inputs])
    return blake2b(text.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES).hexdigest()
