"""Tests of which names hold secrets."""

import pytest

from server.ingest.scrub_names import is_secret_name

SECRET = """
authorization Authorization Proxy-Authorization cookie Cookie Set-Cookie setCookie cookies password Password PASSWORD
newPassword password_confirmation userpassword passwd pwd db_pwd passphrase secret client_secret clientSecret
token TOKEN access_token accessToken accesstoken refresh-token idToken csrf-token X-CSRF-Token xsrf tokens
api_key apiKey apikey API_KEY x-api-key X-Api-Key private_key privateKey accessKey auth jwt otp cvv cardNumber
card_number credit_card creditCardNumber ssn credentials sessionid PHPSESSID JSESSIONID connect.sid signature sig
X-Amz-Signature X-Amz-Security-Token user[password] user%5Bpassword%5D password2
"""
PLAIN = """
sessionId session_id session key keys id name author authority authenticated oauthProvider tokenType token_type
max_tokens promptTokens tokenCount passwordLength password_strength cookieEnabled cookie_policy secretary broken
compass passenger bypass design assign signal card cardType discard monkey keyboard publicKey appKey anonymousId userId
code state page utm_source a 1 _ x-request-id
"""


@pytest.mark.parametrize("name", SECRET.split())
def test_is_secret_name_in_every_spelling(name):
    assert is_secret_name(name)


@pytest.mark.parametrize("name", [*PLAIN.split(), "", " ", "密码"])
def test_is_secret_name_not_of_what_only_looks_alike(name):
    assert not is_secret_name(name)


def test_is_secret_name_looks_at_the_end_of_endless_names():
    assert is_secret_name("a" * 1_000_000 + "_token")
    assert not is_secret_name("token_" + "a" * 1_000_000)
