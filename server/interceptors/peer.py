"""Where a call comes from, and whose word about it is believed."""

from collections.abc import Collection
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import unquote

from server.interceptors.base import Context, metadata_value

_IN_PROCESS = "inprocess:"


class Sender(NamedTuple):
    """Who sent a call."""

    address: str
    """The client's IP address; empty when the transport has none."""
    through_facade: bool
    """Whether it came through our REST door, which writes its own access line."""


class Peers:
    """Knows the proxies whose `x-forwarded-for` and `x-healthguard-door` count; our own facade in process is one."""

    def __init__(self, trusted: Collection[str]) -> None:
        self._trusted = frozenset(_canonical(address) for address in trusted)

    def is_trusted(self, peer: str) -> bool:
        """Whether a direct peer is our own facade or a trusted proxy."""
        return peer.startswith(_IN_PROCESS) or _host(peer) in self._trusted

    def sender(self, context: Context) -> Sender:
        """Who sent a call, as far as those on its way can be believed."""
        peer = context.peer()
        if not self.is_trusted(peer):
            return Sender(_host(peer), through_facade=False)
        # The last entry is what the trusted proxy saw itself; the ones before it are hearsay.
        forwarded = _canonical(metadata_value(context, "x-forwarded-for").rpartition(",")[2].strip())
        return Sender(forwarded or _host(peer), metadata_value(context, "x-healthguard-door") == "rest")


@lru_cache(4_096)  # a connection carries many calls
def _host(peer: str) -> str:
    """`ipv4:127.0.0.1:5000` or `ipv6:%5B::1%5D:5000` without scheme and port."""
    scheme, _, rest = peer.partition(":")
    if scheme not in {"ipv4", "ipv6"}:
        return ""
    return _canonical(unquote(rest).rpartition(":")[0].strip("[]"))


@lru_cache(4_096)  # parsing costs 10 us, and clients come back
def _canonical(text: str) -> str:
    """One spelling per address, IPv4 in IPv6 clothes included; empty for what is no address."""
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
