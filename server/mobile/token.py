"""Session tokens and session ids in OpenReplay's format, signed so that any process can check them without a store.

A token is `sessionID.delay.expiry.projectID.signature`: numbers in base 36, the expiry in epoch milliseconds, and the
base-58 HMAC-SHA256 of everything before the last dot. OpenReplay's own tokens have no project (and, in v1.7.0, no delay), so
theirs say nothing about whose session it is; trackers treat tokens as opaque, so one more signed part costs them nothing
and seals a token to its app. The older forms are read too, with no project, for trackers that carry one across a
move from OpenReplay with its secret; whoever accepts such a token must look up whose session it names.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

# Four numbers of at most 13 digits and a sign, their dots, and a signature of at most 44 digits fit in 104.
_MAX_TOKEN_CHARS: Final = 128
_NUMBER = re.compile(r"-?[0-9A-Za-z]{1,13}", re.ASCII)
_BASE36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VALUES: Final = {digit: value for value, digit in enumerate(_BASE58)}
_MAX_SIGNATURE_CHARS: Final = 44  # what 32 bytes of ff take

# OpenReplay counts session ids from 2019-02-12; 40 bits of milliseconds last until 2053.
SESSION_EPOCH_MS: Final = 1_550_000_000_000
_MAX_SESSION_OFFSET_MS: Final = 2**40 - 1
_SEQUENCE_SIZE: Final = 256


class TokenState(StrEnum):
    """What became of checking a token."""

    VALID = "valid"
    EXPIRED = "expired"
    BAD_SIGNATURE = "bad_signature"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: its session, until when it may append, and the project it is sealed to."""

    session_id: int
    expire_ms: int
    # The numeric id of the app; None in tokens that OpenReplay issued.
    project_id: int | None = None
    # Always 0 on mobile.
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of a token, and its claims when the signature is ours."""

    state: TokenState
    claims: Claims | None = None


class TokenSigner:
    """Issues and checks tokens with the secrets in force.

    The first secret signs; all of them verify, so a secret is rotated by putting the new one in front and dropping the old
    one after the longest token life. Trackers upload what a crash left behind with the token of the session that crashed,
    so `late_age_ms` says for how long after its expiry a token is still good for that.
    """

    def __init__(self, secrets: Sequence[bytes], *, late_age_ms: int) -> None:
        if not secrets or not all(secrets):
            raise ValueError("at least one secret is needed, and none may be empty")
        self._secrets = tuple(secrets)
        self._late_age_ms = late_age_ms

    def issue(self, claims: Claims) -> str:
        """The token for these claims; without a project it has the form of OpenReplay's own."""
        numbers = [claims.session_id, claims.delay, claims.expire_ms]
        if claims.project_id is not None:
            numbers.append(claims.project_id)
        payload = ".".join(map(_to_base36, numbers))
        return f"{payload}.{_to_base58(_sign(self._secrets[0], payload))}"

    def verify(self, token: str, now_ms: int) -> Verdict:
        """Check a token for append and images: one that expires now or did before is EXPIRED."""
        payload, _, signature = token.rpartition(".")
        if len(token) > _MAX_TOKEN_CHARS or payload.count(".") not in {1, 2, 3}:
            return Verdict(TokenState.MALFORMED)
        if not self._is_signed(payload, signature):
            return Verdict(TokenState.BAD_SIGNATURE)
        claims = _read_claims(payload)
        if claims is None:
            return Verdict(TokenState.MALFORMED)
        return Verdict(TokenState.EXPIRED if claims.expire_ms <= now_ms else TokenState.VALID, claims)

    def verify_late(self, token: str, now_ms: int) -> Verdict:
        """Check a token for the late upload: VALID from the moment it expires until `late_age_ms` after."""
        verdict = self.verify(token, now_ms)
        if verdict.claims is not None and now_ms < verdict.claims.expire_ms + self._late_age_ms:
            return replace(verdict, state=TokenState.VALID)
        return verdict

    def _is_signed(self, payload: str, signature: str) -> bool:
        """Whether one of the secrets made this signature; the time taken does not tell which, nor how nearly."""
        if not payload.isascii():
            return False
        # What cannot be decoded is compared all the same: it is a wrong signature like any other.
        given = _from_base58(signature) or b""
        matches = [hmac.compare_digest(_sign(secret, payload), given) for secret in self._secrets]
        return any(matches)


@dataclass(frozen=True, slots=True)
class SessionIdParts:
    """What a session id is made of."""

    timestamp_ms: int
    shard: int
    sequence: int


def session_id(parts: SessionIdParts) -> int:
    """The 64-bit id: 40 bits of milliseconds, 16 of shard, 8 of sequence; ValueError when a part does not fit."""
    offset = parts.timestamp_ms - SESSION_EPOCH_MS
    if not 0 < offset <= _MAX_SESSION_OFFSET_MS:
        raise ValueError(f"no session id can be made for the time {parts.timestamp_ms}")
    if not 0 <= parts.shard < 2**16 or not 0 <= parts.sequence < _SEQUENCE_SIZE:
        raise ValueError(f"shard {parts.shard} or sequence {parts.sequence} is out of range")
    return offset << 24 | parts.shard << 8 | parts.sequence


def session_id_parts(value: int) -> SessionIdParts:
    """The parts of a session id."""
    return SessionIdParts((value >> 24) + SESSION_EPOCH_MS, value >> 8 & 0xFFFF, value & 0xFF)


class SessionIds:
    """Hands out session ids that never repeat within one process; processes differ by their shard.

    OpenReplay's sequence wraps, so that 257 starts within a millisecond share an id, and its clock may step back. Here the
    id's millisecond moves on instead.
    """

    def __init__(self, shard: int) -> None:
        self._shard = shard
        self._timestamp_ms = 0
        self._sequence = 0

    def next_id(self, now_ms: int) -> int:
        """The id of a session that starts now."""
        if now_ms > self._timestamp_ms:
            self._timestamp_ms, self._sequence = now_ms, 0
        elif self._sequence + 1 < _SEQUENCE_SIZE:
            self._sequence += 1
        else:
            self._timestamp_ms, self._sequence = self._timestamp_ms + 1, 0
        return session_id(SessionIdParts(self._timestamp_ms, self._shard, self._sequence))


def _sign(secret: bytes, payload: str) -> bytes:
    return hmac.digest(secret, payload.encode("ascii"), hashlib.sha256)


def _read_claims(payload: str) -> Claims | None:
    """The claims of a signed payload, or None when its numbers are none or do not fit 64 bits."""
    numbers = [_from_base36(part) for part in payload.split(".")]
    match numbers:
        case [int(session), int(expire_ms)]:
            claims = Claims(session, expire_ms)
        case [int(session), int(delay), int(expire_ms)]:
            claims = Claims(session, expire_ms, delay=delay)
        case [int(session), int(delay), int(expire_ms), int(project_id)]:
            claims = Claims(session, expire_ms, project_id, delay)
        case _:
            return None
    signed = (claims.expire_ms, claims.delay, claims.project_id or 0)
    fits = 0 <= claims.session_id < 2**64 and all(-(2**63) <= number < 2**63 for number in signed)
    return claims if fits else None


def _to_base36(number: int) -> str:
    digits = ""
    rest = abs(number)
    while rest >= 36:
        rest, digit = divmod(rest, 36)
        digits = _BASE36[digit] + digits
    return ("-" if number < 0 else "") + _BASE36[rest] + digits


def _from_base36(text: str) -> int | None:
    # int() alone would also take blanks, underscores and the digits of other scripts.
    return int(text, 36) if _NUMBER.fullmatch(text) else None


def _to_base58(data: bytes) -> str:
    """Bitcoin's base 58 without its checksum: a leading zero byte is written as 1."""
    zeros = len(data) - len(data.lstrip(b"\0"))
    number = int.from_bytes(data, "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = _BASE58[digit] + digits
    return _BASE58[0] * zeros + digits


def _from_base58(text: str) -> bytes | None:
    """The bytes of a signature, or None when the text cannot be one."""
    if not text or len(text) > _MAX_SIGNATURE_CHARS:
        return None
    number = 0
    for digit in text:
        value = _BASE58_VALUES.get(digit)
        if value is None:
            return None
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip(_BASE58[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
