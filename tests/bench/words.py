"""The vocabulary of the bench's events: enough variety that compression, grouping and indexes meet what they meet in life."""

import random
from functools import lru_cache
from itertools import accumulate

NOUNS = (
    "cart",
    "order",
    "invoice",
    "profile",
    "session",
    "coupon",
    "address",
    "payment",
    "catalog",
    "basket",
    "search",
    "review",
)
VERBS = (
    "load",
    "render",
    "submit",
    "resolve",
    "update",
    "fetch",
    "parse",
    "validate",
    "mount",
    "hydrate",
    "dispatch",
    "commit",
)
PARTS = (
    "Button",
    "Modal",
    "Store",
    "Context",
    "Reducer",
    "Effect",
    "Handler",
    "Worker",
    "Layout",
    "Provider",
    "Guard",
    "Panel",
)
PLATFORMS = ("web", "web", "web", "wechat-miniprogram", "uniapp-h5", "ios", "android")
ERROR_TYPES = ("js", "js", "js", "promise", "resource")
FAILURES = (
    "Cannot read properties of undefined (reading '{noun}')",
    "Cannot read properties of null (reading '{noun}')",
    "{noun}.{verb} is not a function",
    "Request for {noun} timed out after 15000 ms",
    "Unexpected token '<', \"<!doctype \"... is not valid JSON",
    "ResizeObserver loop completed with undelivered notifications in {noun}",
)
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
)

BUNDLES = tuple(
    f"https://shop.example/assets/{name}"
    for name in ("index-4f3a2b1c.js", "vendor-8d30a1be.js", "checkout-c71e09f2.js")
)


@lru_cache
def _zipf_weights(ranks: int) -> list[float]:
    return list(accumulate(1 / rank for rank in range(1, ranks + 1)))


def zipf(dice: random.Random, ranks: int) -> int:
    """A rank from 0; rank r comes 1 / (r + 1) times as often as rank 0, as bugs and pages do."""
    return dice.choices(range(ranks), cum_weights=_zipf_weights(ranks))[0]


def camel(dice: random.Random) -> str:
    """A function name such as `submitOrderModal`."""
    return dice.choice(VERBS) + dice.choice(NOUNS).title() + dice.choice(PARTS)


def frame(dice: random.Random) -> str:
    """One line of a stack as Chromium prints it: a minified bundle, so nearly everything stands in its first line."""
    return f"\n    at {camel(dice)} ({dice.choice(BUNDLES)}:{dice.randrange(1, 4)}:{dice.randrange(1, 200_000)})"


def token(dice: random.Random, characters: int) -> str:
    """Random hexadecimal text, as ids are."""
    return f"{dice.getrandbits(characters * 4):0{characters}x}"
