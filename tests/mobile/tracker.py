"""A mobile tracker as the reference describes it: what it sends, in which order, and what it does about each answer."""

import gzip
import io
import struct
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from server.mobile.codec import Message, encode_batch, encode_message
from server.mobile.messages import BATCH_META, CRASH, Layout, all_types
from tests.sample import now_ms

Json = dict[str, Any]
CLICK, INPUT, PERFORMANCE, LOG, NETWORK = 100, 101, 102, 103, 105

# The smallest pictures of each kind that a reader has to tell apart.
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(64)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
WEBP = b"RIFF\x44\0\0\0WEBPVP8L" + bytes(64)
AVIF = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1" + bytes(64)


@dataclass
class Tracker:
    """One installation of an app. `prefix` is where it finds the server: `/v1/ios`, `/ingest/v1/mobile`, ..."""

    http: httpx.Client
    prefix: str
    platform: str
    start_fields: Json
    token: str = ""
    session_id: str = ""
    user_uuid: str = ""
    flushed: int = 0
    waiting: list[tuple[int, int, Json]] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)

    def start(self, **fields: Any) -> httpx.Response:
        """Begins a session; on success the answer is kept, and numbering begins anew."""
        body = self.start_fields | {"userUUID": self.user_uuid or None, "timestamp": now_ms()} | fields
        if self.platform == "android":
            body |= {"platform": "android"}
        answer = self.http.post(f"{self.prefix}/start", json=body)
        if answer.status_code == 200:
            said = answer.json()
            self.token, self.session_id, self.user_uuid = said["token"], said["sessionID"], said["userUUID"]
            self.flushed, self.sent = 0, []
        return answer

    def note(self, type_id: int, time_ms: int, **fields: Any) -> None:
        """Puts a message into the buffer, as the app goes on."""
        self.waiting.append((type_id, time_ms, fields))

    def flush(self, call: str = "append", *, lose_answer: bool = False) -> httpx.Response:
        """Sends the buffer as one batch. Without an answer of 2xx the messages go back, under new numbers next time."""
        batch = self._batch()
        answer = self.post(call, batch)
        # Trackers count what they flushed, whether it arrived or not.
        self.flushed += len(self.waiting) + 1
        if answer.is_success and not lose_answer:
            self.waiting.clear()
        return answer

    def post(self, call: str, batch: bytes, *, token: str | None = None, compress: bool = True) -> httpx.Response:
        """Sends a batch, gzip'd with its headers or bare without any, as the two ways of trackers are."""
        headers = {"authorization": f"Bearer {self.token if token is None else token}"}
        if compress:
            headers |= {"content-encoding": "gzip", "content-type": "application/octet-stream"}
        return self.http.post(
            f"{self.prefix}/{call}", content=gzip.compress(batch) if compress else batch, headers=headers
        )

    def crash(self, time_ms: int, **fields: Any) -> bytes:
        """A bare crash without a batch meta, as it lies on the device until somebody takes it."""
        told = {
            "name": "NSRangeException",
            "reason": "index 3 beyond bounds",
            "stacktrace": "0 Shop 0x1 pay\n1 UIKit 0x2",
        }
        return encode_message(CRASH, time_ms, told | fields, platform=self.platform)

    def upload(self, files: Iterable[tuple[str, bytes]], *, token: str | None = None, **fields: str) -> httpx.Response:
        """Sends screenshots as one form; every file goes under the name `batch`, whatever it is."""
        return self.http.post(
            f"{self.prefix}/images",
            data=fields,
            files=[("batch", (name, content, "application/gzip")) for name, content in files],
            headers={"authorization": f"Bearer {self.token if token is None else token}"},
        )

    def _batch(self) -> bytes:
        first = self.flushed
        names = all_types(Layout.CURRENT)
        flushed_ms = max((time_ms for _, time_ms, _ in self.waiting), default=now_ms())
        meta = Message(first, BATCH_META, names[BATCH_META].name, flushed_ms, {"firstIndex": first})
        messages = [meta] + [
            Message(first + place, type_id, names[type_id].name, time_ms, fields)
            for place, (type_id, time_ms, fields) in enumerate(self.waiting, start=1)
        ]
        self.sent += messages
        return encode_batch(messages, platform=self.platform)


def tar_of(start_ms: int, shots: Iterable[tuple[int, bytes]]) -> bytes:
    """A gzip'd archive of pictures, named as both trackers name them: `.jpeg`, whatever they are."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for time_ms, picture in shots:
            entry = tarfile.TarInfo(f"{start_ms}_1_{time_ms}.jpeg")
            entry.size = len(picture)
            archive.addfile(entry, io.BytesIO(picture))
    return out.getvalue()


def frames_of(shots: Iterable[tuple[int, bytes]]) -> bytes:
    """Gzip'd frames: time, length, picture."""
    return gzip.compress(b"".join(struct.pack("<QI", time_ms, len(picture)) + picture for time_ms, picture in shots))
