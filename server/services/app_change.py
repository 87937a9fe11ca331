"""What an update of an app asks for, judged."""

import re
from collections.abc import Callable
from typing import Any

from healthguard.v1 import app_pb2 as app_pb, app_service_pb2 as app_service_pb

from server.errors import (
    AppNameRequired,
    AppNameTooLong,
    InvalidAllowedOrigins,
    InvalidCaptureRate,
    InvalidInput,
    InvalidRateLimit,
    InvalidRetentionDays,
    InvalidScrubKeys,
    InvalidScrubPatterns,
)
from server.ingest.privacy import PATTERNS, bare_name
from server.services.mask import masked_fields
from server.store.app_settings import AppSettings
from server.store.apps import AppChange

LONGEST_NAME = 255
MAX_ORIGINS = 50
LONGEST_ORIGIN = 300
"""A scheme, a host name of at most 253 characters, and a port."""

MAX_SCRUB_KEYS = 50
SHORTEST_SCRUB_KEY = 2
"""Of one letter there are too many."""
LONGEST_SCRUB_KEY = 64

_SETTINGS = "settings."
_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?P<port>:[0-9]{1,5})?", re.ASCII
)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_NULL = "null"
"""What browsers call the origin of a page that has none, such as a file."""


def app_change(request: app_service_pb.UpdateAppRequest) -> AppChange:
    """The name and settings that the request changes. Raises InvalidUpdateMask and what is wrong with a value."""
    paths = masked_fields(request, request.update_mask, ("name", *(f"{_SETTINGS}{name}" for name in _JUDGES)))
    fields = frozenset(path.removeprefix(_SETTINGS) for path in paths if path.startswith(_SETTINGS))
    settings = AppSettings(**{name: _JUDGES[name](request.settings) for name in sorted(fields)})
    return AppChange(judged_name(request.name) if "name" in paths else None, settings, fields)


def judged_name(given: str) -> str:
    """The name of an app, trimmed. Raises AppNameRequired and AppNameTooLong."""
    name = given.replace("\0", "").strip()  # PostgreSQL cannot store a NUL
    if not name:
        raise AppNameRequired
    if len(name) > LONGEST_NAME:
        raise AppNameTooLong
    return name


def _between(name: str, low: float, high: float, fault: type[InvalidInput]) -> Callable[[app_pb.AppSettings], Any]:
    def judge(settings: app_pb.AppSettings) -> float | None:
        value: float | None = getattr(settings, name) if settings.HasField(name) else None
        if value is not None and not low <= value <= high:
            raise fault
        return value

    return judge


def _choice(name: str) -> Callable[[app_pb.AppSettings], Any]:
    def judge(settings: app_pb.AppSettings) -> bool | None:
        return getattr(settings, name) if settings.HasField(name) else None

    return judge


def _scrub_keys(settings: app_pb.AppSettings) -> tuple[str, ...]:
    given = settings.scrub_keys
    if len(given) > MAX_SCRUB_KEYS or any(len(key) > LONGEST_SCRUB_KEY for key in given):
        raise InvalidScrubKeys
    bare = tuple(dict.fromkeys(map(bare_name, given)))
    if any(len(key) < SHORTEST_SCRUB_KEY for key in bare):
        raise InvalidScrubKeys
    return bare


def _scrub_patterns(settings: app_pb.AppSettings) -> tuple[str, ...]:
    if not PATTERNS.keys() >= set(settings.scrub_patterns):
        raise InvalidScrubPatterns
    return tuple(word for word in PATTERNS if word in settings.scrub_patterns)


def _origins(settings: app_pb.AppSettings) -> tuple[str, ...]:
    if len(settings.allowed_origins) > MAX_ORIGINS:
        raise InvalidAllowedOrigins
    return tuple(dict.fromkeys(_origin(given) for given in settings.allowed_origins))


def _origin(given: str) -> str:
    """The origin as browsers write it: in lower case, without the default port."""
    text = given[: LONGEST_ORIGIN + 1].lower()
    found = _ORIGIN.fullmatch(text)
    if len(text) > LONGEST_ORIGIN or (found is None and text != _NULL):
        raise InvalidAllowedOrigins
    if found is not None and found["port"] and found["port"] == _DEFAULT_PORTS.get(found["scheme"]):
        return text.removesuffix(found["port"])
    return text


_JUDGES: dict[str, Callable[[app_pb.AppSettings], Any]] = {
    "retention_days": _between("retention_days", 1, 3_650, InvalidRetentionDays),
    "rate_limit_events_per_s": _between("rate_limit_events_per_s", 0.1, 1_000_000, InvalidRateLimit),
    "capture_rate": _between("capture_rate", 0, 100, InvalidCaptureRate),
    "report_failed_network_calls": _choice("report_failed_network_calls"),
    "allowed_origins": _origins,
    "scrub_keys": _scrub_keys,
    "scrub_patterns": _scrub_patterns,
    "store_ip_addresses": _choice("store_ip_addresses"),
}
"""What each setting must be; None where the request does not set it."""
