"""Replaces what varies between occurrences of one fault by what it is: a number, an id, an address.

Part of version 1 of grouping: what it answers for a text must never change.
"""

import re
from functools import lru_cache

from server.ingest.grouping.inputs import Masked

# Identity lies in the beginning; the rest of a message is often a dump of data.
_MAX_MESSAGE = 2048
_MAX_CACHED = 256

_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
# A run of 20 characters is an id if it has three digits; longer words than that without digits are names in code.
_LONG_ID = r"(?=[A-Za-z_\-]*+[0-9][A-Za-z_\-]*+[0-9][A-Za-z_\-]*+[0-9])[A-Za-z0-9_\-]{20,}"
_HEX = r"(?=[0-9]*+[a-fA-F])(?=[a-fA-F]*+[0-9])[0-9a-fA-F]{8,}"

# Most messages have nothing that varies.
_VARIABLE = re.compile(r"[0-9]|://|@")
# Tried in this order at every place. Kept are numbers that name the fault itself, such as an HTTP status, an errno or
# the number that stands for the text in a minified React.
_PATTERN = re.compile(
    r"(?P<keep>\b(?:[Ee]rror #|(?:[Ss]tatus|[Cc]ode|errno|signal)[ :=]{1,2})[0-9]{1,6}\b)"
    r"|(?P<url>\b[a-z][a-z0-9+.\-]{1,15}://[^\s\"'<>()]+)"
    r"|(?P<email>(?<![\w.+\-])[\w.+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,8})"
    rf"|(?P<uuid>(?<![0-9a-fA-F]){_UUID}(?![0-9a-fA-F]))"
    r"|(?P<hex>\b0[xX][0-9a-fA-F]+\b)"
    rf"|(?P<hash>\b{_HEX}\b)"
    rf"|(?P<token>(?<![A-Za-z0-9_\-]){_LONG_ID})"
    r"|(?P<number>(?<![A-Za-z0-9])[0-9]+(?:[.,:][0-9]+)*|[0-9]{4,})"
)
_SEGMENT = re.compile(rf"[0-9]+|{_UUID}|{_HEX}|{_LONG_ID}")
_SEGMENTS = re.compile(rf"(?<![^/])(?:{_SEGMENT.pattern})(?![^/])")


def mask_message(message: str) -> str:
    """Return the beginning of `message` with numbers, ids, hashes and addresses replaced by `<what>`."""
    if len(message) <= _MAX_CACHED:
        return _mask_short(message)
    return _mask(message[:_MAX_MESSAGE])


def mask_path(path: str) -> str:
    """Return the template of `path`: segments that are numbers, UUIDs, hashes or long tokens become `:id`."""
    if not _VARIABLE.search(path):
        return path
    return _SEGMENTS.sub(":id", path)


def masked_in_message(message: str) -> list[Masked]:
    """Return what `mask_message` replaces in `message`, in order."""
    found = _PATTERN.finditer(message[:_MAX_MESSAGE])
    return [Masked(match[0], _replacement(match)) for match in found if match.lastgroup != "keep"]


def masked_in_path(path: str) -> list[Masked]:
    """Return what `mask_path` replaces in `path`, in order."""
    return [Masked(segment, ":id") for segment in path.split("/") if _SEGMENT.fullmatch(segment)]


@lru_cache(maxsize=2048)
def _mask_short(message: str) -> str:
    return _mask(message)


def _mask(message: str) -> str:
    return _PATTERN.sub(_replacement, message) if _VARIABLE.search(message) else message


def _replacement(match: re.Match[str]) -> str:
    return match[0] if match.lastgroup == "keep" else f"<{match.lastgroup}>"
