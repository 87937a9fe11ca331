"""generated/ is exactly what the contract generates: nothing edited, nothing stale."""

import filecmp
import os
import subprocess
import sys
from pathlib import Path

from tests.collector import ROOT


def test_generated_code_is_fresh(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHON": sys.executable}
    subprocess.run([ROOT / "scripts" / "generate", tmp_path], env=environment, check=True)
    made, kept = _files(tmp_path), _files(ROOT / "generated")
    assert made == kept
    _, differing, unreadable = filecmp.cmpfiles(tmp_path, ROOT / "generated", made, shallow=False)
    assert (differing, unreadable) == ([], [])


def _files(directory: Path) -> list[str]:
    found = (path.relative_to(directory) for path in directory.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if "__pycache__" not in path.parts)
