"""What we depend on: pinned by hash in the locks, and under licences we may ship beside. Works without a network.

Usage: check_dependencies.py [--list]

Known vulnerabilities are not looked up here: that needs a service on the internet, and a copy of its answers would be old the day
after. Where there is one, `uvx pip-audit -r requirements/runtime.lock` asks it.
"""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
LOCKS = {"runtime.lock": "what the program needs", "dev.lock": "and what developing it needs"}

ALLOWED = (
    "0BSD",
    "3-Clause BSD",
    "Apache",
    "BSD",
    "CC0",
    "ISC",
    "MIT",
    "MPL-2.0",  # of files, not of programs that use them
    "Mozilla Public License 2.0",
    "PSF",
    "Python Software Foundation",
    "Unlicense",
    "The Unlicense",
    "Zlib",
    "ZPL",
)
EXPLAINED = {
    "atheris": "Apache-2.0 by the file in its repository; its metadata says nothing",
    "psycopg": "LGPL 3: used as a library, replaceable, never changed",
    "psycopg-binary": "LGPL 3, as psycopg",
    "psycopg-pool": "LGPL 3, as psycopg",
}
"""Looked at by a person: licences that ask more, and why that is met, and metadata without any."""

_ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?P<rest>(?:.*\\\n)*.*)", re.MULTILINE)
_ANY_REQUIREMENT = re.compile(r"^[A-Za-z0-9]", re.MULTILINE)


def main() -> int:
    """Tell every fault; how many there are is the exit code."""
    faults: list[str] = []
    for lock, purpose in LOCKS.items():
        text = (REQUIREMENTS / lock).read_text()
        pinned = {match["name"]: match["rest"] for match in _ENTRY.finditer(text)}
        if len(pinned) < len(_ANY_REQUIREMENT.findall(text)) - _repeated(text):
            faults.append(f"{lock}: an entry has no exact version")
        faults += [f"{lock}: {name} has no hash" for name, rest in pinned.items() if "--hash=sha256:" not in rest]
        licences = dict(_licences(pinned))
        faults += [f"{lock}: {name} is under {told!r}" for name, told in licences.items() if not _allowed(name, told)]
        print(f"{lock}: {len(pinned)} packages pinned by hash, {purpose}; {len(licences)} of them installed here")
        if "--list" in sys.argv:
            print("\n".join(f"  {name:<40} {told}" for name, told in sorted(licences.items())))
    for fault in faults:
        print(fault, file=sys.stderr)
    return len(faults)


def _repeated(text: str) -> int:
    """Entries of a package beyond its first: one for each Python or platform that needs another version."""
    names = [match["name"] for match in _ENTRY.finditer(text)]
    return len(names) - len(set(names))


def _licences(names: object) -> Iterator[tuple[str, str]]:
    for name in names:  # type: ignore[attr-defined]  # the keys of a dict
        try:
            yield name, _licence(distribution(name))
        except PackageNotFoundError:
            continue  # of another platform or Python


def _licence(found: Distribution) -> str:
    """The SPDX expression, else what the classifiers say, else the first line of the old field."""
    metadata = found.metadata
    if expression := metadata.get("License-Expression"):
        return expression
    classifiers = [c.rpartition(" :: ")[2] for c in metadata.get_all("Classifier") or () if c.startswith("License ::")]
    named = [c for c in classifiers if c != "OSI Approved"]
    return "; ".join(named) or (metadata.get("License") or "nothing").strip().split("\n")[0]


def _allowed(name: str, told: str) -> bool:
    """Whether each part that must hold is allowed; of alternatives one is enough."""
    if name in EXPLAINED:
        return True
    alternatives = re.split(r"\bOR\b", told.strip("()"))
    return any(all(_known(part) for part in re.split(r"\bAND\b|;", option)) for option in alternatives)


def _known(part: str) -> bool:
    return part.strip(" ()").startswith(ALLOWED)


if __name__ == "__main__":
    raise SystemExit(main())
