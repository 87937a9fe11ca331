"""Coverage-guided fuzzing of every reader of bytes from outside: no crash, no hang, no memory without bound."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from server.mobile.token import Claims, TokenSigner
from server.paging import PageTokens
from tests import figures
from tests.collector import ROOT
from tests.fuzz.amount import TIMES
from tests.mobile.tracker import AVIF, JPEG, PNG, WEBP, frames_of, tar_of
from tests.sample import error_event, http_event, performance_event

pytest.importorskip("atheris", reason="atheris is not there for this Python")

RUNS = {
    "batch": 3_000,
    "packed": 10_000,
    "archive": 8_000,
    "session_token": 20_000,
    "event": 2_000,
    "page_token": 20_000,
}
"""Inputs per reader."""

SECONDS_AN_INPUT = 5
MEGABYTES = 700


def seeds(target: str, golden_dir: Path) -> list[bytes]:
    """What fuzzing begins with: the recorded batches, uploads and tokens, and our own of each wrapping."""
    vectors = json.loads((golden_dir / "openreplay-vectors.json").read_text())
    batches = [bytes.fromhex(vector["hex"]) for vector in vectors if vector["kind"] == "batch"]
    shots = [(1_795_355_475_472, JPEG), (1_795_355_475_473, WEBP)]
    made = {
        "batch": batches,
        "packed": [gzip.compress(batch) for batch in batches],
        "archive": [
            JPEG,
            PNG,
            AVIF,
            tar_of(1_795_355_475_000, shots),
            frames_of(shots),
            gzip.decompress(tar_of(1_795_355_475_000, shots)),
            gzip.decompress(frames_of(shots)),
        ],
        "session_token": [
            TokenSigner([b"k" * 32], late_age_ms=0).issue(Claims(2**62, 1_795_355_475_472, 7)).encode(),
            b"a.b.c.d.e",
        ],
        "event": [json.dumps(make()).encode() for make in (error_event, http_event, performance_event)],
        "page_token": [PageTokens(b"k" * 32).sign([1, 2**62], "list").encode(), b"AAAA"],
    }
    return made[target]


@pytest.mark.slow
@pytest.mark.parametrize("target", RUNS)
def test_no_input_breaks_a_reader(target: str, golden_dir: Path, tmp_path: Path) -> None:
    runs = RUNS[target] * TIMES
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds(target, golden_dir)):
        (corpus / str(number)).write_bytes(seed)
    flags = [
        f"-runs={runs}",
        f"-timeout={SECONDS_AN_INPUT}",
        f"-rss_limit_mb={MEGABYTES}",
        "-max_len=8192",
        "-seed=1",
        f"-artifact_prefix={tmp_path}/",
    ]
    path = os.pathsep.join([str(ROOT / "generated"), str(ROOT)])
    found = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "fuzz" / "targets.py"), target, *flags, str(corpus)],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=1_200,
        check=False,
    )
    assert found.returncode == 0, found.stderr[-3000:]
    done = re.search(r"Done (\d+) runs", found.stderr)
    assert done is not None, found.stderr[-3000:]
    assert int(done[1]) >= runs
    figures.tell(f"fuzz: reader {target}", inputs=int(done[1]))
