"""Orders version strings the way release managers read them."""

import re
from functools import lru_cache
from typing import TypeAlias

# Version strings are at most this long by contract; what is longer is ordered by its beginning.
_MAX_LENGTH = 256
# Words that everywhere mean "before the release". Any other word (hotfix, final, a commit) says nothing about order.
# A lone letter needs its number: 1.0b2 is a beta, but 1.0.2b has been a patch.
_BEFORE_RELEASE = re.compile(
    r"(?:alpha|beta|rc|cr|milestone|pre|preview|prerelease|dev|snapshot|canary|nightly|next|insider)[0-9]*"
    r"|[abcm][0-9]+",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"[0-9]")
_PART = re.compile(r"[.-]")
_WORDS_AND_NUMBERS = re.compile(r"[A-Za-z]+|[0-9]+")
# Punctuation in the order of the Unicode collation, which sorts it before digits, and digits before letters.
_PUNCTUATION = {mark: rank for rank, mark in enumerate("_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$")}

_Numbers: TypeAlias = tuple[int, ...]
_Identifier: TypeAlias = tuple[int, int, str]
_PreRelease: TypeAlias = tuple[int, tuple[_Identifier, ...]]
_Key: TypeAlias = tuple[_Numbers, _PreRelease, tuple[tuple[int, int, str], ...], str]


def compare_releases(a: str, b: str) -> int:
    """Return -1, 0 or 1 as release `a` is older than, the same as or newer than `b`; a total order.

    Numbers decide first: what stands before the first digit is dropped, the rest is split on `.` and `-`, missing
    parts are 0, so 1.10 is newer than 1.9 and release-10 than release-7. Among equal numbers a pre-release (1.2.0-beta,
    2.0.0-rc.1) is older than the release and pre-releases follow semantic versioning. What still ties is ordered as
    text, so that only the very same string is the same release.
    """
    key_a, key_b = _key(a), _key(b)
    return (key_a > key_b) - (key_a < key_b)


@lru_cache(maxsize=1024)
def _key(release: str) -> _Key:
    text = release[:_MAX_LENGTH]
    numbers, pre_release = _parse(text)
    # Swapped, because the collation puts lower case first where nothing else differs.
    return numbers, pre_release, tuple(map(_collation, text)), release.swapcase()


def _parse(text: str) -> tuple[_Numbers, _PreRelease]:
    version = text.rpartition("@")[2].partition("+")[0]
    numbers: list[int] = []
    parts = _PART.split(_from_first_digit(version))
    for position, part in enumerate(parts):
        number, word = _leading_number(part)
        if number is not None:
            numbers.append(number)
        if _is_pre_release(word):
            return _significant(numbers), (0, _identifiers([word, *parts[position + 1 :]]))
    return _significant(numbers), (1, ())


def _from_first_digit(text: str) -> str:
    found = _DIGIT.search(text)
    return text[found.start() :] if found else ""


def _leading_number(part: str) -> tuple[int | None, str]:
    """Split `0rc1` into 0 and `rc1`, `2b` into 2 and `b`; `3f2a1bc` is a commit; an empty part, as in `1..2`, is 0."""
    digits = len(part) - len(part.lstrip("0123456789"))
    word = part[digits:]
    if not word:
        return int(part or 0), ""
    if digits and (word.isalpha() or _is_pre_release(word)):
        return int(part[:digits]), word
    return None, word


def _is_pre_release(word: str) -> bool:
    return _BEFORE_RELEASE.fullmatch(word) is not None


def _identifiers(parts: list[str]) -> tuple[_Identifier, ...]:
    """Return comparable identifiers: numbers by value and before words, `rc10` as `rc` and 10."""
    found = (piece for part in parts for piece in _WORDS_AND_NUMBERS.findall(part))
    return tuple((0, int(piece), "") if _is_number(piece) else (1, 0, piece.lower()) for piece in found)


def _significant(numbers: list[int]) -> _Numbers:
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _collation(char: str) -> tuple[int, int, str]:
    if char in _PUNCTUATION:
        return 0, _PUNCTUATION[char], ""
    return (1, 0, char) if _is_number(char) else (2, 0, char.casefold())
