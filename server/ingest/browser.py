"""Which browser an event came from, in two words: its family and major version.

Written here because the maintained parsers cost up to a millisecond for an unknown text, which a client may make up at will;
this looks for a dozen words in a bounded prefix, and what it does not know is no browser.
"""

import re
from functools import lru_cache
from typing import Final

MAX_LOOKED_AT: Final = 512

# The first that matches counts: many browsers also name Chrome, Chrome also names Safari.
_FAMILIES: Final = (
    ("WeChat", "MicroMessenger/"),
    ("Alipay", "AlipayClient/"),
    ("QQ Browser", "MQQBrowser/"),
    ("UC Browser", "UCBrowser/"),
    ("Samsung Internet", "SamsungBrowser/"),
    ("Opera", "OPR/"),
    ("Edge", "Edg/"),
    ("Edge", "EdgA/"),
    ("Edge", "EdgiOS/"),
    ("Firefox", "FxiOS/"),
    ("Firefox", "Firefox/"),
    ("Chrome", "CriOS/"),
    ("Chrome", "HeadlessChrome/"),
    ("Chrome", "Chrome/"),
    ("Safari", "Version/"),
)
_MAJOR: Final = re.compile(r"\d{1,4}")


def browser_of(user_agent: str) -> str:
    """`Chrome 156`; the family alone where no version follows; empty for what is no known browser."""
    return _browser(user_agent[:MAX_LOOKED_AT])


# Keeps no more than it looks at, however long the texts are that clients send.
@lru_cache(maxsize=4_096)
def _browser(looked_at: str) -> str:
    for family, word in _FAMILIES:
        at = looked_at.find(word)
        if at >= 0:
            major = _MAJOR.match(looked_at, at + len(word))
            return f"{family} {major[0]}" if major else family
    return ""
