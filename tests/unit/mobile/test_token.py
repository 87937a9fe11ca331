"""Tokens are OpenReplay's in form, ours alone in signature, and safe to read from strangers."""

import hmac
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from server.mobile import token
from server.mobile.token import (
    SESSION_EPOCH_MS,
    Claims,
    SessionIdParts,
    SessionIds,
    TokenSigner,
    TokenState,
    session_id,
    session_id_parts,
)

NOW_MS = 1_710_417_074_123
LATE_AGE_MS = 1_000
CLAIMS = Claims(session_id=2**63 + 5, expire_ms=NOW_MS + 10, project_id=7)
SIGNER = TokenSigner([b"new"], late_age_ms=LATE_AGE_MS)
INT64 = st.integers(-(2**63), 2**63 - 1)


def signed(payload):
    """A payload of our choosing, as only the holder of the secret can make it."""
    signature = hmac.digest(b"new", payload.encode(), "sha256")
    return f"{payload}.{token._to_base58(signature)}"


def test_token_vector_reads_as_listed(token_vector):
    verdict = TokenSigner([token_vector["secret"].encode()], late_age_ms=0).verify(token_vector["text"], now_ms=0)
    listed = token_vector["decoded"]
    claims = Claims(listed["session_id"], listed["exp_ms"], delay=listed.get("delay", 0))
    assert (verdict.state, verdict.claims) == (TokenState.VALID, claims)


def test_token_without_project_is_issued_as_openreplay_does(token_vectors):
    today = [vector for vector in token_vectors.values() if "schema" not in vector]
    assert len(today) == 3
    for vector in today:
        signer = TokenSigner([vector["secret"].encode()], late_age_ms=0)
        assert signer.issue(signer.verify(vector["text"], now_ms=0).claims) == vector["text"]


def test_numbers_may_be_in_upper_case():
    text = signed("1.0.LTRAG8GB.Z")
    assert SIGNER.verify(text, now_ms=0).claims == Claims(1, 1_710_424_274_123, project_id=35)


@given(st.builds(Claims, st.integers(0, 2**64 - 1), INT64, st.none() | INT64, INT64))
@settings(deadline=None)
def test_claims_survive_the_round_trip(claims):
    assert SIGNER.verify(SIGNER.issue(claims), claims.expire_ms - 1).claims == claims


@pytest.mark.parametrize(
    ("at_ms", "append", "late"),
    [
        (NOW_MS + 9, TokenState.VALID, TokenState.VALID),
        (NOW_MS + 10, TokenState.EXPIRED, TokenState.VALID),
        (NOW_MS + 10 + LATE_AGE_MS - 1, TokenState.EXPIRED, TokenState.VALID),
        (NOW_MS + 10 + LATE_AGE_MS, TokenState.EXPIRED, TokenState.EXPIRED),
    ],
)
def test_expiry_ends_append_at_once_and_late_after_its_age(at_ms, append, late):
    text = SIGNER.issue(CLAIMS)
    assert SIGNER.verify(text, at_ms).state is append
    assert SIGNER.verify_late(text, at_ms).state is late
    assert SIGNER.verify(text, at_ms).claims == CLAIMS


def test_old_secret_verifies_while_it_is_kept():
    old = TokenSigner([b"old"], late_age_ms=0).issue(CLAIMS)
    rotated = TokenSigner([b"new", b"old"], late_age_ms=0)
    assert rotated.verify(old, NOW_MS).state is TokenState.VALID
    assert rotated.issue(CLAIMS) == SIGNER.issue(CLAIMS)
    assert SIGNER.verify(old, NOW_MS).state is TokenState.BAD_SIGNATURE


def test_every_changed_character_is_noticed():
    text = SIGNER.issue(CLAIMS)
    for at, was in enumerate(text):
        for now in "1zZ.-":
            if now != was:
                forged = text[:at] + now + text[at + 1 :]
                assert SIGNER.verify(forged, NOW_MS).state in {TokenState.BAD_SIGNATURE, TokenState.MALFORMED}
                assert SIGNER.verify_late(forged, NOW_MS).claims is None


def test_project_cannot_be_cut_off_or_moved_elsewhere():
    session, delay, expiry, _, signature = SIGNER.issue(CLAIMS).split(".")
    for parts in ([session, delay, expiry], [session, delay, expiry, "8"], [session, expiry]):
        assert SIGNER.verify(".".join([*parts, signature]), NOW_MS).state is TokenState.BAD_SIGNATURE


@pytest.mark.parametrize(
    "text",
    ["", ".", "a.b", "no token at all", "1.2.3.4.5.6", "1." * 3 + "1" * 200, "1.0.ltrag8gb." + "1" * 116],
)
def test_what_has_not_the_form_is_malformed(text):
    assert SIGNER.verify(text, NOW_MS).state is TokenState.MALFORMED


@pytest.mark.parametrize(
    "payload", ["1_0.0.5", "+1.0.5", " 1.0.5", "1..5", "3w5e11264sgsg.0.5", "-1.0.5", "1.0.zzzzzzzzzzzzz"]
)
def test_signed_numbers_that_are_none_are_malformed(payload):
    assert SIGNER.verify(signed(payload), NOW_MS).state is TokenState.MALFORMED


def test_no_text_of_twenty_thousand_breaks_the_parser():
    rng = Random(20_000)
    good = SIGNER.issue(CLAIMS)
    for _ in range(20_000):
        characters = list(good)
        for _ in range(rng.randrange(1, 6)):
            characters[rng.randrange(len(characters))] = rng.choice(
                [chr(rng.randrange(0x250)), ".", "", "\ud800", "\N{DIGIT ONE}", "٣"]
            )
        text = "".join(characters)
        assert (SIGNER.verify(text, NOW_MS).state is TokenState.VALID) is (text == good)


@pytest.mark.parametrize("secrets", [[], [b""], [b"good", b""]])
def test_signer_needs_real_secrets(secrets):
    with pytest.raises(ValueError, match="secret"):
        TokenSigner(secrets, late_age_ms=0)


def test_session_id_vector_reads_as_listed(session_id_vector):
    listed = session_id_vector["decoded"]
    parts = SessionIdParts(listed["timestamp_ms"], listed["shard"], listed["seq"])
    assert session_id(parts) == int(listed["session_id"]) == int(session_id_vector["hex"], 16)
    assert session_id_parts(int(listed["session_id"])) == parts


@pytest.mark.parametrize(
    "parts",
    [
        SessionIdParts(SESSION_EPOCH_MS, 0, 0),
        SessionIdParts(SESSION_EPOCH_MS + 2**40, 0, 0),
        SessionIdParts(NOW_MS, 2**16, 0),
        SessionIdParts(NOW_MS, 0, 256),
    ],
)
def test_session_id_refuses_parts_that_do_not_fit(parts):
    with pytest.raises(ValueError, match=r"time|range"):
        session_id(parts)


def test_session_ids_never_repeat_within_a_millisecond_or_when_the_clock_steps_back():
    ids = SessionIds(shard=9)
    clock = [NOW_MS] * 600 + [NOW_MS - 50] * 300 + [NOW_MS + 1_000]
    made = [ids.next_id(now_ms) for now_ms in clock]
    assert made == sorted(set(made))
    assert session_id_parts(made[-1]) == SessionIdParts(NOW_MS + 1_000, 9, 0)
