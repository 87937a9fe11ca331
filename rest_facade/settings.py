"""What an operator may change about the REST door, and the bounds it keeps otherwise."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FacadeSettings:
    """Bounds and policies of the facade; every value has a default that is safe on one small machine."""

    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may use the routes of dashboards. Ingest answers every origin: SDKs live everywhere."""

    max_body_bytes: int = 1_048_576
    """Longest body on the wire; exactly this many bytes pass. The value existing SDKs are sized for."""

    max_inflated_bytes: int = 8 * 1_048_576
    """Longest body after decompression. JSON of stack traces shrinks about 8 times; a bomb shrinks 1,000 times."""

    max_inflight_bytes: int = 64 * 1_048_576
    """Bytes of all bodies being read or worked on. Parsed JSON weighs several times its text, so this bounds memory."""

    max_upload_bytes: int = 10_000_000
    """Longest upload of screenshots on the wire, its form included: what trackers have always been allowed."""

    body_timeout_s: float = 60.0
    """Time a client has to send its body: 1 MiB at 140 kbit/s."""

    rpc_timeout_s: float = 30.0
    """Deadline of each RPC."""

    retry_after_s: int = 5
    """What Retry-After says when nobody knows better."""

    drain_bytes: int = 4 * 1_048_576
    """How much of a refused body is read and thrown away so that the client gets to see the answer."""

    drain_timeout_s: float = 5.0
    """How long that may take."""

    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of TCP peers whose X-Forwarded-For is believed; without any the peer is the client."""
