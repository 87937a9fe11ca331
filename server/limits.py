"""Every limit on what clients may ask of the program, in one table: whom it holds for, its default, its setting and its reason.

The numbers live beside the code that keeps them; this is where they are read together. README shows the table, and a test
proves that it does.
"""

from dataclasses import dataclass
from typing import Final

from rest_facade.settings import FacadeSettings
from server import http_door, passwords, throttle
from server.config import Settings
from server.errors import (
    DiskFull,
    Overloaded,
    RateLimited,
    SignInBusy,
    TooManyAppKeys,
    TooManyAtOnce,
    TooManyAttempts,
    TooManyEvents,
    TooManyRegistrations,
    TooManyRequests,
)
from server.ingest.line import MAX_EVENTS
from server.store.apps import MAX_OLD_KEYS

_BODY_TOO_LARGE: Final = "BODY_TOO_LARGE"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit. `counted` is the reason it is refused and counted by; `setting` is empty where nobody may change it."""

    name: str
    whose: str
    default: str
    setting: str
    counted: str
    why: str

    def row(self) -> str:
        """The limit as a row of a table in Markdown."""
        setting = f"`{self.setting}`" if self.setting else ""
        return f"| {self.name} | {self.whose} | {self.default} | {setting} | `{self.counted}` | {self.why} |"


def _default(name: str) -> int:
    return int(Settings.model_fields[name].default)


def _setting(name: str) -> str:
    return f"HEALTHGUARD_{name.upper()}"


_FACADE: Final = FacadeSettings()

LIMITS: Final = (
    Limit(
        "events a second, with a burst of ten seconds",
        "app",
        "none; an app may choose one of its own",
        _setting("rate_limit_events_per_s"),
        RateLimited.reason,
        "one noisy app must not starve the rest",
    ),
    Limit(
        "old keys still accepted",
        "app",
        f"{MAX_OLD_KEYS}",
        "",
        TooManyAppKeys.reason,
        "ingest holds them all in memory",
    ),
    Limit(
        "requests a second, with a burst of ten seconds",
        "address",
        "none",
        _setting("address_requests_per_s"),
        TooManyRequests.reason,
        "for who is reached without proxies: thousands of phones may share the address of a network or proxy",
    ),
    Limit(
        "requests at once",
        "address",
        f"{_default('address_at_once'):,}",
        _setting("address_at_once"),
        TooManyAtOnce.reason,
        "a quarter of what the process holds, so that one address cannot take it all",
    ),
    Limit(
        "HTTP connections",
        "address, but for trusted proxies",
        f"{_default('address_at_once'):,}",
        _setting("address_at_once"),
        "healthguard_connections_refused_total",
        "as above",
    ),
    Limit(
        "registrations an hour",
        "address",
        f"{_default('registrations_per_hour'):,}",
        _setting("registrations_per_hour"),
        TooManyRegistrations.reason,
        "each costs 25 ms of hashing and a row for ever",
    ),
    Limit(
        "failed sign-ins in a row to one account",
        "address",
        f"{_default('login_free_attempts')}, then 1, 2, 4 ... 900 s apart",
        _setting("login_free_attempts"),
        TooManyAttempts.reason,
        "guessing",
    ),
    Limit(
        "failed sign-ins in a row to all accounts",
        "address",
        f"{throttle.ADDRESS_FREE_ATTEMPTS}, then as above",
        "",
        TooManyAttempts.reason,
        "guessing one password for many; an office behind one address has many forgetful people",
    ),
    Limit(
        "sign-ins waiting to be judged",
        "process",
        f"{passwords.MAX_WAITING}",
        "",
        SignInBusy.reason,
        "two are hashed at a time; the last waits 0.8 s",
    ),
    Limit(
        "bytes being stored",
        "process",
        f"{_default('max_inflight_bytes'):,}",
        _setting("max_inflight_bytes"),
        Overloaded.reason,
        "bounds memory",
    ),
    Limit(
        "free bytes on the disk, at least",
        "process",
        f"{_default('disk_floor_bytes'):,}",
        _setting("disk_floor_bytes"),
        DiskFull.reason,
        "a full disk stops reads too",
    ),
    Limit(
        "HTTP connections",
        "process",
        f"{http_door.MAX_CONNECTIONS:,}",
        "",
        "healthguard_connections_refused_total",
        "idle ones are let go first, the longest idle one before the others",
    ),
    Limit(
        "bytes of a head",
        "request",
        f"{http_door.MAX_HEAD_BYTES:,}",
        "",
        "healthguard_connections_refused_total",
        "ten times the longest of ours",
    ),
    Limit(
        "seconds to send a head",
        "request",
        f"{http_door.HEAD_S:.0f}",
        "",
        "healthguard_connections_refused_total",
        "who sends byte by byte holds a place",
    ),
    Limit(
        "seconds to send a body",
        "request",
        f"{_FACADE.body_timeout_s:.0f}",
        "",
        "BODY_TIMEOUT",
        "1 MiB at 140 kbit/s",
    ),
    Limit(
        "events of a batch",
        "request",
        f"50, over gRPC {MAX_EVENTS:,}",
        "",
        TooManyEvents.reason,
        "what SDKs send; services may send more",
    ),
    Limit(
        "bytes of a body",
        "request",
        f"{_FACADE.max_body_bytes:,}",
        "",
        _BODY_TOO_LARGE,
        "what SDKs are sized for",
    ),
    Limit(
        "bytes of a body after decompression",
        "request",
        f"{_FACADE.max_inflated_bytes:,}",
        "",
        _BODY_TOO_LARGE,
        "stack traces shrink 8 times, bombs 1,000 times",
    ),
    Limit(
        "bytes of an upload",
        "request",
        f"{_FACADE.max_upload_bytes:,}",
        "",
        _BODY_TOO_LARGE,
        "what trackers have always been allowed",
    ),
)
