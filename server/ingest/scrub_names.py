"""Tells from its name alone whether a value is a secret. What makes one must also show in `scrub_signs`."""

import re
from functools import lru_cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A name that has one of these words holds a secret: access_token, newPassword, X-Api-Secret, csrf-token.
_SECRET_WORDS = _words(
    "authorization bearer cookie cookies credential credentials csrf cvc cvv jwt otp passphrase passwd password"
    " passwords pwd secret secrets ssn token tokens xsrf"
)
# Names that are secrets as a whole, without their separators. `key`, `code` and `session` alone are too common, and
# `sessionId` is how clients name what ties events together: only what servers call their session cookies is listed.
_SECRET_NAMES = _words(
    "accesskey apikey aspnetsessionid auth authkey awsaccesskeyid cardnumber ccnumber clientkey connectsid creditcard"
    " creditcardnumber encryptionkey jsessionid passcode phpsessid privatekey secretkey securitycode sig signature"
    " signingkey socialsecuritynumber xamzcredential xamzsignature xapikey xauth xgoogcredential"
    " xgoogsignature"
)
# Endings of names that are written in one piece: accesstoken, userpassword, xapikey.
_SECRET_ENDINGS = ("apikey", "cookie", "passphrase", "passwd", "password", "privatekey", "secret", "token")
# Names that end so speak about a secret without giving it away: tokenType, password_length, cookieEnabled.
_HARMLESS_ENDINGS = _words(
    "at count enabled endpoint error errors exp expires expiration expiry field hint in len length limit name policy"
    " present required status strength ttl type types uri url valid validity visible"
)
# Counts of language-model tokens: max_tokens, promptTokens.
_COUNTED = _words("cached completion input max min num output prompt total used")
# Django's session cookie. Spelled sessionId or session_id it is the client's own correlation id.
_DJANGO_SESSION = "sessionid"
# Longer names than this are data, and so are names of several lines; their end is looked at.
_MAX_NAME = 128
_CONTROL = re.compile(r"[\0-\x1f]")
_CONTROLS = "".join(map(chr, range(0x20)))

# Nearly every name has none of these in it and needs no closer look.
_TRIGGER = re.compile(
    "auth|bearer|card|ccn|cook|cred|csrf|cvc|cvv|jwt|key|otp|pass|pwd|secret|security|sess|sid|sig|ssn|token|xsrf"
)
_ENCODED = re.compile("%[0-9A-Fa-f]{2}")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SEPARATORS = re.compile(r"[^a-z0-9]+")


def is_secret_name(name: str) -> bool:
    """Return whether a value called `name` is a secret, however the name is spelled: camel, snake, kebab or cookie."""
    return _is_secret_name(name[-_MAX_NAME:])


@lru_cache(maxsize=4096)
def _is_secret_name(name: str) -> bool:
    name = _CONTROL.split(name.rstrip(_CONTROLS))[-1]
    if not _TRIGGER.search(name.lower()):
        return False
    name = _ENCODED.sub(" ", name)
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or words[-1] in _HARMLESS_ENDINGS:
        return False
    if words[-1] == "tokens" and not _COUNTED.isdisjoint(words):
        return False
    joined = _SEPARATORS.sub("", name.lower())
    return (
        not _SECRET_WORDS.isdisjoint(words)
        or joined in _SECRET_NAMES
        or joined.rstrip("0123456789").endswith(_SECRET_ENDINGS)
        or name == _DJANGO_SESSION
    )
