"""The path of a request's address, as a browser resolves it.

Follows the WHATWG URL standard as far as paths go, because that is what the SDKs' own tools show. Fingerprints of
version 1 are made of it: what it answers for an address must never change.
"""

import re
from urllib.parse import quote

# Nearly all addresses look like this and need no more than cutting. A dot after a slash may be a dot segment.
_PLAIN = re.compile(
    r"(?:https?://[A-Za-z0-9.\-]+(?::[0-9]{1,4})?|(?!//))"
    r"((?:/(?!\.|%2[eE])[A-Za-z0-9_~%:@!$&()*+,;=.\-]*)+)(?:[?#]|\Z)"
)
# An address is an identity up to here; what is longer carries data.
_MAX_LENGTH = 2048

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_SPECIAL = frozenset({"http", "https", "ws", "wss", "ftp", "file"})
# Addresses without a scheme are resolved against this one's.
_BASE = "http"
_C0_AND_SPACE = "".join(map(chr, range(0x21)))
_TAB_AND_NEWLINE = str.maketrans("", "", "\t\n\r")
_FORBIDDEN_IN_HOST = re.compile(r"[\0-\x20#/<>?@\[\\\]^|%\x7f]")
_IPV6 = re.compile(r"\[[0-9A-Fa-f:.]+\]")
_SAFE_IN_PATH = "!$%&'()*+,-./:;=@[]^_|~\\"
_SAFE_IN_OPAQUE_PATH = "".join(map(chr, range(0x20, 0x7F)))
_DOT = frozenset({".", "%2e"})
_DOT_DOT = frozenset({"..", ".%2e", "%2e.", "%2e%2e"})


def pathname(url: str) -> str:
    """Return the path of `url`, absolute or relative, percent-encoded, without query and fragment.

    Never empty. An address that no browser would accept is returned up to its query.
    """
    url = url[:_MAX_LENGTH]
    plain = _PLAIN.match(url)
    return plain[1] if plain else _resolve(url)


def _resolve(url: str) -> str:
    text = url.strip(_C0_AND_SPACE).translate(_TAB_AND_NEWLINE)
    found = _SCHEME.match(text)
    scheme = found[1].lower() if found else _BASE
    rest = _without_query(text[found.end() :] if found else text)
    if scheme not in _SPECIAL:
        return _other_path(rest)
    rest = rest.replace("\\", "/")
    if scheme == "file":
        return _normalised(rest[2:].partition("/")[2] if rest.startswith("//") else rest)
    if rest.startswith("//") or (found and scheme != _BASE):
        authority, _, path = rest.lstrip("/").partition("/")
        return _normalised(path) if _is_authority(authority) else _without_query(url) or "/"
    return _normalised(rest)


def _without_query(text: str) -> str:
    return re.split("[?#]", text, maxsplit=1)[0]


def _other_path(rest: str) -> str:
    """Return the path of an address whose scheme no browser loads pages from, such as `data:` or `mailto:`."""
    if rest.startswith("//"):
        rest = "/" + rest[2:].partition("/")[2]
    if rest.startswith("/"):
        return _normalised(rest)
    return quote(rest, safe=_SAFE_IN_OPAQUE_PATH, errors="replace") or "/"


def _is_authority(authority: str) -> bool:
    host_and_port = authority.rpartition("@")[2]
    host, colon, port = host_and_port.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = host_and_port, ""
    if port and not (port.isascii() and port.isdigit() and int(port) <= 0xFFFF):
        return False
    return bool(host) and (not _FORBIDDEN_IN_HOST.search(host) or _IPV6.fullmatch(host) is not None)


def _normalised(path: str) -> str:
    """Return `path` absolute, without dot segments, and percent-encoded."""
    segments: list[str] = []
    parts = path.removeprefix("/").split("/")
    for part in parts:
        if part.lower() in _DOT_DOT:
            del segments[-1:]
        elif part.lower() not in _DOT:
            segments.append(part)
    if parts[-1].lower() in _DOT | _DOT_DOT:
        segments.append("")
    return "/" + quote("/".join(segments), safe=_SAFE_IN_PATH, errors="replace")
