"""Both doors over TLS on the running program: who is let in, and certificates that change while it serves."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import httpx
import pytest
import trustme
from healthguard.v1 import auth_service_pb2 as auth_pb, auth_service_pb2_grpc as auth_grpc

from tests.collector import Collector, run


class Files:
    """Certificates as an operator lays them down, and what clients need to trust them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.clients = trustme.CA()
        self.ca = trustme.CA()
        self.client = self.clients.issue_cert("service.example")
        self.put(self.ca)
        self.clients.cert_pem.write_to_path(self.path("clients.pem"))
        self.client.private_key_pem.write_to_path(self.path("client-key.pem"))
        self.client.cert_chain_pems[0].write_to_path(self.path("client.pem"))

    def path(self, name: str) -> str:
        return str(self._directory / name)

    def put(self, ca: trustme.CA) -> None:
        """Lay down a new certificate of the server, signed by this authority."""
        made = ca.issue_cert("127.0.0.1")
        self.ca = ca
        ca.cert_pem.write_to_path(self.path("ca.pem"))
        self.replace("key.pem", made.private_key_pem.bytes())
        self.replace("cert.pem", made.cert_chain_pems[0].bytes())

    def replace(self, name: str, content: bytes) -> None:
        draft = Path(self.path(f"{name}.new"))
        draft.write_bytes(content)
        draft.replace(self.path(name))

    @property
    def server_env(self) -> dict[str, str]:
        return {
            "HEALTHGUARD_TLS_CERT": self.path("cert.pem"),
            "HEALTHGUARD_TLS_KEY": self.path("key.pem"),
            "HEALTHGUARD_TLS_CLIENT_CA": self.path("clients.pem"),
        }

    @property
    def facade_env(self) -> dict[str, str]:
        return {
            "HEALTHGUARD_TARGET_CA": self.path("ca.pem"),
            "HEALTHGUARD_TARGET_CERT": self.path("client.pem"),
            "HEALTHGUARD_TARGET_KEY": self.path("client-key.pem"),
        }


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(files: Files, start_on: Callable[..., Collector]) -> Iterator[Collector]:
    with start_on("sqlite", env=files.server_env) as collector:
        yield collector


def rest_status(server: Collector, ca: trustme.CA) -> int:
    """The answer over a new connection of a client that trusts this authority."""
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return httpx.get(f"{server.rest}/health", verify=context, trust_env=False).status_code


def grpc_code(server: Collector, files: Files, ca: trustme.CA, *, certified: bool = True) -> grpc.StatusCode:
    """What GetMe without a token is answered with, over a new connection."""
    shown = (
        (files.client.private_key_pem.bytes(), files.client.cert_chain_pems[0].bytes()) if certified else (None, None)
    )
    credentials = grpc.ssl_channel_credentials(ca.cert_pem.bytes(), *shown)
    own_connection = [("grpc.use_local_subchannel_pool", 1)]
    with (
        grpc.secure_channel(server.grpc, credentials, own_connection) as channel,
        pytest.raises(grpc.RpcError) as refused,
    ):
        auth_grpc.AuthServiceStub(channel).GetMe(auth_pb.GetMeRequest(), timeout=10)
    return refused.value.code()


@pytest.mark.real_start
def test_rest_speaks_tls_and_nothing_else(server: Collector, files: Files) -> None:
    assert rest_status(server, files.ca) == 200
    with pytest.raises(httpx.ConnectError):
        rest_status(server, trustme.CA())
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{server.rest.replace('https', 'http')}/health", trust_env=False)


def test_grpc_wants_a_certificate_of_its_clients(server: Collector, files: Files) -> None:
    assert grpc_code(server, files, files.ca) is grpc.StatusCode.UNAUTHENTICATED
    assert grpc_code(server, files, files.ca, certified=False) is grpc.StatusCode.UNAVAILABLE
    with grpc.insecure_channel(server.grpc) as channel, pytest.raises(grpc.RpcError) as refused:
        auth_grpc.AuthServiceStub(channel).GetMe(auth_pb.GetMeRequest(), timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.real_start
def test_a_facade_apart_talks_to_it_by_its_own_certificate(server: Collector, files: Files, tmp_path: Path) -> None:
    with Collector(tmp_path, "serve-rest", "--target", server.grpc, env=files.facade_env) as facade:
        answer = httpx.get(f"{facade.rest}/api/auth/me", trust_env=False)
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")


def test_a_new_certificate_serves_connections_that_begin_after_it(server: Collector, files: Files) -> None:
    before, after = files.ca, trustme.CA()
    assert rest_status(server, before) == 200
    files.put(after)
    assert rest_status(server, after) == 200
    assert grpc_code(server, files, after) is grpc.StatusCode.UNAUTHENTICATED
    assert grpc_code(server, files, before) is grpc.StatusCode.UNAVAILABLE

    files.replace("cert.pem", b"not a certificate")
    assert rest_status(server, after) == 200
    assert grpc_code(server, files, after) is grpc.StatusCode.UNAUTHENTICATED
    faults = [line for line in server.logs() if "the old one stays" in line["msg"]]
    assert faults
    assert "PRIVATE KEY" not in server.log_text()


def test_doctor_knows_both_doors_by_the_certificate(server: Collector, files: Files) -> None:
    files.put(files.ca)
    ports = ("--rest", server.rest.removeprefix("https://"), "--grpc", server.grpc)
    done = run("doctor", *ports, "--database-url", server.database_url, env=files.server_env)
    assert [line for line in done.stdout.splitlines() if " port " in line and "answers" not in line] == []


def test_the_demo_believes_this_certificate_and_no_other(server: Collector, files: Files) -> None:
    at = ("demo", "--rest", server.rest.removeprefix("https://"))
    shown = run(*at, env=files.server_env)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"{server.rest}/ in a browser" in shown.stdout
    other = {"HEALTHGUARD_TLS_CERT": files.path("client.pem"), "HEALTHGUARD_TLS_KEY": files.path("client-key.pem")}
    for env in (other, {}):
        refused = run(*at, env=env)
        assert refused.returncode == 1
        assert refused.stderr.startswith("healthguard: no collector's REST door answers on ")


@pytest.mark.real_start
def test_files_that_do_not_fit_keep_it_from_starting(files: Files, tmp_path: Path) -> None:
    env = files.server_env | {"HEALTHGUARD_TLS_KEY": files.path("client-key.pem")}
    addresses = ("--rest", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--data-dir", str(tmp_path))
    done = run("serve", *addresses, env=env)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert "HEALTHGUARD_TLS_CERT" in line
    (told,) = (line for line in run("doctor", *addresses, env=env).stdout.splitlines() if " tls " in line)
    assert told.startswith("FAULT")


def test_plaintext_beyond_this_machine_is_refused_in_one_line(tmp_path: Path) -> None:
    done = run("serve", "--rest", "0.0.0.0:0", "--grpc", "127.0.0.1:0", "--data-dir", str(tmp_path))
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("healthguard: --rest (HEALTHGUARD_REST): 0.0.0.0:0 is not this machine alone")
