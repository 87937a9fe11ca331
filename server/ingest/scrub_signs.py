"""Tells at the speed of one search over its bytes that an event has nothing to mask, as most events have."""

import re2

from server.ingest.limits import MAX_DEPTH

# Texts stand in a serialised event as they are, between tags and lengths. Whatever `scrub` would mask must match here;
# what matches without need only costs a look by `scrub`. So these are the patterns of `scrub_text` and `scrub_names`,
# made wider where bytes do not tell: any byte above 0x7f passes for a letter or a space outside ASCII. Capitals do not
# matter. Only two letters outside ASCII become one within it in lower case: U+0130, the Turkish I with a dot, is
# expected where an `i` decides; U+212A, the Kelvin sign, is nobody's spelling of anything and always a sign.
_LETTER = rb"[\w.\-\[\]%\x80-\xff]"
_SPACE = rb"[\t-\r\x1c-\x20\x80-\xff]"
_NO_CONTROL = rb"[^\x00-\x1f]"
_I = rb"(?:i|\xc4\xb0)"
_KELVIN = rb"\xe2\x84\xaa"

# The sessions of clients are everywhere, so `sess` counts only where it goes on to an `id` or to an ending such as
# `token`, each of which has one of four letters.
_NAME = (
    rb"(?:auth|bearer|card|ccn|cook|cred|csrf|cvc|cvv|jwt|key|otp|pass|pwd|secret|security|sid|sig|ssn|token|xsrf"
    rb"|sess" + _NO_CONTROL + rb"*(?:[ckpw]|" + _I + _NO_CONTROL + rb"*d))"
)
_PAIR_OR_MEMBER = _NAME + _LETTER + rb"*(?:=|%3d|\\{0,3}[\"']" + _SPACE + rb"*:)"
# In free data a name stands before tag and length of its value and the tag of a number, a text, an object or a list.
_LENGTH = rb"[\x80-\xff]{0,4}[\x00-\x7f]"
_KEY = _NAME + _NO_CONTROL + rb"*[\x00-\x1f]*\x12" + _LENGTH + rb"[\x11\x1a*2]"

_USERINFO = rb"//[^/?#\\\"'<>\t-\r\x1c-\x20]+@"
_BEARER = rb"bearer(?:" + _SPACE + rb"|%20|\+)"
_JWT = rb"eyj[\w\-]{5,}\."
_AUTHORIZATION = rb"author" + _I + rb"zation[\"']?" + _SPACE + rb"*[:=]"
_COOKIES = rb"cook" + _I + rb"e[\"']?" + _SPACE + rb"*:"

# How a value begins that is an object or a list with something in it: its tag and length, then those of the first
# thing in it. Text that looks the same is rare but for `2)`, a line feed and spaces, which end many lines of stacks
# and begin the next: hence the last part, 0x20 being the tag of true and false alone.
_OBJECT = rb"\*" + _LENGTH + rb"\n" + _LENGTH + rb"\n"
_LIST = rb"2" + _LENGTH + rb"\n(?:\x00|" + _LENGTH + rb"(?:[^\x20]|\x20[\x00\x01]))"
# One less than `MAX_DEPTH` are around what nests too deep, and a list takes the tag of another with it.
_TOO_DEEP = rb"(?:(?:%b|%b)(?s:.)*){%d}" % (_OBJECT, _LIST, (MAX_DEPTH - 1) // 2)


def _compiled() -> "re2._Regexp[bytes]":
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False  # where its automaton outgrows 8 MiB it goes on without, more slowly
    signs = (_PAIR_OR_MEMBER, _KEY, _USERINFO, _BEARER, _JWT, _AUTHORIZATION, _COOKIES, _KELVIN, _TOO_DEEP)
    return re2.compile(b"|".join(signs), options)


_SIGNS = _compiled()


def may_need_scrub(message: bytes) -> bool:
    """Return False if `scrub` would leave the event alone that is serialised in `message`; True does not say it would."""
    return _SIGNS.search(message) is not None
