"""The image line: screenshots from the pieces of an upload to the blob store and the session that shows them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Final

from healthguard.v1 import mobile_session_service_pb2 as mobile_session_service_pb
from sqlmodel import Session

from server import clock, logs, metrics
from server.context import Tracker
from server.errors import InvalidSessionToken, InvalidUpload, UploadTooLarge
from server.ingest.admission import Admission
from server.mobile.beats import MAX_BEAT_MS
from server.mobile.images import Image, ImageFault, ImageLimitExceeded, ImageUpload, UploadFormat
from server.store import images, sessions
from server.store.blobs import BlobStore
from server.store.engine import Engine
from server.store.images import Blob, Picture
from server.store.sessions import MobileApp

MAX_UPLOAD_BYTES: Final = 10_000_000
"""What trackers have always been allowed for one upload."""

MAX_FILES: Final = 100
MAX_IMAGES: Final = 200
MAX_NAME: Final = 256

_IN_MEMORY_BYTES: Final = 262_144
"""Of each file; the rest waits on the disk until the upload is whole. A slow client costs no more than this."""


@dataclass(slots=True)
class _File:
    name: str
    content: "SpooledTemporaryFile[bytes]"
    format: UploadFormat | None = None


class ImageLine:
    """Takes uploads: receive whole, read, write what is new, show. All of an upload is stored, or none."""

    def __init__(
        self, engine: Engine, blobs: BlobStore, admission: Admission, now_ms: Callable[[], int] = clock.now_ms
    ) -> None:
        self._engine = engine
        self._blobs = blobs
        self._admission = admission
        self._now_ms = now_ms

    async def take(self, tracker: Tracker, steps: AsyncIterator[mobile_session_service_pb.UploadImagesRequest]) -> int:
        """Store the screenshots of an upload durably; how many there were.

        Raises InvalidUpload, UploadTooLarge, InvalidSessionToken, or a kind of Unavailable.
        """
        app = await self._engine.read(_app_of_session, tracker)
        if app is None:
            raise InvalidSessionToken
        logs.bind(appKey=app.app_key)
        with ExitStack() as stack, self._admission.carry(app.id, 0, _IN_MEMORY_BYTES):
            files = await _receive(steps, app, stack)
            pictures = await asyncio.to_thread(_read_all, files, self._now_ms())
            if pictures:
                await self._store(tracker, files, pictures)
        return len(pictures)

    async def _store(self, tracker: Tracker, files: list[_File], pictures: list[Picture]) -> None:
        missing = await self._engine.write(images.register, tracker.app_id, pictures, self._now_ms())
        if missing:
            await self._write(tracker.app_id, files, missing)
        if not await self._engine.write(images.show, tracker.app_id, tracker.session_id, pictures):
            raise InvalidSessionToken
        metrics.SESSION_IMAGES.inc(len(pictures))

    async def _write(self, app_id: int, files: list[_File], missing: set[str]) -> None:
        """Read the upload a second time, now that its pictures are in the books, and write those that are missing."""
        for file in files:
            source = _images(file)
            while (image := await asyncio.to_thread(next, source, None)) is not None:
                digest = _hash(image)
                if digest in missing:
                    await self._blobs.put(Blob(app_id, digest).key, image.data)
                    missing.discard(digest)


async def _receive(
    steps: AsyncIterator[mobile_session_service_pb.UploadImagesRequest], app: MobileApp, stack: ExitStack
) -> list[_File]:
    """The files of the upload, whole."""
    files: list[_File] = []
    left = MAX_UPLOAD_BYTES
    async for step in steps:
        kind = step.WhichOneof("step")
        if kind == "project" and step.project not in {app.app_key, str(app.id)}:
            raise InvalidSessionToken
        if kind == "file":
            if len(files) >= MAX_FILES:
                raise UploadTooLarge
            content = stack.enter_context(SpooledTemporaryFile(_IN_MEMORY_BYTES))  # noqa: SIM115 -- the stack is one
            files.append(_File(step.file[:MAX_NAME].replace("\0", "\ufffd"), content))
        if kind == "chunk":
            left -= len(step.chunk)
            if not files:
                raise InvalidUpload
            if left < 0:
                raise UploadTooLarge
            files[-1].content.write(step.chunk)
    return files


def _read_all(files: list[_File], now_ms: int) -> list[Picture]:
    """What the files show, their bytes read and let go again: nothing is stored of an upload that cannot be read."""
    pictures: list[Picture] = []
    for file in files:
        for image in _images(file):
            time_ms = image.timestamp_ms
            if time_ms is None or time_ms > MAX_BEAT_MS:
                time_ms = now_ms
            # Only a loose picture goes by the name of its file.
            name = file.name if file.format is UploadFormat.LOOSE else ""
            pictures.append(Picture(time_ms, _hash(image), image.mime, len(image.data), name))
            if len(pictures) > MAX_IMAGES:
                raise UploadTooLarge
    return pictures


def _images(file: _File) -> Iterator[Image]:
    file.content.seek(0)
    upload = ImageUpload(file.content, name=file.name)
    try:
        for image in upload:
            file.format = upload.format
            yield image
    except ImageLimitExceeded as error:
        raise UploadTooLarge from error
    except ImageFault as error:
        raise InvalidUpload from error


def _hash(image: Image) -> str:
    return hashlib.sha256(image.data).hexdigest()


def _app_of_session(store: Session, tracker: Tracker) -> MobileApp | None:
    if sessions.find(store, tracker.app_id, tracker.session_id) is None:
        return None
    return sessions.mobile_app(store, app_id=tracker.app_id)
