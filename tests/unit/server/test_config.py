"""Settings: where values come from, and how faults are told."""

import pytest

from server.address import Address, Addresses
from server.config import InvalidSettings, Settings


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HEALTHGUARD_{name.upper()}", raising=False)


def faults(**flags: object) -> list[str]:
    with pytest.raises(InvalidSettings) as raised:
        Settings.load(**flags)
    return raised.value.lines


def test_defaults_are_the_documented_ones() -> None:
    settings = Settings.load()
    assert settings.rest_address == Address("127.0.0.1", 3100)
    assert settings.grpc_address == Address("127.0.0.1", 3101)
    assert settings.database == "sqlite:///./healthguard-data/healthguard.db"
    assert settings.blobs == "file:///./healthguard-data/blobs"
    assert settings.trusted_proxy_list == ()
    assert settings.cors_origin_list == ()
    assert settings.session_ttl_s == 7 * 86_400


def test_a_flag_wins_over_its_variable_and_the_variable_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHGUARD_REST", "0.0.0.0:1")
    monkeypatch.setenv("HEALTHGUARD_GRPC", "0.0.0.0:2")
    monkeypatch.setenv("HEALTHGUARD_ALLOW_PLAINTEXT", "true")
    settings = Settings.load(rest="[::1]:0", grpc=None)
    assert settings.rest_address == Address("::1", 0)
    assert settings.grpc_address == Address("0.0.0.0", 2)


def test_all_faults_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHGUARD_WORKERS", "many")
    monkeypatch.setenv("HEALTHGUARD_LOG_FORMAT", "xml")
    monkeypatch.setenv("HEALTHGUARD_SECRET", "short")
    told = faults(rest="nowhere", cors_origins="example.com", trusted_proxies="proxy", blob_url="ftp://x")
    beginnings = (
        "--workers (HEALTHGUARD_WORKERS): ",
        "HEALTHGUARD_LOG_FORMAT: ",
        "--rest (HEALTHGUARD_REST): expected HOST:PORT",
        "--blob-url (HEALTHGUARD_BLOB_URL): ",
        "HEALTHGUARD_TRUSTED_PROXIES: 'proxy' is neither an IP address nor a network",
        "HEALTHGUARD_CORS_ORIGINS: 'example.com' is not an origin",
        "HEALTHGUARD_SECRET: needs at least 32 characters",
    )
    assert len(told) == len(beginnings)
    for line, beginning in zip(told, beginnings, strict=True):
        assert line.startswith(beginning)
        assert "\n" not in line


@pytest.mark.parametrize("name", ["rest", "grpc", "target"])
@pytest.mark.parametrize("address", ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "collector.example:1"])
def test_plaintext_stays_on_this_machine_unless_asked_for(name: str, address: str) -> None:
    (line,) = faults(**{name: address})
    assert "plaintext" in line
    assert "HEALTHGUARD_ALLOW_PLAINTEXT=true" in line
    assert Settings.load(**{name: address}, allow_plaintext=True)
    files = {"target_ca": "ca.pem"} if name == "target" else {"tls_cert": "cert.pem", "tls_key": "key.pem"}
    assert Settings.load(**{name: address}, **files)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.8.0.1:1", "[::1]:1", "localhost:1"])
def test_this_machine_is_told_by_its_addresses(address: str) -> None:
    assert Settings.load(rest=address)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"tls_cert": "c"}, "HEALTHGUARD_TLS_CERT: needs HEALTHGUARD_TLS_KEY"),
        ({"tls_key": "k"}, "HEALTHGUARD_TLS_KEY: needs HEALTHGUARD_TLS_CERT"),
        ({"tls_client_ca": "a"}, "HEALTHGUARD_TLS_CLIENT_CA: means nothing without HEALTHGUARD_TLS_CERT"),
        (
            {"target_cert": "c", "target_key": "k"},
            "HEALTHGUARD_TARGET_CERT: means nothing without HEALTHGUARD_TARGET_CA",
        ),
    ],
)
def test_files_of_certificates_come_together(given: dict[str, str], told: str) -> None:
    (line,) = faults(**given)
    assert line.startswith(told)


@pytest.mark.parametrize("address", ["x", ":1", "h:", "h:65536", "h:-1", "h:1.5", "::1:80", "h:٣"])
def test_an_address_needs_a_host_and_a_port(address: str) -> None:
    (line,) = faults(rest=address)
    assert line.startswith("--rest (HEALTHGUARD_REST): ")


@pytest.mark.parametrize(
    "url", ["mysql://h/d", "nonsense", "sqlite://", "sqlite:///:memory:", "postgresql+asyncpg://h/d"]
)
def test_a_database_must_be_durable_and_known(url: str) -> None:
    (line,) = faults(database_url=url)
    assert line.startswith("--database-url (HEALTHGUARD_DATABASE_URL): ")


def test_a_faulty_database_url_is_not_repeated_because_it_may_hold_a_password() -> None:
    (line,) = faults(database_url="mysql://me:swordfish@host/name")
    assert "swordfish" not in line


def test_a_disk_budget_must_hold_something() -> None:
    (line,) = faults(disk_budget_bytes=1_000)
    assert line.startswith("HEALTHGUARD_DISK_BUDGET_BYTES: ")
    assert Settings.load(disk_budget_bytes=0).disk_budget_bytes == 0


def test_sqlite_allows_one_worker() -> None:
    (line,) = faults(workers=2)
    assert "SQLite allows one worker" in line
    assert Settings.load(workers=2, database_url="postgresql+psycopg://host/name").workers == 2
    assert Settings.load(with_store=False, workers=2, target="127.0.0.1:1").workers == 2


def test_a_worker_gets_the_same_settings_on_settled_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql+psycopg://me:swordfish@host/name"
    parent = Settings.load(rest="127.0.0.1:0", workers=3, database_url=url, secret="s" * 32, cors_origins="https://a.b")
    for name, value in parent.worker_environment(2, Addresses(rest=Address("127.0.0.1", 4000))).items():
        monkeypatch.setenv(name, value)
    child = Settings.load()
    assert child.worker == 2
    assert child.rest == "127.0.0.1:4000"
    unchanged = {"rest", "worker", "workers"}
    assert child.model_dump(exclude=unchanged) == parent.model_dump(exclude=unchanged)
    assert child.workers == 1
