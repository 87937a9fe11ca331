"""CPU time and memory of running programs, children included, as the kernel counts them."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class _Process:
    pid: int
    parent: int
    ticks: int


def cpu_s(root: int) -> float:
    """Seconds of CPU that a process, its children and those of them that ended have used."""
    return sum(process.ticks for process in _tree(root)) / TICKS_PER_S


def machine_cpu_s() -> float:
    """Seconds of CPU that everything on this machine has used, in user and kernel mode."""
    with Path("/proc/stat").open() as file:
        user, nice, system = (int(field) for field in file.readline().split()[1:4])
    return (user + nice + system) / TICKS_PER_S


def reset_peak(root: int) -> None:
    """Begin a new peak of resident memory for a process and its children."""
    for process in _tree(root):
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")


def peak_bytes(root: int) -> int:
    """The sum of the peaks of resident memory of a process and its children, since `reset_peak`.

    Of children it is what they do not share: forks have most of their memory in common with the process they come from.
    """
    first, *children = (process.pid for process in _tree(root))
    return _peak(first) + sum(max(0, _peak(pid) - _shared(pid)) for pid in children)


def _peak(pid: int) -> int:
    return sum(_kilobytes(f"/proc/{pid}/status", "VmHWM")) * 1024


def _shared(pid: int) -> int:
    return sum(_kilobytes(f"/proc/{pid}/smaps_rollup", "Shared_(?:Clean|Dirty)")) * 1024


def _kilobytes(file: str, name: str) -> list[int]:
    return [int(value) for value in re.findall(rf"^{name}:\s+(\d+) kB", Path(file).read_text(), re.MULTILINE)]


def _tree(root: int) -> list[_Process]:
    processes = _processes()
    tree = [process for process in processes if process.pid == root]
    for found in tree:  # grows while it is walked
        tree += [process for process in processes if process.parent == found.pid]
    return tree


def _processes() -> list[_Process]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile
            # Fields from the third on, see proc(5); the name before them may hold anything.
            fields = stat.rpartition(")")[2].split()
            found.append(_Process(int(entry.name), int(fields[1]), sum(int(field) for field in fields[11:15])))
    return found
