"""A client generated in another language from proto/ alone gets through a whole day's work."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.collector import ROOT, Collector
from tests.conftest import unavailable

HERE = Path(__file__).parent


@pytest.fixture
def node() -> str:
    program = shutil.which("node")
    if program is None:
        unavailable("node is not installed")
    if not (HERE / "node_modules").is_dir():
        unavailable("the Node client's packages are missing: make setup")
    return str(program)


def test_a_node_client_reads_back_what_it_sent(node: str, collector: Collector) -> None:
    command = [node, HERE / "client.js", collector.grpc, ROOT / "proto"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert read["accepted"] == 1
    assert read["totals"] == {"events": 1, "errors": 1, "failedRequests": 0, "affectedUsers": 0, "issues": 1}
    assert read["issue"]["eventCount"] == 1
    assert read["issue"]["status"] == "ISSUE_STATUS_OPEN"
    (event,) = read["events"]
    assert {key: event[key] for key in read["sent"]} == read["sent"]
    assert read["refused"] == "NOT_FOUND"
