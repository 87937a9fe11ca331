"""Where a call comes from, by every spelling that grpc has for it."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from server.interceptors.base import told
from server.interceptors.peer import Peers, Sender


@dataclass
class Call:
    """The two things that peers are judged by."""

    said_peer: str
    metadata: tuple[tuple[str, str], ...] = field(default=())

    def peer(self) -> str:
        return self.said_peer

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return self.metadata


def sender(peers: Peers, call: Any) -> Sender:
    return peers.sender(call, told(call))


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:192.0.2.1:5000", "192.0.2.1"),
        ("ipv6:%5B2001:db8::1%5D:5000", "2001:db8::1"),
        ("ipv6:[2001:db8::1]:5000", "2001:db8::1"),
        ("ipv6:%5B::ffff:192.0.2.1%5D:5000", "192.0.2.1"),
        ("unix:/run/x.sock", ""),
        ("", ""),
    ],
)
def test_the_address_of_a_peer_has_one_spelling(peer: str, address: str) -> None:
    assert sender(Peers(()), Call(peer)) == (address, False)


@pytest.mark.parametrize("peer", ["ipv4:127.0.0.1:5000", "ipv6:%5B::1%5D:5000"])
def test_trusted_peers_speak_for_their_clients(peer: str) -> None:
    call = Call(peer, (("x-forwarded-for", "203.0.113.9, 2001:DB8::7"), ("x-healthguard-door", "rest")))
    assert sender(Peers(("127.0.0.1", "::1")), call) == ("2001:db8::7", True)


def test_a_stranger_speaks_for_nobody() -> None:
    call = Call("ipv4:192.0.2.1:5000", (("x-forwarded-for", "203.0.113.9"), ("x-healthguard-door", "rest")))
    assert sender(Peers(("127.0.0.1",)), call) == ("192.0.2.1", False)


def test_a_chain_of_proxies_is_followed_over_all_entries() -> None:
    chain = (("x-forwarded-for", "203.0.113.9, 198.51.100.7"), ("x-forwarded-for", "10.0.0.2"))
    assert sender(Peers(("10.0.0.0/8",)), Call("ipv4:10.0.0.1:5000", chain)).address == "198.51.100.7"


def test_our_own_door_has_settled_who_the_client_is() -> None:
    call = Call("inprocess:", (("x-forwarded-for", "2001:DB8::7"), ("x-healthguard-door", "rest")))
    assert sender(Peers(("2001:db8::7",)), call) == ("2001:db8::7", True)
