"""Certificates of the doors: read at start, and again whenever their files change, for every connection that begins then."""

import ssl
from pathlib import Path
from typing import NamedTuple

import grpc
import structlog

from server.config import Settings
from server.errors import StartupFault

_LOG = structlog.get_logger(__name__)


class _Pair(NamedTuple):
    """What the files held when they were last read."""

    key: bytes
    chain: bytes
    client_ca: bytes | None
    context: ssl.SSLContext


class Certificates:
    """The certificate, its key, and the authority of client certificates, as the files hold them now.

    A change that does not fit together, such as a new certificate whose key is still being written, is logged, and what
    was good before goes on. Raises StartupFault when there is nothing good to begin with.
    """

    def __init__(self, certificate: Path, key: Path, client_ca: Path | None) -> None:
        self._files = (certificate, key, *((client_ca,) if client_ca else ()))
        self._client_ca = client_ca
        try:
            self._stamp = self._stamps()
            self._pair = self._read()
        except (OSError, ValueError) as error:
            raise StartupFault(f"HEALTHGUARD_TLS_CERT, HEALTHGUARD_TLS_KEY: {_told(error)}") from error

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """For the gRPC door, which asks clients for a certificate where their authority is set."""
        return grpc.dynamic_ssl_server_credentials(
            self._grpc_configuration(),
            self._changed_configuration,  # type: ignore[arg-type]  # None keeps the certificate, which the stubs do not know
            require_client_authentication=self._client_ca is not None,
        )

    def rest_context(self) -> ssl.SSLContext:
        """For the REST door, whose clients show no certificate."""
        door = self._pair.context

        def choose(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
            self._refresh()
            connection.context = self._pair.context

        door.sni_callback = choose  # called in every handshake, also of clients that name no host
        return door

    def _grpc_configuration(self) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration(
            [(self._pair.key, self._pair.chain)], root_certificates=self._pair.client_ca
        )

    def _changed_configuration(self) -> grpc.ServerCertificateConfiguration | None:
        return self._grpc_configuration() if self._refresh() else None

    def _refresh(self) -> bool:
        """Read the files again if they changed; whether what they hold is new and good."""
        try:
            stamp = self._stamps()
            if stamp == self._stamp:
                return False
            self._stamp = stamp
            self._pair = self._read()
        except (OSError, ValueError) as error:
            _LOG.error("the new certificate cannot be used, the old one stays", error=_told(error))
            return False
        _LOG.info("a new certificate is in use")
        return True

    def _stamps(self) -> list[tuple[int, int]]:
        return [(status.st_mtime_ns, status.st_ino) for status in (path.stat() for path in self._files)]

    def _read(self) -> _Pair:
        certificate, key = self._files[:2]
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(certificate, key, password=_no_password)
        client_ca = self._client_ca.read_bytes() if self._client_ca else None
        if client_ca is not None:
            ssl.create_default_context(cadata=client_ca.decode("ascii"))
        return _Pair(key.read_bytes(), certificate.read_bytes(), client_ca, context)


def certificates(settings: Settings) -> Certificates | None:
    """The certificates the settings name; None where the doors speak plaintext."""
    if not settings.tls_cert:
        return None
    client_ca = Path(settings.tls_client_ca) if settings.tls_client_ca else None
    return Certificates(Path(settings.tls_cert), Path(settings.tls_key), client_ca)


def target_credentials(settings: Settings) -> grpc.ChannelCredentials | None:
    """By what serve-rest knows the gRPC server and shows itself to it; None where they speak plaintext."""
    if not settings.target_ca:
        return None
    named = (settings.target_ca, settings.target_key, settings.target_cert)
    try:
        root, key, chain = (Path(name).read_bytes() if name else None for name in named)
    except OSError as error:
        raise StartupFault(f"HEALTHGUARD_TARGET_CA, _TARGET_CERT, _TARGET_KEY: {_told(error)}") from error
    return grpc.ssl_channel_credentials(root, key, chain)


def _no_password() -> str:
    raise ValueError("the key is encrypted; give one that is not, readable by this program's user alone")


def _told(error: Exception) -> str:
    """What is wrong, without the bytes of any file."""
    if isinstance(error, ssl.SSLError):
        return f"certificate and key cannot be used together ({error.reason or 'not PEM'})"
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    return str(error)
