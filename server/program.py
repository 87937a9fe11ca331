"""What this program is called where it was started, so that a command it prints can be pasted."""

import shutil
import sys
from importlib import metadata
from pathlib import Path

NAME = "healthguard"
_DISTRIBUTION = "healthguard-collector"


def command() -> str:
    """`healthguard` where the shell finds it, else the path it was started by, as short as it can be said."""
    if shutil.which(NAME):
        return NAME
    started = Path(sys.argv[0])
    if started.name != NAME:
        return f"{Path(sys.executable).name} -m server"
    here = Path.cwd()
    return str(started.relative_to(here)) if started.is_absolute() and started.is_relative_to(here) else str(started)


def version() -> str:
    """The version of the installed program."""
    try:
        return metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "(not installed)"
