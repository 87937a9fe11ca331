"""What an app's owner can choose about how its events are taken and kept, between row and value."""

from dataclasses import dataclass

from server.store.tables import AppRow


@dataclass(frozen=True, slots=True)
class AppSettings:
    """Settings of one app; None is the server's own."""

    retention_days: int | None = None
    rate_limit_events_per_s: float | None = None
    capture_rate: int | None = None
    """Percent of mobile sessions that are recorded."""
    report_failed_network_calls: bool | None = None
    """Whether failed network calls of mobile sessions become http events."""
    allowed_origins: tuple[str, ...] = ()
    """Origins from which browsers may send; empty is any."""
    scrub_keys: tuple[str, ...] = ()
    """Names of values that are masked, without separators and in lower case."""
    scrub_patterns: tuple[str, ...] = ()
    """What is masked by its looks."""
    store_ip_addresses: bool | None = None
    """Whether the address an event was sent from is stored with it."""


def settings_from_row(row: AppRow) -> AppSettings:
    """The settings of the app."""
    return AppSettings(
        retention_days=row.retention_days,
        rate_limit_events_per_s=row.rate_limit_events_per_s,
        capture_rate=row.capture_rate,
        report_failed_network_calls=row.report_failed_network_calls,
        allowed_origins=tuple(row.allowed_origins.split()),
        scrub_keys=tuple(row.scrub_keys.split()),
        scrub_patterns=tuple(row.scrub_patterns.split()),
        store_ip_addresses=row.store_ip_addresses,
    )


def put_settings(row: AppRow, settings: AppSettings, fields: frozenset[str]) -> None:
    """Write the named settings into the row."""
    for field in fields:
        value = getattr(settings, field)
        setattr(row, field, " ".join(value) if isinstance(value, tuple) else value)
