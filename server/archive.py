"""The file of a backup: a tar in zstd whose last entry, the manifest, names every other with its length and SHA-256.

An archive without its manifest is one that was never finished. Nothing of an archive is used before all of it was read
once and found to be what its manifest says.
"""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, cast

import orjson
import zstandard

from server.errors import StartupFault

FORMAT = 1
MANIFEST = "manifest.json"
CHUNK_BYTES = 1_048_576
LONGEST_MANIFEST_BYTES = 1_073_741_824
"""Seven million pictures."""


class UnreadableArchive(StartupFault):
    """A file that is no backup, or not all of one."""


@dataclass
class Manifest:
    """What a backup holds. `members` gives length and SHA-256 of each entry, in the order of the archive."""

    engine: str
    revision: str
    program: str
    created_ms: int
    tables: dict[str, list[str]] = field(default_factory=dict)
    members: dict[str, tuple[int, str]] = field(default_factory=dict)
    missing_blobs: int = 0

    def as_json(self) -> bytes:
        return orjson.dumps({"format": FORMAT, **vars(self)})


class ArchiveWriter:
    """Adds entries one after the other; `close` writes the manifest over all of them."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest, directory: Path) -> None:
        self._tar = tar
        self.manifest = manifest
        self.directory = directory
        """Where there is room for what is on its way into the archive."""

    def add_bytes(self, name: str, data: bytes) -> None:
        self._add(name, len(data), io.BytesIO(data))

    def add_file(self, name: str, path: Path) -> None:
        """The file as it is now; it must not change meanwhile."""
        with path.open("rb") as file:
            self._add(name, path.stat().st_size, file)

    def close(self) -> None:
        data = self.manifest.as_json()
        self._tar.addfile(_entry(MANIFEST, len(data)), io.BytesIO(data))

    def _add(self, name: str, size: int, file: IO[bytes]) -> None:
        hashed = _Hashed(file)
        self._tar.addfile(_entry(name, size), cast("IO[bytes]", hashed))
        self.manifest.members[name] = (size, hashed.hexdigest())


@contextmanager
def write(path: Path, manifest: Manifest) -> Iterator[ArchiveWriter]:
    """Write a new archive, readable by its owner alone; it takes its name only once it is whole and on the disk."""
    draft = path.with_name(f"{path.name}.partial")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            with ExitStack() as stack:
                packed = stack.enter_context(zstandard.ZstdCompressor(level=3).stream_writer(file, closefd=False))
                packing = cast("BinaryIO", packed)
                tar = stack.enter_context(tarfile.open(fileobj=packing, mode="w|", bufsize=CHUNK_BYTES))
                writer = ArchiveWriter(tar, manifest, path.absolute().parent)
                yield writer
                writer.close()
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        sync_directory(path.absolute().parent)
    finally:
        draft.unlink(missing_ok=True)


def entries(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Every entry of a verified archive but its manifest, in order; each must be read before the next."""
    for name, file in _entries(path):
        if name == MANIFEST:
            return
        yield name, file


def verified(path: Path) -> Manifest:
    """The manifest, once every entry was found to be what it says. Raises UnreadableArchive."""
    try:
        manifest, found = _read_through(path)
    except (zstandard.ZstdError, tarfile.TarError, EOFError) as error:
        raise UnreadableArchive(f"{path} is not a backup, or is damaged: {error}") from error
    if manifest is None:
        raise UnreadableArchive(f"{path} ends before its manifest: it was never finished, or was cut off")
    if found != {name: tuple(told) for name, told in manifest.members.items()}:
        raise UnreadableArchive(f"{path} is damaged: it does not hold what its manifest says")
    return manifest


def sync_directory(path: Path) -> None:
    """Make names in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_through(path: Path) -> tuple[Manifest | None, dict[str, tuple[int, str]]]:
    found: dict[str, tuple[int, str]] = {}
    for name, file in _entries(path):
        if name == MANIFEST:
            return _parsed(path, file.read(LONGEST_MANIFEST_BYTES)), found
        hashed = _Hashed(file)
        while hashed.read(CHUNK_BYTES):
            pass
        found[name] = (hashed.size, hashed.hexdigest())
    return None, found


def _entries(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with ExitStack() as stack:
        unpacked = zstandard.ZstdDecompressor().stream_reader(stack.enter_context(path.open("rb")))
        packed = cast("BinaryIO", unpacked)
        tar = stack.enter_context(tarfile.open(fileobj=packed, mode="r|", bufsize=CHUNK_BYTES))
        for entry in tar:
            content = tar.extractfile(entry)
            if content is None:
                raise UnreadableArchive(f"{path}: {entry.name!r} is not a file")
            yield entry.name, content


def _parsed(path: Path, data: bytes) -> Manifest:
    try:
        told = orjson.loads(data)
        if told.pop("format") == FORMAT:
            return Manifest(**told)
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise UnreadableArchive(f"{path}: its manifest cannot be read") from error
    raise UnreadableArchive(f"{path} was made by a newer HealthGuard Collector; upgrade this program")


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


class _Hashed:
    """A file that tells what was read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        self.size += len(data)
        return data

    def hexdigest(self) -> str:
        return self._digest.hexdigest()
