"""What an app's own rules mask in events as clients send them, and above all what they leave alone."""

import pytest
from google.protobuf import json_format
from hypothesis import given, strategies as st

from server.ingest.privacy import PATTERNS, Privacy, bare_name, privacy_of
from server.store.app_settings import AppSettings
from tests.unit.ingest.events import make_event

EVERY = tuple(PATTERNS)
CARDS = ("4111111111111111", "4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005", "6011000990139424")
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabc=\n-----END RSA PRIVATE KEY-----"
TOKENS = (
    "ghp_" + "a1B2" * 9,
    "glpat-" + "x" * 20,
    "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "xoxb-" + "17653672481-19874698323",
    "AIza" + "SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY",
    PEM,
    "-----BEGIN PRIVATE KEY-----\nMIIE cut off",
)
EMAILS = ("ada@example.com", "a.b+c@mail.example.co.uk", "ada%40example.com")
IPS = ("192.0.2.44", "2001:db8::8a2e:370:7334", "2001:0db8:85a3:0000:0000:8a2e:0370:7334")


def masked(text: str, *patterns: str) -> str:
    return Privacy((), patterns or EVERY).masked(text)


@pytest.mark.parametrize(
    ("pattern", "secret"),
    [(word, secret) for word, all_of in zip(EVERY, (CARDS, TOKENS, EMAILS, IPS), strict=True) for secret in all_of],
)
def test_each_pattern_masks_its_kind_and_no_other_does(pattern: str, secret: str) -> None:
    text = f"pay failed for {secret}"
    assert masked(text, pattern) == "pay failed for [Filtered]"
    for other in set(EVERY) - {pattern}:
        assert masked(text, other) == text


@pytest.mark.parametrize(
    "text",
    [
        "1795355475472",  # a time in milliseconds
        "order 4111111111111112",  # its last digit is wrong
        "evt_41111111111111111111111",
        "TypeError: x is not a function\n    at pay (https://shop.example/app.js:10:5)",
        "webpack-internal:///./node_modules/react-dom@18.2.0/index.js",
        "at std::vector<int>::push_back (a::b::c)",
        "took 12:30:05.250",
        "version 1.2.3.4.5",
        "Chrome/120.0.6099.71",
        "sk-ip this, token=x, ghp_short",
        "11111111-2222-4333-8444-555555555555",
        "",
    ],
)
def test_what_only_resembles_is_left_alone(text: str) -> None:
    assert masked(text) == text


def test_names_are_masked_however_they_are_spelled_and_wherever_they_stand() -> None:
    event = make_event(
        url="https://shop.example/pay?iban=DE89370400440532013000&next=1&i-ban=x#IBAN=y",
        message='sent {"iban": "DE89", "ok": 1} and {\\"iBan\\":\\"DE90\\"}',
        user_id="iban=DE1",
    )
    event.context.update({"I-BAN": "DE89", "deep": [{"iban_": 7, "bank": "x"}], "ibanOk": True})
    event.breadcrumbs.add(message="iban=DE89").data.update({"IBAN": {"any": "thing"}})
    event.breadcrumb.message = "iban=DE89"
    event.device_info.extra.update({"iban": "DE89"})
    Privacy(("iban",), ()).apply(event)
    assert event.url == "https://shop.example/pay?iban=[Filtered]&next=1&i-ban=[Filtered]#IBAN=[Filtered]"
    assert event.message == 'sent {"iban": "[Filtered]", "ok": 1} and {\\"iBan\\":\\"[Filtered]\\"}'
    assert event.user_id == "iban=DE1"
    assert json_format.MessageToDict(event.context) == {
        "I-BAN": "[Filtered]",
        "deep": [{"iban_": "[Filtered]", "bank": "x"}],
        "ibanOk": True,
    }
    assert event.breadcrumbs[0].message == "iban=[Filtered]"
    assert json_format.MessageToDict(event.breadcrumbs[0].data) == {"IBAN": "[Filtered]"}
    assert event.breadcrumb.message == "iban=[Filtered]"
    assert event.device_info.extra["iban"] == "[Filtered]"


def test_a_real_looking_event_keeps_everything_but_what_was_asked_for() -> None:
    event = make_event(
        message="Payment of ada@example.com with 4111 1111 1111 1111 refused by 192.0.2.44",
        stack="Error: refused\n    at pay (https://shop.example/app.js?user=ada@example.com:10:5)",
        user_id="ada@example.com",
        anonymous_id="192.0.2.44",
    )
    event.request_data.update({"card": {"pan": 4111111111111111, "month": 12}, "to": ["ada@example.com", "Bob"]})
    Privacy((), ("card", "email")).apply(event)
    assert event.message == "Payment of [Filtered] with [Filtered] refused by 192.0.2.44"
    assert event.stack == "Error: refused\n    at pay (https://shop.example/app.js?user=[Filtered]:10:5)"
    assert (event.user_id, event.anonymous_id) == ("ada@example.com", "192.0.2.44")
    assert json_format.MessageToDict(event.request_data) == {
        "card": {"pan": "[Filtered]", "month": 12},
        "to": ["[Filtered]", "Bob"],
    }


def test_an_app_without_rules_has_none() -> None:
    assert privacy_of(AppSettings()) is None
    rules = AppSettings(scrub_keys=("iban",), scrub_patterns=("card",))
    assert privacy_of(rules) is privacy_of(rules) is not None


def test_names_compare_by_letters_and_digits() -> None:
    assert bare_name("X-Passport_No.2") == "xpassportno2"


@given(st.lists(st.sampled_from([*CARDS, *TOKENS[:-1], *EMAILS, *IPS, "iban=DE1"]), max_size=8))
def test_nothing_is_left_of_secrets_that_stand_apart(secrets: list[str]) -> None:
    left = Privacy(("iban",), EVERY).masked(" ".join(secrets))
    assert left.replace("iban=", "").split() == ["[Filtered]"] * len(secrets)
