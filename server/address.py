"""Addresses: where the doors listen, whether a port can be had, and what counts as one client's."""

import errno
import socket
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

from server.errors import StartupFault


class Address(NamedTuple):
    """A host and a TCP port; port 0 asks the system for a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Addresses:
    """What a running process listens on, with real ports; None where it does not."""

    rest: Address | None = None
    grpc: Address | None = None


def parse(text: str) -> Address:
    """`127.0.0.1:3100`, `localhost:0` or `[::1]:3100`; ValueError says what is wrong with anything else."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("an IPv6 host needs brackets, as in [::1]:3100")
    if not colon or not host:
        raise ValueError("expected HOST:PORT")
    if not (port.isascii() and port.isdigit() and int(port) <= 65_535):
        raise ValueError("the port must be a number from 0 to 65535")
    return Address(host, int(port))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host; names other than localhost may be anywhere."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@lru_cache(4_096)
def network_of(host: str) -> str:
    """What counts as one client's address: an IPv4 address, or the /64 in which any IPv6 host can roam."""
    try:
        parsed = ip_address(host)
    except ValueError:
        return host
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else host


def reserve(address: Address, flag: str) -> socket.socket:
    """A socket that keeps the port, whose number may have been the system's choice, for workers to share.

    Raises StartupFault when the port is taken. An exclusive bind is tried first: with SO_REUSEPORT alone two
    collectors of one user would take the same port without noticing, and each would get half of the requests.
    """
    _bind(address, flag, shared=False).close()
    return _bind(address, flag, shared=True)


def listen(address: Address, flag: str, *, shared: bool = False) -> socket.socket:
    """A bound socket for a server to listen on; StartupFault when the port cannot be had."""
    return _bind(address, flag, shared=shared)


def bound(sock: socket.socket) -> Address:
    """The address a socket is bound to, with the port the system chose."""
    host, port = sock.getsockname()[:2]
    return Address(host, port)


def _bind(address: Address, flag: str, *, shared: bool) -> socket.socket:
    try:
        family, kind, proto, _, where = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, proto)
    except OSError as error:
        raise StartupFault(f"{flag}: cannot listen on {address}: {error.strerror}") from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(where)
        if not shared:
            sock.listen()  # SO_REUSEADDR lets a second bind pass; only listening finds the port taken
    except OSError as error:
        sock.close()
        taken = error.errno == errno.EADDRINUSE
        why = f"another program has it; choose another with {flag} HOST:PORT" if taken else error.strerror
        raise StartupFault(f"{flag}: cannot listen on {address}: {why}") from error
    return sock
