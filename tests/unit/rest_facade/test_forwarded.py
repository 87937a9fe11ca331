"""Whose word about the client counts, and what hostile headers come to."""

from ipaddress import ip_address

import pytest
from hypothesis import given, strategies as st

from rest_facade.forwarded import MAX_HOPS, Proxies, canonical, network

NEAR = Proxies(("127.0.0.1", "10.0.0.0/8", "2001:db8::/32"))
CLIENT = "198.51.100.7"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", CLIENT, CLIENT),
        ("10.255.0.1", f"203.0.113.9, {CLIENT}", CLIENT),
        ("10.0.0.1", f"203.0.113.9, {CLIENT},10.0.0.2 ,2001:db8::9", CLIENT),
        ("2001:db8:ffff::1", "[2001:db9::1]:443", "2001:db9::1"),
        ("::ffff:10.0.0.1", f"::ffff:{CLIENT}", CLIENT),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        (CLIENT, "203.0.113.9", CLIENT),
        ("11.0.0.1", "203.0.113.9", "11.0.0.1"),
        ("fe80::1%eth0", "203.0.113.9", "fe80::1"),
        ("nobody", "203.0.113.9", "nobody"),
    ],
)
def test_each_trusted_proxy_is_believed_about_the_one_before_it(peer: str, forwarded: str, client: str) -> None:
    assert NEAR.client(peer, forwarded) == client


def test_without_the_setting_headers_say_nothing() -> None:
    assert Proxies(()).client("127.0.0.1", CLIENT) == "127.0.0.1"


@pytest.mark.parametrize(
    "forwarded",
    [
        "unknown",
        "_hidden",
        "256.1.1.1",
        "1.2.3.4.5",
        "0x7f000001",
        "203.0.113.9,",
        "203.0.113.9, 10.0.0.1\0",
        "[" * 100,
        "203.0.113.9, " + "9" * 30_000,
        "203.0.113.9, fe80::1%" + "a" * 100,
        "'; DROP TABLE events; --",
        "\u00e9\u00ff",
    ],
)
def test_garbage_ends_the_walk_at_who_passed_it_on(forwarded: str) -> None:
    assert NEAR.client("10.0.0.1", forwarded) == "10.0.0.1"


def test_only_so_many_hops_are_looked_at() -> None:
    assert NEAR.client("10.0.0.1", ",".join([CLIENT] + ["10.0.0.2"] * (MAX_HOPS - 1))) == CLIENT
    assert NEAR.client("10.0.0.1", ",".join([CLIENT] + ["10.0.0.2"] * MAX_HOPS)) == "10.0.0.2"
    assert NEAR.client("10.0.0.1", "10.0.0.3," * 10_000 + CLIENT) == CLIENT


@given(st.text(st.characters(max_codepoint=255)) | st.lists(st.ip_addresses().map(str)).map(",".join))
def test_whatever_a_header_holds_the_client_is_an_address_in_one_spelling(forwarded: str) -> None:
    client = NEAR.client("10.0.0.1", forwarded)
    assert canonical(client) == client == str(ip_address(client))
    assert NEAR.client(CLIENT, forwarded) == CLIENT


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0", "10.0.0.1/8", "10.0.0.0/33", "proxy", ""])
def test_what_is_no_network_or_everybody_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        network(text)
