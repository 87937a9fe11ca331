"""Tests of finding secrets inside a string."""

import re

import pytest
from hypothesis import given, strategies as st

from server.ingest import scrub_text
from server.ingest.scrub_text import MASK, mask_text

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r"

MASKED = {
    "/a?token=abc": "/a?token=*",
    "/a?x=1&PassWord=p%20w&y=2": "/a?x=1&PassWord=*&y=2",
    "https://h/#id_token=abc&state=1": "https://h/#id_token=*&state=1",
    "https://h/?next=%2Fcb%3Ftoken%3Dabc%26x%3D1": "https://h/?next=%2Fcb%3Ftoken%3D*%26x%3D1",
    "https://h/?redirect=/x?secret=s&b=1": "https://h/?redirect=/x?secret=*&b=1",
    "login failed for password=hunter2 at host=a": "login failed for password=* at host=a",
    "https://user:pw@h.test:8443/p": "https://*@h.test:8443/p",
    "https://ghp_16C7e42F292c6912@github.test/x": "https://*@github.test/x",
    "https://user:p@ss@h.test/": "https://*@h.test/",
    "postgresql://app:pw@db/shop": "postgresql://*@db/shop",
    "Bearer xyz": "Bearer *",
    "sent BEARER abc.def, got 401": "sent BEARER *, got 401",
    "Bearer=Bearer%20abc": "Bearer=*",
    f"cannot decode {JWT}!": "cannot decode *!",
    f"/reset/{JWT}": "/reset/*",
    "Authorization: Basic dXNlcjpwdw==": "Authorization: Basic *",
    'headers {"authorization": "Digest username=\\"a\\"", "x": 1}': 'headers {"authorization": "*", "x": 1}',
    "authorization: 0123456789abcdef0123": "authorization: *",
    "Cookie: a=b; sid=c\nAccept: */*": "Cookie: *\nAccept: */*",
    "Set-Cookie: theme=dark; Path=/": "Set-Cookie: *",
    '{"user":"ann","password":"a\\"b","pin":1}': '{"user":"ann","password":"*","pin":1}',
    '{"token":12345,"x":1}': '{"token":*,"x":1}',
    '"{\\"api_key\\":\\"k\\",\\"x\\":1}"': '"{\\"api_key\\":\\"*\\",\\"x\\":1}"',
    "{'secret': 's', 'x': 1}": "{'secret': '*', 'x': 1}",
    '{"password":"cut off': '{"password":"*',
    "token%3D=x": "token%3D*",
    "Authorization:token=a": "Authorization:token=*",
    "İİ?token=abc&ü=İ": "İİ?token=*&ü=İ",
}
UNCHANGED = [
    "",
    "Unexpected token } in JSON at position 3",
    "token is not defined",
    "password: must have 8 characters",
    "Invalid password",
    "authorization: denied",
    "Bearer token missing",
    "Bearer authentication required",
    "bearer of bad news",
    "cookie: consent missing",
    "https://h/?tokenType=jwt&max_tokens=5&sessionId=s&key=Enter",
    "https://h/u/ann@mail.test?x=1",
    "mail ann@mail.test",
    "pay@https://shop.test/app.js:1:2\n@https://shop.test/:3:4",
    "webpack://my-app@1.0.0/./src/cart.js",
    "https://unpkg.test/@scope/pkg@1.2.3/index.js",
    "document.querySelector('input[name=password]')",
    'input[type="password"] is null',
    "eyJ",
    "eyJust.a.word",
    '{"tokenType":"bearer","passwordLength":8}',
    "a=b&c=d",
    "?token=&x=1",
    "?token=%5BFiltered%5D&a=%5b",
    "?token=%5bfiltered%5d",
    "?token=[Filtered]",
]
# Repetitions that make a backtracking or rescanning search quadratic.
HOSTILE = [
    "token", "token=", "token=a&", 'token":"', 'token\\":\\"', "'token':'", "=", "%3d", "token%3d", "key%", "//", "//a",
    "http://a@", "bearer ", "bearer", "eyJ", "eyJaaaaa.", "eyJaaaaa-", "cookie:", "cookie:a=\n", "authorization:",
    "authorization: digest ", "'\"", "\\\"", "a" , "a.", " ",
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), MASKED.items())
def test_mask_text_masks_the_secret_and_nothing_else(text, expected):
    masked, count = mask_text(text)
    assert masked == expected.replace("*/*", "\0").replace("*", MASK).replace("\0", "*/*")
    assert count == masked.count(MASK)


@pytest.mark.parametrize("text", UNCHANGED)
@pytest.mark.parametrize("is_url", [False, True])
def test_mask_text_leaves_text_without_secrets_byte_for_byte(text, is_url):
    assert mask_text(text, is_url=is_url) == (text, 0)


def test_mask_text_ends_a_value_at_a_space_except_in_an_address():
    assert mask_text("/a?token=b c&d=e") == ("/a?token=[Filtered] c&d=e", 1)
    assert mask_text("/a?token=b c&d=e", is_url=True) == ("/a?token=[Filtered]&d=e", 1)


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("ending", ["", "=", '"', "@", "!"])
def test_mask_text_is_idempotent_on_a_long_hostile_text(unit, ending):
    once, _ = mask_text(unit * (20_000 // len(unit)) + ending)
    assert mask_text(once) == (once, 0)


class CountingPattern:
    """A pattern that adds up how many characters its matches took."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        """Count on behalf of `pattern`."""
        self.pattern = pattern
        self.taken = 0

    def match(self, text: str, start: int) -> re.Match[str] | None:
        found = self.pattern.match(text, start)
        self.taken += found.end() - found.start() if found else 0
        return found


@pytest.mark.parametrize("unit", HOSTILE)
def test_mask_text_reads_no_part_of_a_value_twice(unit, monkeypatch):
    values = [CountingPattern(getattr(scrub_text, name)) for name in ("_VALUE_IN_TEXT", "_VALUE_ENCODED")]
    monkeypatch.setattr(scrub_text, "_VALUE_IN_TEXT", values[0])
    monkeypatch.setattr(scrub_text, "_VALUE_ENCODED", values[1])
    quoted = {quote: CountingPattern(pattern) for quote, pattern in scrub_text._VALUE_QUOTED.items()}
    monkeypatch.setattr(scrub_text, "_VALUE_QUOTED", quoted)
    text = unit * (20_000 // len(unit))
    scrub_text._mask_once(text, is_url=False)
    for counted in [*values, *quoted.values()]:
        assert counted.taken <= len(text)


@given(st.text(alphabet="tokenpaswrd=&?#%3D26:/@\"'\\ \nBearer.-_eyJ[]{}"), st.booleans())
def test_mask_text_is_idempotent(text, is_url):
    once, _ = mask_text(text, is_url=is_url)
    assert mask_text(once, is_url=is_url) == (once, 0)
