"""The blob store: objects by key in a local directory, in S3, or in memory."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, S3Store

from server.errors import BlobsUnavailable, StartupFault

T = TypeVar("T")

ANSWER_S = 10
"""How long a remote store may take over one object. A tracker comes back; a request that hangs does not help it."""

RETRY_AFTER_S = 10.0


class BlobStore:
    """One open store; `directory` is where it is if it is a local one.

    Every method raises BlobsUnavailable when the store cannot be reached or written.
    """

    def __init__(self, store: LocalStore | S3Store | MemoryStore, directory: Path | None = None) -> None:
        self._store = store
        self.directory = directory

    async def put(self, key: str, data: bytes) -> None:
        """Store the object durably, in place of an earlier one of this key."""
        await _reached(obstore.put_async(self._store, key, data))
        if self.directory is not None:
            await asyncio.to_thread(_sync, self.directory / key)

    async def get(self, key: str) -> bytes | None:
        """The object's bytes; None where there is none."""
        try:
            found = await obstore.get_async(self._store, key)
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise BlobsUnavailable(RETRY_AFTER_S) from error

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove the objects, and what died while it was being written to their place; one that is not there is no fault."""
        for key in keys:
            try:
                with contextlib.suppress(FileNotFoundError):
                    await obstore.delete_async(self._store, key)
                if self.directory is not None:
                    await asyncio.to_thread(_drop_torn, self.directory / key)
            except (BaseError, OSError) as error:
                raise BlobsUnavailable(RETRY_AFTER_S) from error

    async def keys(self) -> list[str]:
        """The keys of all objects; for whoever proves that none is left over."""
        found: list[str] = []
        async for page in obstore.list(self._store):
            found.extend(str(item["path"]) for item in page)
        return sorted(found)


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


async def _reached(work: Awaitable[T]) -> T:
    try:
        return await work
    except (BaseError, OSError) as error:
        raise BlobsUnavailable(RETRY_AFTER_S) from error


def _drop_torn(path: Path) -> None:
    """Obstore writes a file beside its place, under its name and a number, before it moves it there."""
    for torn in path.parent.glob(f"{path.name}#*"):
        torn.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Make a file and its place in the directory survive a power cut, which obstore leaves to the system."""
    try:
        for target in (path, path.parent):
            descriptor = os.open(target, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except OSError as error:
        raise BlobsUnavailable(RETRY_AFTER_S) from error
