"""Calls a running collector as any HTTP client would, for the demo."""

import http.client
import json
import secrets
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, TypeAlias

from server import program
from server.address import Address
from server.errors import StartupFault

Json: TypeAlias = Any
"""What json.load gives."""

TIMEOUT_S = 30
_JSON = "application/json"


class Client:
    """One signed-in user, or one tracker: whoever `token` belongs to. Every call raises StartupFault where it fails."""

    def __init__(self, address: Address, certificate: str = "", token: str = "") -> None:
        """With the file of the collector's certificate the two speak TLS, and no other certificate is believed."""
        self.base = f"{'https' if certificate else 'http'}://{address}"
        self.token = token
        self._address, self._certificate = address, certificate
        tls = [urllib.request.HTTPSHandler(context=_trusting(certificate))] if certificate else []
        self._direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), *tls)

    def with_token(self, token: str) -> "Client":
        """The same collector for somebody else."""
        return Client(self._address, self._certificate, token)

    def __call__(self, method: str, path: str, body: object = None) -> Json:
        """The answer to a JSON call."""
        return json.loads(self._send(method, path, None if body is None else json.dumps(body).encode(), _JSON))

    def post_bytes(self, path: str, body: bytes) -> None:
        """Sends bytes as they are."""
        self._send("POST", path, body, "application/octet-stream")

    def post_file(self, path: str, name: str, content: bytes) -> None:
        """Sends one file as a form, as trackers do."""
        boundary = secrets.token_hex(16)
        head = f'--{boundary}\r\ncontent-disposition: form-data; name="batch"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        self._send("POST", path, body, f"multipart/form-data; boundary={boundary}")

    def _send(self, method: str, path: str, data: bytes | None, content_type: str) -> bytes:
        headers = {"content-type": content_type}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self.base + path, data, headers, method=method)  # noqa: S310 -- http or https
        try:
            with self._direct.open(request, timeout=TIMEOUT_S) as answer:
                read: bytes = answer.read()
                return read
        except urllib.error.HTTPError as error:
            raise StartupFault(f"{method} {path} on {self.base} answered {error.code}: {_told(error)}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            start = f"{program.command()} serve"
            raise StartupFault(f"no collector's REST door answers on {self.base}; start one with: {start}") from error


def _trusting(certificate: str) -> ssl.SSLContext:
    """Believes the first certificate of the file, whatever name the collector is reached by, and nobody else's."""
    end = "-----END CERTIFICATE-----"
    try:
        own = Path(certificate).read_text(encoding="ascii").partition(end)[0] + end
        context = ssl.create_default_context(cadata=own)
    except (OSError, ValueError) as error:
        raise StartupFault(f"HEALTHGUARD_TLS_CERT: {certificate} holds no certificate: {error}") from error
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # who signed it does not matter
    return context


def _told(error: urllib.error.HTTPError) -> str:
    """What a problem says; of any other answer only that it is none of ours."""
    try:
        return str(json.loads(error.read(2_000))["message"])
    except (ValueError, KeyError, TypeError):
        return "that is no HealthGuard Collector"
