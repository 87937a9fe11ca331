"""Ports are found taken before anything else happens, and shared only on purpose; what counts as one client."""

import socket
from contextlib import closing

import pytest

from server.address import Address, bound, listen, network_of, parse, reserve
from server.errors import StartupFault

ANY = Address("127.0.0.1", 0)


@pytest.mark.parametrize("text", ["127.0.0.1:3100", "localhost:0", "[::1]:3100"])
def test_an_address_reads_as_it_is_written(text: str) -> None:
    assert str(parse(text)) == text


def test_a_taken_port_is_told_with_its_flag() -> None:
    with closing(listen(ANY, "--rest")) as first:
        address = bound(first)
        with pytest.raises(StartupFault) as raised:
            listen(address, "--rest")
    assert str(raised.value).startswith(f"--rest: cannot listen on {address}: another program has it")


def test_a_reserved_port_is_shared_by_workers_and_with_nobody_else() -> None:
    with closing(reserve(ANY, "--grpc")) as held:
        address = bound(held)
        with (
            closing(listen(address, "--grpc", shared=True)) as one,
            closing(listen(address, "--grpc", shared=True)) as other,
        ):
            one.listen()
            other.listen()
            for grab in (reserve, listen):
                with pytest.raises(StartupFault):
                    grab(address, "--grpc")


def test_an_unknown_host_is_a_fault_of_one_line() -> None:
    with pytest.raises(StartupFault) as raised:
        listen(Address("no.such.host.invalid", 0), "--rest")
    assert "\n" not in str(raised.value)


def test_a_port_can_be_had_again_at_once_after_use() -> None:
    listener = listen(ANY, "--rest")
    address = bound(listener)
    with socket.create_connection(address):
        accepted, _ = listener.accept()
        accepted.close()
        listener.close()
    listen(address, "--rest").close()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
        ("not an address", "not an address"),
    ],
)
def test_an_ipv6_host_is_one_client_wherever_it_roams(address: str, network: str) -> None:
    assert network_of(address) == network
