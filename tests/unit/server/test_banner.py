"""What a person sees at start."""

from server import program
from server.address import Address, Addresses
from server.banner import banner
from server.config import Settings

BOTH = Addresses(rest=Address("127.0.0.1", 4100), grpc=Address("127.0.0.1", 4101))


def test_the_banner_names_the_real_addresses_and_the_next_steps() -> None:
    lines = banner(Settings(), BOTH).splitlines()
    assert lines[0].startswith("HealthGuard Collector ")
    assert lines[1:4] == [
        "  REST      http://127.0.0.1:4100      (docs: http://127.0.0.1:4100/docs)",
        "  gRPC      127.0.0.1:4101",
        "  database  sqlite:///./healthguard-data/healthguard.db",
    ]
    assert lines[4].startswith("  next      curl http://127.0.0.1:4100/api/auth/register ")
    assert f"{program.command()} demo --rest 127.0.0.1:4100 " in lines[5]
    assert "http://127.0.0.1:4100/ " in lines[6]


def test_the_banner_hides_the_database_password() -> None:
    shown = banner(Settings(database_url="postgresql+psycopg://me:swordfish@host/name"), BOTH)
    assert "swordfish" not in shown
    assert "postgresql+psycopg://me:***@host/name" in shown


def test_each_half_names_only_what_it_has() -> None:
    grpc_half = banner(Settings(), Addresses(grpc=Address("h", 1)))
    assert "REST" not in grpc_half
    rest_half = banner(Settings(target="far:1"), Addresses(rest=Address("h", 1)))
    assert "database" not in rest_half
    assert "  target    far:1" in rest_half
