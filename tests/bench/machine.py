"""What the figures were measured on: a number without its machine says nothing."""

import os
import platform
import re
import subprocess
from pathlib import Path

Facts = dict[str, str]


def facts(directory: Path) -> Facts:
    """The machine, in the order in which a reader asks; `directory` is where the data is kept."""
    memory_kib = int(_field("/proc/meminfo", r"MemTotal:\s*(\d+)"))
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "CPU": _field("/proc/cpuinfo", r"model name\s*:\s*(.+)"),
        "RAM": f"{memory_kib / 1_048_576:.0f} GiB",
        "kernel": platform.release(),
        "file system": filesystem(directory),
        "Python": platform.python_version(),
        "load before": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        "commit": _commit(),
    }


def filesystem(directory: Path) -> str:
    """The type of the file system under `directory`."""
    answer = subprocess.run(["df", "--output=fstype", directory], capture_output=True, text=True, check=True)
    return answer.stdout.split()[-1]


def _field(path: str, pattern: str) -> str:
    match = re.search(pattern, Path(path).read_text())
    return match[1].strip() if match else "unknown"


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    return answer.stdout.strip() or "no repository"
