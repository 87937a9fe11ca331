"""Where a call comes from, and whose word about it is believed."""

from collections.abc import Collection
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import unquote

from server.interceptors.base import Context, metadata_value

_IN_PROCESS = "inprocess:"


class Peers:
    """Knows the proxies whose `x-forwarded-for` and `x-healthguard-door` count; our own facade in process is one."""

    def __init__(self, trusted: Collection[str]) -> None:
        self._trusted = frozenset(_canonical(address) for address in trusted)

    def is_trusted(self, context: Context) -> bool:
        """Whether the direct peer is our own facade or a trusted proxy."""
        peer = context.peer()
        return peer.startswith(_IN_PROCESS) or _host(peer) in self._trusted

    def client_address(self, context: Context) -> str:
        """The client's IP address; empty when the transport has none."""
        if self.is_trusted(context):
            # The last entry is what the trusted proxy saw itself; the ones before it are hearsay.
            forwarded = _canonical(metadata_value(context, "x-forwarded-for").rpartition(",")[2].strip())
            if forwarded:
                return forwarded
        return _host(context.peer())

    def is_facade(self, context: Context) -> bool:
        """Whether the call came through our REST door, which writes its own access line."""
        return metadata_value(context, "x-healthguard-door") == "rest" and self.is_trusted(context)


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
