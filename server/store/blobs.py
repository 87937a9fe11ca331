"""The blob store: objects by key in a local directory, in S3, or in memory."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, S3Store

from server.errors import BlobsUnavailable, StartupFault

T = TypeVar("T")
P = ParamSpec("P")

ANSWER_S = 10
"""How long a remote store may take over one object. A tracker comes back; a request that hangs does not help it."""

RETRY_AFTER_S = 10.0


THREADS = 32
"""So many objects are asked for at a time: what a store that hangs may hold of the process."""


class BlobStore:
    """One open store; `directory` is where it is if it is a local one.

    Every method raises BlobsUnavailable when the store cannot be reached or written.

    They run obstore's blocking functions in threads. Its coroutines are finished by threads of its own, which call into
    Python: one that still does when the interpreter ends aborts the process.
    """

    def __init__(self, store: LocalStore | S3Store | MemoryStore, directory: Path | None = None) -> None:
        self._store = store
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="blobs")
        self.directory = directory

    async def put(self, key: str, data: bytes) -> None:
        """Store the object durably, in place of an earlier one of this key."""
        await self._reached(self._put, key, data)

    async def get(self, key: str) -> bytes | None:
        """The object's bytes; None where there is none."""
        return await self._reached(self._get, key)

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove the objects, and what died while it was being written to their place; one that is not there is no fault."""
        for key in keys:
            await self._reached(self._delete, key)

    async def keys(self) -> list[str]:
        """The keys of all objects; for whoever proves that none is left over."""
        return await self._reached(self._keys)

    def _put(self, key: str, data: bytes) -> None:
        obstore.put(self._store, key, data)
        if self.directory is not None:
            _sync(self.directory / key)

    def _get(self, key: str) -> bytes | None:
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except FileNotFoundError:
            return None

    def _delete(self, key: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, key)
        if self.directory is not None:
            _drop_torn(self.directory / key)

    def _keys(self) -> list[str]:
        return sorted(str(item["path"]) for page in obstore.list(self._store) for item in page)

    async def _reached(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def attempt() -> T:
            try:
                return work(*args, **kwargs)
            except (BaseError, OSError) as error:
                raise BlobsUnavailable(RETRY_AFTER_S) from error

        return await asyncio.get_running_loop().run_in_executor(self._threads, attempt)


def open_blobs(url: str) -> BlobStore:
    """The store behind `file://`, `s3://BUCKET/PREFIX` or `memory://`; S3 takes its endpoint and keys from `AWS_` variables.

    Raises StartupFault when it cannot be opened.
    """
    parts = urlsplit(url)
    try:
        if parts.scheme == "memory":
            return BlobStore(MemoryStore())
        if parts.scheme == "s3":
            return BlobStore(_s3(parts.netloc, parts.path.strip("/")))
        directory = directory_of(url)
        return BlobStore(LocalStore(directory, mkdir=True), directory)
    except (BaseError, OSError, ValueError) as error:
        raise StartupFault(f"--blob-url (HEALTHGUARD_BLOB_URL): cannot open {parts.scheme}://: {error}") from error


def directory_of(url: str) -> Path:
    """The directory of a `file://` URL. One that goes on with `/./` is relative, as with SQLite."""
    path = url.removeprefix("file://")
    return Path(path[1:] if path.startswith("/./") else "/" + path.lstrip("/"))


def _s3(bucket: str, prefix: str) -> S3Store:
    return S3Store(
        bucket,
        prefix=prefix or None,
        client_options={
            "timeout": timedelta(seconds=ANSWER_S),
            "connect_timeout": timedelta(seconds=3),
            "allow_http": True,  # whoever names an endpoint without TLS means one on their own network
        },
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=ANSWER_S)},
    )


def _drop_torn(path: Path) -> None:
    """Obstore writes a file beside its place, under its name and a number, before it moves it there."""
    for torn in path.parent.glob(f"{path.name}#*"):
        torn.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Make a file and its place in the directory survive a power cut, which obstore leaves to the system."""
    for target in (path, path.parent):
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
