"""Reads screenshot uploads, whatever they are wrapped in, one picture at a time and within bounds.

Trackers send loose pictures (v1.7.0), gzip'd tar archives (most), or gzip'd frames: `u64 time in ms, u32 size, bytes`, all
little-endian, repeated. What an upload calls itself is no guide: iOS sends tar as `frames` after a return from the
background, and Android calls WebP `.jpeg`. So the bytes decide. Names of entries are text to find a time in, never paths.
"""

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Final

_CHUNK_BYTES: Final = 64 * 1024
_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31  # zlib's way to say: expect a gzip header
_TAR_BLOCK: Final = 512
_TAR_REGULAR: Final = (b"0", b"\0")
_FRAME_HEAD_BYTES: Final = 12
# Enough to tell any of our picture formats: the boxes of AVIF list their brands early.
_SNIFF_BYTES: Final = 64
# `<start>_1_<time>.jpeg`: the last number is when the picture was taken. Fewer than ten digits would find times in names
# that are hashes; more than sixteen are no milliseconds.
_ENTRY_TIME = re.compile(r"_(\d{10,16})\.[A-Za-z]{3,4}$", re.ASCII)


class UploadFormat(StrEnum):
    """What an upload turned out to be, once any gzip is undone."""

    LOOSE = "loose"
    TAR = "tar"
    FRAMES = "frames"


class ImageFault(ValueError):
    """An upload that cannot be read to its end; the text says why."""


class ImageLimitExceeded(ImageFault):
    """An upload, or a picture in it, that is over its bounds."""


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """The bounds of one upload. Trackers send at most 30 pictures in 10 MB at a time."""

    image_bytes: int = 5_000_000
    images: int = 200
    # Bytes after gunzip, wrapping and padding included.
    inflated_bytes: int = 32_000_000


@dataclass(frozen=True, slots=True)
class Image:
    """One picture: when it was taken if the upload says so, the name it came under, its type by content."""

    timestamp_ms: int | None
    name_hint: str
    mime: str
    data: bytes


def sniff(head: bytes) -> str | None:
    """The MIME type of a picture by its first bytes, or None for anything but JPEG, PNG, WebP and AVIF."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and _is_avif(head):
        return "image/avif"
    return None


def _is_avif(head: bytes) -> bool:
    """Whether the file type box names AVIF as its major brand or among those it is compatible with."""
    end = min(int.from_bytes(head[:4], "big"), _SNIFF_BYTES, len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, end, 4))]
    return b"avif" in brands or b"avis" in brands


class ImageUpload:
    """The pictures of one upload, read from a binary file or from chunks as they arrive.

    Iterate once. Holds one picture and one chunk at a time. Raises ImageFault when the upload ends early or is none of the
    known formats, ImageLimitExceeded when it is over its bounds; pictures yielded before that were good.
    """

    def __init__(
        self, source: BinaryIO | Iterable[bytes], *, name: str = "", limits: ImageLimits | None = None
    ) -> None:
        self._limits = limits or ImageLimits()
        self._name = name
        self._bytes = _Buffer(_inflate(_chunks(source)), self._limits.inflated_bytes)
        self._count = 0
        self.format: UploadFormat | None = None
        # Entries that are no picture, which the original leaves out as well.
        self.skipped = 0

    def __iter__(self) -> Iterator[Image]:
        head = self._bytes.peek(_TAR_BLOCK)
        if not head:
            return
        self.format = _format(head)
        entries = {UploadFormat.LOOSE: self._loose, UploadFormat.TAR: self._tar, UploadFormat.FRAMES: self._frames}
        for timestamp_ms, name, data in entries[self.format]():
            mime = sniff(data[:_SNIFF_BYTES])
            if mime is None:
                self.skipped += 1
            else:
                yield Image(timestamp_ms, name, mime, data)

    def _loose(self) -> Iterator[tuple[int | None, str, bytes]]:
        data = self._bytes.peek(self._limits.image_bytes + 1)
        self._admit(len(data))
        yield _entry_time(self._name), self._name, data

    def _frames(self) -> Iterator[tuple[int | None, str, bytes]]:
        while head := self._bytes.peek(_FRAME_HEAD_BYTES):
            self._bytes.take(_FRAME_HEAD_BYTES)
            size = int.from_bytes(head[8:], "little")
            self._admit(size)
            yield int.from_bytes(head[:8], "little"), self._name, self._bytes.take(size)

    def _tar(self) -> Iterator[tuple[int | None, str, bytes]]:
        while head := self._bytes.peek(_TAR_BLOCK):
            self._bytes.take(_TAR_BLOCK)
            if not head.strip(b"\0"):
                # Only reading on to the end checks the sum that gzip keeps of the whole.
                self._bytes.drain()
                return
            name, size = _tar_entry(head)
            padding = -size % _TAR_BLOCK
            if head[156:157] in _TAR_REGULAR:
                self._admit(size)
                yield _entry_time(name), name, self._bytes.take(size)
                self._bytes.skip(padding)
            else:
                # Directories, links and the long names of other archivers: nothing a tracker's pictures need.
                self._bytes.skip(size + padding)

    def _admit(self, size: int) -> None:
        """Refuse a picture that is too large or one too many, before it is read."""
        self._count += 1
        if size > self._limits.image_bytes:
            raise ImageLimitExceeded(f"a picture is over {self._limits.image_bytes} bytes")
        if self._count > self._limits.images:
            raise ImageLimitExceeded(f"more than {self._limits.images} pictures in one upload")


class _Buffer:
    """Bytes from a stream of chunks, asked for in exact numbers, counted against a limit."""

    def __init__(self, chunks: Iterator[bytes], limit_bytes: int) -> None:
        self._chunks = chunks
        self._held = bytearray()
        self._left_bytes = limit_bytes
        self._limit_bytes = limit_bytes

    def peek(self, count: int) -> bytes:
        """The next bytes without passing them; fewer than `count` only at the end."""
        while len(self._held) < count and self._fill():
            pass
        with memoryview(self._held) as held:
            return bytes(held[:count])

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        taken = self.peek(count)
        if len(taken) < count:
            raise ImageFault("upload ends inside an entry")
        del self._held[:count]
        return taken

    def skip(self, count: int) -> None:
        """Pass `count` bytes without holding them."""
        while count > len(self._held):
            count -= len(self._held)
            self._held.clear()
            if not self._fill():
                raise ImageFault("upload ends inside an entry")
        del self._held[:count]

    def drain(self) -> None:
        """Pass everything up to the end."""
        self._held.clear()
        while self._fill():
            self._held.clear()

    def _fill(self) -> bool:
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._left_bytes -= len(chunk)
        if self._left_bytes < 0:
            raise ImageLimitExceeded(f"upload unpacks to more than {self._limit_bytes} bytes")
        self._held += chunk
        return True


def _chunks(source: BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    """The source in pieces of at most _CHUNK_BYTES, none empty."""
    if isinstance(source, Iterable) and not hasattr(source, "read"):
        for piece in source:
            for at in range(0, len(piece), _CHUNK_BYTES):
                yield piece[at : at + _CHUNK_BYTES]
        return
    while piece := source.read(_CHUNK_BYTES):
        yield piece


def _inflate(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks with gzip undone, should they be gzip: as many members as there are, in bounded pieces."""
    head = b""
    while len(head) < _FRAME_HEAD_BYTES + _SNIFF_BYTES and (chunk := next(chunks, None)):
        head += chunk
    if not _is_gzip(head):
        if head:
            yield head
        yield from chunks
        return
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    data: bytes | None = head
    while data is not None:
        while data:
            if inflater.eof:
                if not data.strip(b"\0"):
                    break  # padding behind the last member
                inflater = zlib.decompressobj(_GZIP_WINDOW)
            piece, data = _inflate_some(inflater, data)
            if piece:
                yield piece
        data = next(chunks, None)
    if not inflater.eof:
        raise ImageFault("gzip data ends early")


def _is_gzip(head: bytes) -> bool:
    """Of 65,536 frames one has a time that begins with the mark of gzip; there a picture follows where gzip has no room for it."""
    return head.startswith(_GZIP_MAGIC) and sniff(head[_FRAME_HEAD_BYTES:]) is None


def _inflate_some(inflater: "zlib._Decompress", data: bytes) -> tuple[bytes, bytes]:
    """At most _CHUNK_BYTES of what these bytes unpack to, and the bytes still to be unpacked."""
    try:
        piece = inflater.decompress(data, _CHUNK_BYTES)
    except zlib.error as error:
        raise ImageFault(f"damaged gzip data: {error}") from error
    return piece, inflater.unused_data if inflater.eof else inflater.unconsumed_tail


def _format(head: bytes) -> UploadFormat:
    """What the first block of an upload shows it to be."""
    if sniff(head) is not None:
        return UploadFormat.LOOSE
    if len(head) == _TAR_BLOCK and _tar_checksum_fits(head):
        return UploadFormat.TAR
    if len(head) >= _FRAME_HEAD_BYTES and sniff(head[_FRAME_HEAD_BYTES:]) is not None:
        return UploadFormat.FRAMES
    raise ImageFault("neither a picture nor an archive of pictures")


def _tar_checksum_fits(head: bytes) -> bool:
    """Whether a block is a tar header: the checksum also knows archives older than the `ustar` mark."""
    try:
        stated = _octal(head[148:156])
    except ImageFault:
        return False
    return stated == sum(head) - sum(head[148:156]) + 8 * ord(" ")


def _tar_entry(head: bytes) -> tuple[str, int]:
    """Name and size of an entry."""
    if not _tar_checksum_fits(head):
        raise ImageFault("damaged tar header")
    return head[:100].split(b"\0", 1)[0].decode("utf-8", "replace"), _octal(head[124:136])


def _octal(digits: bytes) -> int:
    """A tar number. The binary form for sizes of 8 GB and over is refused with everything else that is no octal."""
    text = digits.strip(b"\0 ")
    if not re.fullmatch(rb"[0-7]{1,11}", text):
        raise ImageFault("damaged tar header")
    return int(text, 8)


def _entry_time(name: str) -> int | None:
    """The time in an entry's name, if it has one."""
    match = _ENTRY_TIME.search(name)
    return int(match[1]) if match else None
