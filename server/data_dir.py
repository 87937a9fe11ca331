"""The data directory: made for its owner alone, and proven writable before anything relies on it."""

import os
import tempfile
from pathlib import Path

from server.errors import StartupFault


def prepare(path: Path) -> None:
    """Make the directory if it is missing, and what this process makes in it the owner's alone.

    Raises StartupFault when nothing can be written there.
    """
    os.umask(0o077)  # the database holds password hashes, whoever made the directory
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise StartupFault(
            f"--data-dir (HEALTHGUARD_DATA_DIR): cannot write to {path}: {error.strerror or error}"
        ) from error
