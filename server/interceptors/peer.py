"""Where a call comes from, and whose word about it is believed."""

from collections.abc import Collection, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from rest_facade.forwarded import Proxies, canonical
from server.interceptors.base import Context, metadata_values, text_of

_IN_PROCESS = "inprocess:"
_FORWARDED = "x-forwarded-for"


class Sender(NamedTuple):
    """Who sent a call."""

    address: str
    """The client's IP address; empty when the transport has none."""
    through_facade: bool
    """Whether it came through our REST door, which writes its own access line."""


class Peers:
    """Knows the proxies whose `x-forwarded-for` and `x-healthguard-door` count; our own facade in process is one."""

    def __init__(self, trusted: Collection[str]) -> None:
        self._proxies = Proxies(trusted)

    def sender(self, context: Context, metadata: Mapping[str, str | bytes]) -> Sender:
        """Who sent a call with this metadata, as far as those on its way can be believed."""
        peer = context.peer()
        if peer.startswith(_IN_PROCESS):  # by our facade, which has looked at what proxies say
            return Sender(canonical(text_of(metadata, _FORWARDED)), _by_rest_door(metadata))
        host = _host(peer)
        if not self._proxies.trusts(host):
            return Sender(host, through_facade=False)
        forwarded = ",".join(metadata_values(context, _FORWARDED))
        return Sender(self._proxies.client(host, forwarded), _by_rest_door(metadata))


def _by_rest_door(metadata: Mapping[str, str | bytes]) -> bool:
    return metadata.get("x-healthguard-door") == "rest"


def _host(peer: str) -> str:
    """`ipv4:127.0.0.1:5000` or `ipv6:%5B::1%5D:5000` without scheme and port."""
    scheme, _, rest = peer.partition(":")
    if scheme not in {"ipv4", "ipv6"}:
        return ""
    return canonical(unquote(rest).rpartition(":")[0].strip("[]"))
