"""Starts `make run` on free ports, sends the first curl of the README, and requires a clean end on SIGTERM."""

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ANSWER_SECONDS = 30
STOP_SECONDS = 10


def first_curl(readme: str) -> str:
    """The first curl command of the README, its continued lines joined."""
    found = re.search(r"^\$? ?(curl .*(?:\\\n.*)*)", readme, re.MULTILINE)
    if found is None:
        sys.exit("smoke: README.md shows no curl command")
    return found.group(1).replace("\\\n", " ")


def child_of(parent: int) -> int:
    """The process id of make's only child: the server, since the recipe uses exec."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:  # it ended meanwhile
            continue
        if f"\nPPid:\t{parent}\n" in text:
            return int(status.parent.name)
    sys.exit("smoke: make has no child; did the server end?")


def rest_address(make: subprocess.Popen[str]) -> str:
    """Waits for the line of the banner that names the REST address."""
    assert make.stdout is not None
    for line in make.stdout:
        print(line, end="")
        found = re.match(r"\s+REST\s+http://(\S+)", line)
        if found:
            return found.group(1)
    sys.exit(f"smoke: make run ended with {make.wait()} and named no REST address")


def ask(command: str, address: str) -> None:
    words = shlex.split(re.sub(r"(?:localhost|127\.0\.0\.1):3100", address, command))
    answer = subprocess.run(
        [*words, "-sS", "--fail", "--max-time", str(ANSWER_SECONDS)], capture_output=True, text=True, check=False
    )
    print(f"$ {command}\n{answer.stdout}{answer.stderr}")
    if answer.returncode != 0 or not answer.stdout:
        sys.exit("smoke: the first curl of the README was not answered")


def main() -> None:
    command = first_curl((ROOT / "README.md").read_text())
    with tempfile.TemporaryDirectory() as data_dir:
        arguments = f"--rest 127.0.0.1:0 --grpc 127.0.0.1:0 --data-dir {shlex.quote(data_dir)}"
        make = subprocess.Popen(["make", "run", f"ARGS={arguments}"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        watchdog = threading.Timer(ANSWER_SECONDS * 2, make.kill)
        watchdog.start()
        ask(command, rest_address(make))
        os.kill(child_of(make.pid), signal.SIGTERM)
        code = make.wait(STOP_SECONDS)
        watchdog.cancel()
    if code != 0:
        sys.exit(f"smoke: make run ended with {code} on SIGTERM, not 0")
    print("smoke: served, answered and stopped cleanly")


if __name__ == "__main__":
    main()
