"""What an app wants masked in its events beside what always is: values by their name, and values by their looks.

Runs before anything else looks at the event, and only for apps that ask for it. Ids and identities (`userId`, `anonymousId`,
`sessionId`) stay as they are, whatever they look like: they are what events are counted by.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeAlias

from google.protobuf import struct_pb2
from healthguard.v1 import event_pb2 as event_pb

from server.ingest.scrub_text import MASK
from server.store.app_settings import AppSettings

Masker: TypeAlias = Callable[[str], str]

MAX_CACHED: Final = 1_000
"""Apps whose rules are kept compiled."""

_TEXTS: Final = ("page_url", "page", "scene", "message", "stack", "filename", "url", "error_message")
_STRUCTS: Final = ("context", "request_data", "extra")


class Privacy:
    """The rules of one app. `keys` are names without separators in lower case, `patterns` words of PATTERNS."""

    def __init__(self, keys: tuple[str, ...], patterns: tuple[str, ...]) -> None:
        self._keys = frozenset(keys)
        self._maskers = [PATTERNS[word] for word in patterns if word in PATTERNS]
        if keys:
            self._maskers.insert(0, _named_in_text(keys))

    def apply(self, event: event_pb.Event) -> None:
        """Mask in place; the same event always comes out the same."""
        self._mask_fields(event, _TEXTS)
        for name in _STRUCTS:
            if event.HasField(name):
                self._mask_struct(getattr(event, name))
        for crumb in event.breadcrumbs:
            self._mask_crumb(crumb)
        if event.HasField("breadcrumb"):
            self._mask_crumb(event.breadcrumb)
        if event.HasField("device_info"):
            self._mask_fields(event.device_info, ("user_agent",))
            self._mask_struct(event.device_info.extra)

    def masked(self, text: str) -> str:
        """The text without what is named or looks like something to be masked."""
        for masker in self._maskers:
            text = masker(text)
        return text

    def _mask_fields(
        self, message: event_pb.Event | event_pb.Breadcrumb | event_pb.DeviceInfo, names: tuple[str, ...]
    ) -> None:
        for name in names:
            text = getattr(message, name)
            if text and (masked := self.masked(text)) != text:
                setattr(message, name, masked)

    def _mask_crumb(self, crumb: event_pb.Breadcrumb) -> None:
        self._mask_fields(crumb, ("message",))
        self._mask_struct(crumb.data)
        self._mask_struct(crumb.extra)

    def _mask_struct(self, struct: struct_pb2.Struct) -> None:
        for name, value in struct.fields.items():
            if bare_name(name) in self._keys:
                value.string_value = MASK
            else:
                self._mask_value(value)

    def _mask_value(self, value: struct_pb2.Value) -> None:
        kind = value.WhichOneof("kind")
        if kind == "string_value":
            value.string_value = self.masked(value.string_value)
        elif kind == "number_value" and value.number_value.is_integer():
            if self.masked(text := str(int(value.number_value))) != text:
                value.string_value = MASK
        elif kind == "struct_value":
            self._mask_struct(value.struct_value)
        elif kind == "list_value":
            for item in value.list_value.values:
                self._mask_value(item)


def privacy_of(settings: AppSettings) -> Privacy | None:
    """The rules of an app; None where it has none."""
    if not settings.scrub_keys and not settings.scrub_patterns:
        return None
    return _compiled(settings.scrub_keys, settings.scrub_patterns)


@lru_cache(MAX_CACHED)
def _compiled(keys: tuple[str, ...], patterns: tuple[str, ...]) -> Privacy:
    return Privacy(keys, patterns)


def bare_name(name: str) -> str:
    """A name as rules compare it: its letters and digits, in lower case."""
    return "".join(filter(str.isalnum, name.lower()))


def _named_in_text(keys: tuple[str, ...]) -> Masker:
    """Masks values of these names in query strings, forms and JSON within a text."""
    names = "|".join(r"[\W_]?".join(map(re.escape, key)) for key in keys)
    pair = re.compile(rf"(?<![^\W_])(?:{names})=([^&#\s\"'<>`]+)", re.IGNORECASE)
    member = re.compile(
        rf"(?<![^\W_])(?:{names})\\{{0,3}}[\"']\s{{0,4}}:\s{{0,4}}\\{{0,3}}[\"']?([^\"'\\,}}\]\s][^\"'\\,}}\]]*)",
        re.IGNORECASE,
    )

    def mask(text: str) -> str:
        if "=" in text:
            text = pair.sub(_value_masked, text)
        return member.sub(_value_masked, text) if ":" in text else text

    return mask


def _value_masked(found: re.Match[str]) -> str:
    return f"{found[0][: found.start(1) - found.start()]}{MASK}"


# In one piece, or in the groups that are embossed: 4-4-4-4, or 4-6-5. Issuers' first digits, so that times and ids of
# as many digits are rarely taken for cards.
_CARD = re.compile(
    r"(?<![\w.-])(?=4|5[1-5]|2[2-7]|3[04-9]|6)"
    r"(?:\d{12,19}|\d{4}(?:[ -]\d{4}){3}(?:[ -]\d{1,3})?|\d{4}[ -]\d{6}[ -]\d{5})(?![\w-]|\.\d)",
    re.ASCII,
)
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._+-]{1,64}(?:@|%40)(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9])"
)
_IP_V4 = re.compile(r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.])", re.ASCII)
# At least two groups beside `::`, or all eight: `a::b` of C++ and `12:30:05` are none.
_IP_V6 = re.compile(
    r"(?<![\w:.])(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?=[0-9a-f:]*\d)(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6})(?![\w:])",
    re.IGNORECASE | re.ASCII,
)
# GitHub, GitLab, Stripe, AWS, Slack, Google, npm, SendGrid, OpenAI; and keys in PEM up to their end or the text's.
_TOKEN = re.compile(
    r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]{0,20}PRIVATE KEY-----|\Z)"
    r"|(?<![A-Za-z0-9])(?:gh[oprsu]_[A-Za-z0-9]{36}|github_pat_\w{22}|glpat-[\w-]{20}|[prs]k_(?:live|test)_[A-Za-z0-9]{16}"
    r"|A(?:KIA|SIA)[0-9A-Z]{16}|xox[abeoprs]-[A-Za-z0-9-]{10}|AIza[\w-]{35}|npm_[A-Za-z0-9]{36}"
    r"|SG\.[\w-]{16,64}\.[\w-]{16}|sk-[A-Za-z0-9_-]{20})[\w-]*",
    re.ASCII,
)


def _mask_cards(text: str) -> str:
    return _CARD.sub(lambda found: MASK if _is_right(found[0]) else found[0], text)


def _is_right(number: str) -> bool:
    """Whether the last digit is what the others make it, by Luhn's sum."""
    digits = [int(character) for character in reversed(number) if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _mask_emails(text: str) -> str:
    return _EMAIL.sub(MASK, text) if "@" in text or "%40" in text else text


def _mask_ips(text: str) -> str:
    return _IP_V6.sub(MASK, _IP_V4.sub(MASK, text))


PATTERNS: Final[dict[str, Masker]] = {
    "card": _mask_cards,
    "token": lambda text: _TOKEN.sub(MASK, text),
    "email": _mask_emails,
    "ip": _mask_ips,
}
"""What can be recognised by its looks."""
