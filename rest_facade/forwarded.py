"""Whose word about a client's address is believed: the proxies an operator trusts, named by address or network."""

from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

MAX_HOPS: Final = 32
"""Entries of X-Forwarded-For that are looked at, from the right. Nobody runs so many proxies in a row."""

_KEPT: Final = 4_096
"""Addresses remembered in their one spelling: parsing one takes 2 us, and clients come back."""

_LONGEST: Final = 64
"""Characters of the longest spelling there is, a zone included; what is longer is neither parsed nor remembered."""


class Proxies:
    """The trusted proxies. Without any the direct peer is the client, whatever a header says."""

    def __init__(self, networks: Collection[str]) -> None:
        """Each is an address or a network in CIDR notation; ValueError for what `network` refuses."""
        self._networks = tuple(network(text) for text in networks)
        self._is_trusted = lru_cache(_KEPT)(self._lies_within)

    def trusts(self, address: str) -> bool:
        """Whether an address, spelled as `canonical` does, is a trusted proxy's."""
        return bool(self._networks) and self._is_trusted(address)

    def client(self, peer: str, forwarded: str) -> str:
        """The client behind a direct peer: each trusted one is believed about the one before it, from the right.

        `forwarded` is X-Forwarded-For, several of them joined by commas in their order. Who sends a request writes what
        they like at its left end; a proxy of ours only ever adds at the right what it saw itself.
        """
        client = canonical(peer) or peer
        if not forwarded:
            return client
        for hop in reversed(forwarded.rsplit(",", MAX_HOPS)[-MAX_HOPS:]):
            named = _address_in(hop.strip()) if self.trusts(client) else ""
            if not named:
                break
            client = named
        return client

    def _lies_within(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


def network(text: str) -> IPv4Network | IPv6Network:
    """An address or a network as people write it; ValueError for anything else, and for one that is everybody."""
    parsed = ip_network(text)
    if parsed.prefixlen == 0:
        raise ValueError(f"{text} is everybody")
    return parsed


def canonical(text: str) -> str:
    """One spelling per address, without a zone and IPv4 out of its IPv6 clothes; empty for what is no address."""
    return _canonical(text) if len(text) <= _LONGEST else ""


@lru_cache(_KEPT)
def _canonical(text: str) -> str:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def _address_in(hop: str) -> str:
    """The address in one entry of X-Forwarded-For, which may have a port; empty where there is none."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    return canonical(hop)
