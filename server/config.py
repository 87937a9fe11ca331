"""The settings: flags and `HEALTHGUARD_` variables in one typed object; the only reader of the environment."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

import sqlalchemy as sa
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.exc import ArgumentError

from rest_facade import forwarded
from server import address
from server.address import Address, Addresses
from server.errors import StartupFault

PREFIX = "HEALTHGUARD_"
MIB = 1_048_576
DATABASES = ("sqlite", "postgresql", "postgresql+psycopg")
BLOB_STORES = ("file", "s3", "memory")
SHORTEST_SECRET = 32
"""Characters of HEALTHGUARD_SECRET: page tokens are signed with it, so it must not be guessable."""

_NO_PROXY = "is neither an IP address nor a network such as 10.0.0.0/8 or 2001:db8::/32"

SMALLEST_BUDGET_BYTES = 16 * MIB
"""Below it the log that SQLite writes ahead would be most of what the budget holds."""


class InvalidSettings(StartupFault):
    """Every fault of the settings at once; `lines` holds one sentence each."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Settings(BaseSettings):
    """All that an operator can choose. A flag wins over its variable, a variable over the default."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid")

    rest: str = "127.0.0.1:3100"
    grpc: str = "127.0.0.1:3101"
    data_dir: Path = Path("./healthguard-data")
    database_url: str = Field(default="", repr=False)
    """May hold a password, and so is not part of what is shown of the settings."""
    blob_url: str = ""
    workers: int = Field(default=1, ge=1, le=64)
    target: str = ""

    recording_ttl_s: int = Field(default=7_200, ge=60, le=30 * 86_400)
    """How long a tracker may append to a session it started."""
    late_max_age_days: int = Field(default=30, ge=0, le=3_650)
    """For how long after that it may send what a crash left behind."""
    recording_quality: Literal["low", "standard", "high"] = "low"
    recording_fps: int = Field(default=1, ge=1, le=99)
    session_ttl_s: int = Field(default=7 * 86_400, ge=1, le=10 * 365 * 86_400)
    app_key_grace_days: int = Field(default=7, ge=0, le=365)
    event_max_age_days: int = Field(default=30, ge=1, le=36_500)
    retention_days: int = Field(default=30, ge=1, le=3_650)
    disk_budget_bytes: int = Field(default=0, ge=0)
    cors_origins: str = ""
    trusted_proxies: str = ""
    tls_cert: str = ""
    """PEM file with the certificate chain of both doors; looked at again for every connection."""
    tls_key: str = ""
    tls_client_ca: str = ""
    """PEM file: gRPC clients must show a certificate that it signed."""
    target_ca: str = ""
    """PEM file by which serve-rest knows the gRPC server; with it the two speak TLS."""
    target_cert: str = ""
    target_key: str = ""
    allow_plaintext: bool = False
    """Whether doors may speak plaintext beyond this machine, as behind a proxy that speaks TLS."""
    rate_limit_events_per_s: float = Field(default=0, ge=0, allow_inf_nan=False)
    address_requests_per_s: float = Field(default=0, ge=0, allow_inf_nan=False)
    address_at_once: int = Field(default=1_024, ge=1)
    max_inflight_bytes: int = Field(default=64 * MIB, ge=MIB)
    disk_floor_bytes: int = Field(default=256 * MIB, ge=0)
    registrations_per_hour: int = Field(default=300, ge=1)
    login_free_attempts: int = Field(default=10, ge=1, le=1_000)
    log_format: Literal["auto", "json", "text"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    secret: SecretStr = SecretStr("")
    previous_secrets: SecretStr = SecretStr("")
    """Secrets that were in force before, parted by commas: session tokens signed with them stay good until they expire."""
    traces_url: str = ""
    """Where OpenTelemetry spans go: an OTLP receiver over HTTP, such as http://127.0.0.1:4318/v1/traces."""
    worker: int | None = Field(default=None, ge=0)
    """Which of several workers this process is; set by the process that started it, never by an operator."""

    @classmethod
    def load(cls, *, with_store: bool = True, **flags: object) -> Self:
        """Flags (None means not given) over the environment; InvalidSettings tells all faults at once.

        `with_store` says whether this process opens the database itself.
        """
        given: dict[str, Any] = {name: value for name, value in flags.items() if value is not None}
        faults: list[str] = []
        try:
            settings = cls(**given)
        except ValidationError as error:
            faults = [_line(str(fault["loc"][0]), fault["msg"].lower()) for fault in error.errors()]
            # The faulty ones take their defaults, so that the rest can be judged as well.
            bad = {str(fault["loc"][0]) for fault in error.errors()}
            settings = cls(**given | {name: cls.model_fields[name].default for name in bad})
        faults += settings.verify(with_store=with_store)
        if faults:
            raise InvalidSettings(faults)
        return settings

    def verify(self, *, with_store: bool = True) -> list[str]:
        """All faults that no single type can show; one line each, naming the flag and the variable."""
        return [
            *(self._address_faults() or self._plaintext_faults()),
            *self._tls_faults(),
            *(self._store_faults() if with_store else ()),
            *_bad_items("trusted_proxies", self.trusted_proxy_list, forwarded.network, _NO_PROXY),
            *_bad_items("cors_origins", self.cors_origin_list, _origin, "is not an origin like https://app.example"),
            *self._secret_faults(),
            *self._budget_faults(),
            *_bad_items("traces_url", _items(self.traces_url), _http_url, "is not an http:// or https:// address"),
        ]

    @property
    def rest_address(self) -> Address:
        """Where REST listens."""
        return address.parse(self.rest)

    @property
    def grpc_address(self) -> Address:
        """Where gRPC listens."""
        return address.parse(self.grpc)

    @property
    def rest_scheme(self) -> str:
        """How URLs of the REST door begin."""
        return "https" if self.tls_cert else "http"

    @property
    def database(self) -> str:
        """The database URL: the given one, or the SQLite file in the data directory."""
        return self.database_url or f"sqlite:///{self.shown_data_dir}/healthguard.db"

    @property
    def blobs(self) -> str:
        """The blob store URL: the given one, or a directory in the data directory."""
        return self.blob_url or f"file:///{self.shown_data_dir}/blobs"

    @property
    def uses_sqlite(self) -> bool:
        """Whether the database is the embedded one."""
        return self.database.startswith("sqlite")

    @property
    def sqlite_file(self) -> Path | None:
        """The file of the embedded database; None on PostgreSQL."""
        name = sa.make_url(self.database).database
        return Path(name) if self.uses_sqlite and name else None

    @property
    def metrics_dir(self) -> Path:
        """Where the workers of one parent keep the metrics that they answer together."""
        return self.data_dir / "metrics"

    @property
    def shown_data_dir(self) -> str:
        """The data directory as people write it: a relative one starts with `./`."""
        return str(self.data_dir) if self.data_dir.is_absolute() else f"./{self.data_dir}"

    @property
    def trusted_proxy_list(self) -> tuple[str, ...]:
        """Addresses and networks whose X-Forwarded-For is believed; without any the direct peer is the client."""
        return _items(self.trusted_proxies)

    @property
    def cors_origin_list(self) -> tuple[str, ...]:
        """Origins whose pages may call everything; pages of all others may only send events and sessions."""
        return _items(self.cors_origins)

    @property
    def previous_secret_list(self) -> tuple[str, ...]:
        """The secrets that were in force before."""
        return _items(self.previous_secrets.get_secret_value())

    @property
    def recording_ttl_ms(self) -> int:
        """How long a recorded session lasts at most."""
        return self.recording_ttl_s * 1_000

    @property
    def late_max_age_ms(self) -> int:
        """For how long after its expiry a session token is good for late batches."""
        return self.late_max_age_days * 86_400_000

    @property
    def event_max_age_ms(self) -> int:
        """How old a client's timestamp may be and still be believed."""
        return self.event_max_age_days * 86_400_000

    def worker_environment(self, index: int, addresses: Addresses) -> dict[str, str]:
        """The environment of one of several workers: these settings, on ports that are settled by now."""
        chosen = self.model_dump(mode="json", exclude={"secret", "previous_secrets", "workers", "worker"})
        chosen |= {"worker": index, "rest": addresses.rest or self.rest, "grpc": addresses.grpc or self.grpc}
        chosen["secret"] = self.secret.get_secret_value()
        chosen["previous_secrets"] = self.previous_secrets.get_secret_value()
        ours = {PREFIX + name.upper(): str(value) for name, value in chosen.items()}
        others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        # prometheus_client looks for this name when it is imported; only then do its counters go to files.
        return others | ours | {"PROMETHEUS_MULTIPROC_DIR": str(self.metrics_dir)}

    def _address_faults(self) -> list[str]:
        faults = []
        for name in ("rest", "grpc", "target"):
            text = getattr(self, name)
            try:
                port = address.parse(text).port if text or name != "target" else 1
            except ValueError as error:
                faults.append(_line(name, f"{error}, got {text!r}"))
            else:
                if name == "target" and port == 0:
                    faults.append(_line(name, "the port must be a real one, got 0"))
        return faults

    def _plaintext_faults(self) -> list[str]:
        if self.allow_plaintext:
            return []
        encrypted = {"rest": self.tls_cert, "grpc": self.tls_cert, "target": self.target_ca}
        remedies = {
            "rest": "HEALTHGUARD_TLS_CERT and HEALTHGUARD_TLS_KEY",
            "grpc": "HEALTHGUARD_TLS_CERT and HEALTHGUARD_TLS_KEY",
            "target": "HEALTHGUARD_TARGET_CA",
        }
        return [
            _line(
                name,
                f"{given} is not this machine alone, and plaintext would show passwords and tokens on the way;"
                f" set {remedies[name]}, or HEALTHGUARD_ALLOW_PLAINTEXT=true behind a proxy that speaks TLS",
            )
            for name, files in encrypted.items()
            if (given := getattr(self, name)) and not files and not address.is_loopback(address.parse(given).host)
        ]

    def _tls_faults(self) -> list[str]:
        faults = []
        for names in (("tls_cert", "tls_key"), ("target_cert", "target_key")):
            given = [name for name in names if getattr(self, name)]
            if len(given) == 1:
                missing = next(name for name in names if name not in given)
                faults.append(_line(given[0], f"needs {PREFIX}{missing.upper()} beside it"))
        for name, needed in (("tls_client_ca", "tls_cert"), ("target_cert", "target_ca")):
            if getattr(self, name) and not getattr(self, needed):
                faults.append(_line(name, f"means nothing without {PREFIX}{needed.upper()}"))
        return faults

    def _store_faults(self) -> list[str]:
        faults = []
        if "?" in str(self.data_dir):
            faults.append(_line("data_dir", "a question mark in the name would end the database URL"))
        elif fault := _database_fault(self.database):
            faults.append(_line("database_url", fault))
        if urlsplit(self.blobs).scheme not in BLOB_STORES:
            faults.append(_line("blob_url", "must begin with file://, s3:// or memory://"))
        if self.workers > 1 and self.uses_sqlite:
            faults.append(
                _line(
                    "workers", f"SQLite allows one worker, got {self.workers}; use PostgreSQL (--database-url) for more"
                )
            )
        return faults

    def _secret_faults(self) -> list[str]:
        fault = f"needs at least {SHORTEST_SECRET} characters"
        faults = [_line("secret", fault)] if 0 < len(self.secret.get_secret_value()) < SHORTEST_SECRET else []
        if any(len(previous) < SHORTEST_SECRET for previous in self.previous_secret_list):
            faults.append(_line("previous_secrets", f"each {fault}"))
        return faults

    def _budget_faults(self) -> list[str]:
        small = 0 < self.disk_budget_bytes < SMALLEST_BUDGET_BYTES
        return [_line("disk_budget_bytes", f"needs at least {SMALLEST_BUDGET_BYTES}; 0 sets none")] if small else []


FLAGS = ("rest", "grpc", "data_dir", "database_url", "blob_url", "workers", "target")
"""Settings that the command line knows; the others are variables only."""


def _line(name: str, fault: str) -> str:
    variable = PREFIX + name.upper()
    where = f"--{name.replace('_', '-')} ({variable})" if name in FLAGS else variable
    return f"{where}: {fault}"


def _items(text: str) -> tuple[str, ...]:
    return tuple(item for item in (part.strip() for part in text.split(",")) if item)


def _bad_items(name: str, items: tuple[str, ...], parse: Callable[[str], object], fault: str) -> list[str]:
    faults = []
    for item in items:
        try:
            parse(item)
        except ValueError:
            faults.append(_line(name, f"{item!r} {fault}"))
    return faults


def _origin(text: str) -> None:
    parts = urlsplit(text)
    if not (parts.scheme and parts.netloc) or parts.path or parts.query or parts.fragment:
        raise ValueError(text)


def _http_url(text: str) -> None:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(text)


def _database_fault(url: str) -> str:
    """What is wrong with a database URL; never the URL itself, which may hold a password."""
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):
        return "is not a database URL; write sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"
    if parsed.drivername not in DATABASES:
        return f"{parsed.drivername} is not supported; use sqlite or postgresql+psycopg"
    if parsed.drivername == "sqlite" and parsed.database in {None, "", ":memory:"}:
        return "SQLite needs a file: nothing acknowledged may live in memory alone"
    return ""
