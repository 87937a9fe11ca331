"""A real S3 server for tests: SeaweedFS from its Python package, on ports of its own, gone with the test."""

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx

BUCKET = "healthguard"
START_SECONDS = 60
KEYS = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "tester-secret", "AWS_REGION": "us-east-1"}


class S3Server:
    """One `weed server` process with an S3 door."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ports = _free_ports(4)
        self._process: subprocess.Popen[bytes] | None = None
        self._log = directory.parent / f"{directory.name}.log"
        self.start()

    @property
    def url(self) -> str:
        """What HEALTHGUARD_BLOB_URL has to be."""
        return f"s3://{BUCKET}/shots"

    @property
    def env(self) -> dict[str, str]:
        """What a client has to have in its environment."""
        return KEYS | {"AWS_ENDPOINT": self._endpoint}

    @property
    def _endpoint(self) -> str:
        return f"http://127.0.0.1:{self._ports[0]}"

    def start(self) -> None:
        """Start it, on the same ports and data as before, and wait until it answers."""
        s3, master, volume, filer = self._ports
        flags = {"s3.port": s3, "master.port": master, "volume.port": volume, "filer.port": filer}
        # gRPC ports are the others plus 10,000 unless told; those may be taken.
        grpc = dict(
            zip(
                ("s3.port.grpc", "master.port.grpc", "volume.port.grpc", "filer.port.grpc"), _free_ports(4), strict=True
            )
        )
        fixed = {
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "dir": self._directory,
            "master.volumeSizeLimitMB": 64,
            "volume.max": 20,
        }
        arguments = [f"-{name}={value}" for name, value in (flags | grpc | fixed).items()]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [Path(sys.executable).with_name("weed"), "server", "-s3", *arguments], stdout=log, stderr=log
            )
        self._wait_for_bucket()

    def stop(self) -> None:
        """End it; whoever asks it now is not answered."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _wait_for_bucket(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.put(f"{self._endpoint}/{BUCKET}", timeout=5, trust_env=False).status_code in {200, 409}:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        self.stop()
        raise AssertionError(f"no S3 server: {self._log.read_text()[-2000:]}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [held.getsockname()[1] for held in sockets]
    for held in sockets:
        held.close()
    return ports
