"""Finds and masks the secrets inside one string, and leaves every other character as it was.

What it would find must also show in `scrub_signs`, or it is never looked for.
"""

import re
from collections.abc import Iterator
from typing import TypeAlias

from server.ingest.scrub_names import is_secret_name

MASK = "[Filtered]"
# How SDKs write the mask, also inside an address.
_MASKED = frozenset({"[filtered]", "%5bfiltered%5d"})

# Every pattern here is linear: a repetition is bounded, or starts only where a run of its characters starts and gives
# nothing back.
_NAME = r"[\w.\-\[\]%](?<![\w.\-\[\]%]{2})[\w.\-\[\]%]*+"
_PAIR = re.compile(f"({_NAME})=")
_MEMBER = re.compile(f"({_NAME})" + r"(\\{0,3}[\"'])\s{0,4}:\s{0,4}(?=\\{0,3}[\"'\d])")
_PAIR_ENCODED = re.compile(r"(?:^|%3f|%26|%23)([\w.\-]{1,64})%3d", re.IGNORECASE)
_ENCODED_SEPARATOR = re.compile("%(?:3f|26|23)", re.IGNORECASE)
_VALUE_IN_TEXT = re.compile(r"[^&#\s\"'<>`]+")
_VALUE_IN_URL = re.compile(r"[^&#]+")
_VALUE_ENCODED = re.compile(r"(?:(?!%26|%23)[^&#\s\"'<>`])+")
_VALUE_QUOTED = {
    '"': re.compile(r"\"((?:[^\"\\]|\\.)*)", re.DOTALL),
    "'": re.compile(r"'((?:[^'\\]|\\.)*)", re.DOTALL),
}
_VALUE_NUMBER = re.compile(r"(\d[\d.]*)")

_USERINFO = re.compile(r"//([^/?#\\\s\"'<>]{1,512})@")
# Only these are masked without a password: webpack://app@1.0/x.js is the name of a module.
_CREDENTIAL_SCHEMES = ("http:", "https:", "ws:", "wss:", "ftp:")
_LONGEST_SCHEME = max(map(len, _CREDENTIAL_SCHEMES))

_BEARER = re.compile(r"bearer(?:\s|%20|\+){1,8}([a-z0-9._~+/=\-]+)")
# What follows the word in prose: "Bearer token missing", "bearer authentication failed".
_BEARER_PROSE = frozenset(
    {"and", "auth", "authentication", "authorization", "challenge", "credential", "credentials", "error", "expired"}
    | {"for", "format", "has", "header", "in", "invalid", "is", "method", "missing", "must", "not", "of", "or", "realm"}
    | {"required", "scheme", "token", "tokens", "type", "was", "with"}
)
_JWT = re.compile(r"(?<![A-Za-z0-9_\-])eyJ[A-Za-z0-9_\-]{5,}\.[A-Za-z0-9_\-]{5,}(?:\.[A-Za-z0-9_\-]*)?")
# Schemes with parameters take the rest of the line; in JSON, where they end at a quote, they are members. Without a
# scheme only a long run counts, and a mask within it does not make it longer.
_AUTHORIZATION = re.compile(
    r"authorization(?:\s{0,4}[:=]\s{0,4}(?:aws4-hmac-sha256|digest|hmac)\s{1,4}([^\r\n]+)"
    r"|[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?:(?:apikey|basic|bearer|negotiate|token)\s{1,4}([^\s\"',;]+)|([^\s\"'\[]{16,})))"
)
_COOKIES = re.compile(r"cookie[\"']?\s{0,4}:\s{0,4}[\"']?([^\s=;\"']{1,64}=[^\r\n\"']*)")

# One more round finds nothing nearly always; the bound is for texts made to defeat it.
_MAX_ROUNDS = 4

_Span: TypeAlias = tuple[int, int]


def mask_text(text: str, *, is_url: bool = False) -> tuple[str, int]:
    """Return `text` with its secrets replaced by MASK, and how many there were.

    Looked for are values of secret names in query strings, fragments, forms, JSON and headers, the user part of
    addresses, bearer tokens and JSON web tokens. With `is_url` the text is one address, in which a value ends only at
    `&` or `#`. What is masked already is left as it is, and does not count.
    """
    # Every secret has a sign beside it that is no letter or digit; words and ids, most of free data, have none.
    if text.isalnum() or not _may_hold_secret(text):
        return text, 0
    masked, count = _mask_once(text, is_url=is_url)
    # A mask may complete what was no secret before: Authorization=&0123456789abcde" is one value without its `&`.
    rounds, found = 0, count
    while found and rounds < _MAX_ROUNDS:
        masked, found = _mask_once(masked, is_url=is_url)
        rounds += 1
    return masked, count


def is_masked(text: str) -> bool:
    """Return whether `text` is a mask, in plain or percent-encoded spelling."""
    return len(text) <= len("%5bfiltered%5d") and text.lower() in _MASKED


def _mask_once(text: str, *, is_url: bool) -> tuple[str, int]:
    spans = _union(sorted(span for span in _secrets(text, _lower(text), is_url=is_url) if not _is_masked(text, span)))
    return (_masked(text, spans), len(spans)) if spans else (text, 0)


def _may_hold_secret(text: str) -> bool:
    """Tell the common case apart: no secret without one of these.

    Looking for one character costs a twentieth of looking for a word, so each word that can has one to guard it.
    Other words in capitals are names of CGI variables, which come with a `=`.
    """
    return (
        "=" in text
        or "@" in text
        or ("%" in text and "%3" in text)
        or ("J" in text and "eyJ" in text)
        or ('"' in text and ('":' in text or '" :' in text))
        or ("{" in text and "':" in text)
        or "earer" in text
        or "EARER" in text
        or "uthoriz" in text
        or "ookie" in text
    )


def _lower(text: str) -> str:
    """Return `text` in lower case with every character at its old place; only this one would become two."""
    return text.replace("\u0130", "i").lower()


def _secrets(text: str, lower: str, *, is_url: bool) -> Iterator[_Span]:
    if "=" in text:
        yield from _pairs(text, _PAIR, _VALUE_IN_URL if is_url else _VALUE_IN_TEXT)
    if "%3d" in lower:
        yield from _pairs(text, _PAIR_ENCODED, _VALUE_ENCODED)
    if '"' in text or "'" in text:
        yield from _members(text)
    if "@" in text:
        yield from _userinfos(text, lower)
    if "eyJ" in text:
        yield from (match.span() for match in _JWT.finditer(text))
    if "bearer" in lower:
        yield from (match.span(1) for match in _BEARER.finditer(lower) if not _is_prose(match[1]))
    if "authorization" in lower:
        yield from (match.span(match.lastindex or 0) for match in _AUTHORIZATION.finditer(lower))
    if "cookie" in lower:
        yield from (match.span(1) for match in _COOKIES.finditer(lower))


def _pairs(text: str, pair: re.Pattern[str], value: re.Pattern[str]) -> Iterator[_Span]:
    # What lies inside a secret is masked with it. Looking there again is quadratic: token=token=token=...
    end = 0
    for match in pair.finditer(text):
        if match.end() <= end or not is_secret_name(_last_name(match[1])):
            continue
        if found := value.match(text, match.end()):
            end = found.end()
            yield found.span()


def _members(text: str) -> Iterator[_Span]:
    end = 0
    for match in _MEMBER.finditer(text):
        if match.end() <= end or not is_secret_name(match[1]):
            continue
        if span := _member_value(text, match.end(), match[2]):
            end = span[1]
            yield span


def _member_value(text: str, start: int, quote: str) -> _Span | None:
    """Return where the value of a JSON member lies, without its quotes; `quote` is how the name's was written."""
    if text[start].isdigit():
        match = _VALUE_NUMBER.match(text, start)
    elif len(quote) > 1:
        return _escaped_value(text, start, quote)
    else:
        match = _VALUE_QUOTED[quote].match(text, start)
    return match.span(1) if match and match[1] else None


def _escaped_value(text: str, start: int, quote: str) -> _Span | None:
    """Return the value of a member of JSON that was itself put into a string, so that its quotes are escaped."""
    if not text.startswith(quote, start):
        return None
    start += len(quote)
    end = text.find(quote, start)
    end = len(text) if end < 0 else end
    return (start, end) if end > start else None


def _last_name(name: str) -> str:
    """Return the name of a pair that follows encoded ones: `%3Fpage%3D1%26token` is `token`."""
    return _ENCODED_SEPARATOR.split(name)[-1] if "%" in name else name


def _userinfos(text: str, lower: str) -> Iterator[_Span]:
    for match in _USERINFO.finditer(text):
        before = lower[max(0, match.start() - _LONGEST_SCHEME) : match.start()]
        if ":" in match[1] or before.endswith(_CREDENTIAL_SCHEMES):
            yield match.span(1)


def _is_prose(word: str) -> bool:
    return word.rstrip(".=") in _BEARER_PROSE


def _is_masked(text: str, span: _Span) -> bool:
    return span[1] - span[0] <= len("%5bfiltered%5d") and is_masked(text[span[0] : span[1]])


def _union(spans: list[_Span]) -> list[_Span]:
    """Return sorted `spans` with those that overlap or touch joined."""
    joined: list[_Span] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _masked(text: str, spans: list[_Span]) -> str:
    pieces: list[str] = []
    position = 0
    for start, end in spans:
        pieces += (text[position:start], MASK)
        position = end
    return "".join([*pieces, text[position:]])
