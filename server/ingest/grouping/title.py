"""The line that names an issue in lists; not part of its identity."""

from healthguard.v1 import event_pb2 as event_pb

from server.ingest.grouping.pathname import pathname

# Lists show one line of it; the whole message stays in the event.
_MAX_TITLE = 4096
_WITHOUT_MESSAGE = {
    "js": "Error without a message",
    "promise": "Promise rejected without a reason",
    "resource": "Resource failed to load",
    "request": "Request failed",
    "native": "Native error without a message",
}


def error_title(event: event_pb.Event) -> str:
    """Return the error's message, or what its type says where it came without one; never empty."""
    message = event.message
    return _bounded(message) if message and not message.isspace() else _fallback(event)


def request_title(event: event_pb.Event) -> str:
    """Return `METHOD /path`, with the reason of the failure behind it if there is one."""
    title = f"{event.method or 'HTTP'} {pathname(event.url)}"
    reason = event.error_message
    return _bounded(f"{title} - {reason}" if reason else title)


def _fallback(event: event_pb.Event) -> str:
    error_type = event.error_type
    title = _WITHOUT_MESSAGE.get(error_type) or f"{error_type or 'Error'} without a message"
    if error_type == "resource" and event.filename:
        title = f"{title}: {event.filename}"
    return _bounded(title)


def _bounded(title: str) -> str:
    return title if len(title) <= _MAX_TITLE else title[: _MAX_TITLE - 1] + "…"
