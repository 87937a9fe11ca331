"""Uploads yield their pictures whatever they are wrapped in, within bounds, or say why not."""

import gzip
import io
import tarfile
import tracemalloc
from random import Random

import pytest
from hypothesis import example, given, settings, strategies as st

from server.mobile.images import Image, ImageFault, ImageLimitExceeded, ImageLimits, ImageUpload, UploadFormat, sniff

JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
PNG = b"\x89PNG\r\n\x1a\n and so on"
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8L"
AVIF = b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1miaf"
AVIF_COMPATIBLE = b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avif"
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
NOT_PICTURES = [b"", b"GIF89a", b"RIFF\x10\x00\x00\x00WAVEfmt ", HEIC, b"\xff\xd8", b"<svg/>", b"BM" + bytes(60)]
TAKEN_MS = 1_710_417_075_123
ENTRY = f"1710417074123_1_{TAKEN_MS}.jpeg"


def tar(*entries, kind=tarfile.REGTYPE):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in entries:
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def frames(*pictures):
    return b"".join(at.to_bytes(8, "little") + len(data).to_bytes(4, "little") + data for at, data in pictures)


def read(data, **options):
    upload = ImageUpload(io.BytesIO(data), **options)
    return upload, list(upload)


def test_upload_vector_gives_the_frames_listed(image_upload_vector):
    _, images = read(bytes.fromhex(image_upload_vector["hex"]))
    assert (
        frames(*((image.timestamp_ms, image.data) for image in images)).hex()
        == image_upload_vector["decoded"]["frames_hex"]
    )


def test_frames_vector_gives_the_frames_listed(frames_vector):
    upload, images = read(bytes.fromhex(frames_vector["hex"]))
    listed = [(frame["timestamp"], frame["data_hex"]) for frame in frames_vector["decoded"]]
    assert [(image.timestamp_ms, image.data.hex()) for image in images] == listed
    assert upload.format is UploadFormat.FRAMES


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (JPEG, "image/jpeg"),
        (PNG, "image/png"),
        (WEBP, "image/webp"),
        (AVIF, "image/avif"),
        (AVIF_COMPATIBLE, "image/avif"),
        *((data, None) for data in NOT_PICTURES),
    ],
)
def test_type_is_told_by_content(head, mime):
    assert sniff(head) == mime


@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
@pytest.mark.parametrize("picture", [JPEG, PNG, WEBP, AVIF])
def test_every_wrapping_gives_the_same_picture(picture, wrap):
    mime = sniff(picture)
    assert read(wrap(picture), name="4f2a_99.jpeg")[1] == [Image(None, "4f2a_99.jpeg", mime, picture)]
    assert read(wrap(tar((ENTRY, picture))))[1] == [Image(TAKEN_MS, ENTRY, mime, picture)]
    assert read(wrap(frames((5, picture))))[1] == [Image(5, "", mime, picture)]


@pytest.mark.parametrize("chunk_bytes", [1, 2, 511, 513, 1_000_000])
def test_chunks_may_be_cut_anywhere(chunk_bytes):
    data = gzip.compress(tar((ENTRY, JPEG), ("b_1_1710417076123.jpeg", PNG * 100)))
    chunks = [data[at : at + chunk_bytes] for at in range(0, len(data), chunk_bytes)]
    assert [image.data for image in ImageUpload(chunks)] == [JPEG, PNG * 100]


def test_gzip_in_several_members_with_padding_is_one_upload():
    data = tar((ENTRY, JPEG))
    upload, images = read(gzip.compress(data[:700]) + gzip.compress(data[700:]) + bytes(300))
    assert [image.data for image in images] == [JPEG]
    assert upload.format is UploadFormat.TAR


def test_archive_without_its_end_blocks_is_whole():
    data = tar((ENTRY, JPEG))
    assert [image.data for image in read(data[:1_024])[1]] == [JPEG]


def test_entries_that_are_no_pictures_are_counted():
    upload, images = read(tar(("notes.txt", b"skip"), (ENTRY, JPEG), ("empty", b"")))
    assert ([image.data for image in images], upload.skipped) == ([JPEG], 2)


@pytest.mark.parametrize("kind", [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_entries_that_are_no_files_are_passed(kind):
    upload, images = read(tar(("../../etc/passwd", b""), kind=kind)[:512] + tar((ENTRY, JPEG)))
    assert ([image.name_hint for image in images], upload.skipped) == ([ENTRY], 0)


def test_long_names_of_gnu_archives_are_passed():
    _, images = read(tar(("x" * 300 + "_1710417075123.jpeg", JPEG)))
    assert [image.data for image in images] == [JPEG]


@pytest.mark.parametrize(
    "name", ["../../../etc/cron.d/x", "/abs.jpeg", "a\\b\udcff.jpeg", "_1.jpeg", "a_99999999999999999.jpeg"]
)
def test_hostile_names_are_only_text(name):
    (image,) = read(tar((name, JPEG)))[1]
    assert image.timestamp_ms is None
    assert image.data == JPEG


def test_empty_upload_has_no_pictures():
    upload, images = read(b"")
    assert (images, upload.format) == ([], None)


DAMAGED = {
    "another format": b"GIF89a and more",
    "no picture in gzip": gzip.compress(b"plain text"),
    "two bytes of gzip": b"\x1f\x8b",
    "no gzip at all": b"\x1f\x8bnot gzip at all",
    "gzip without its last byte": gzip.compress(JPEG)[:-1],
    "gzip with a wrong check sum": gzip.compress(JPEG)[:-8] + bytes(8),
    "something behind gzip": gzip.compress(JPEG) + b"junk",
    "gzip of a tar with a wrong length": gzip.compress(tar((ENTRY, JPEG)))[:-4] + bytes(4),
    "frames without their last byte": frames((5, JPEG), (6, JPEG))[:-1],
    "something behind frames": frames((5, JPEG)) + b"\0",
    "tar cut in a picture": tar((ENTRY, JPEG))[:600],
    "tar cut behind a header": tar((ENTRY, JPEG))[:520],
    "something for a header of tar": tar((ENTRY, JPEG))[:1_024] + b"no header" * 60,
    "tar cut in a header": tar((ENTRY, JPEG))[:1_030],
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_damaged_upload_says_so(data):
    with pytest.raises(ImageFault):
        read(data)


SMALL = ImageLimits(image_bytes=1_000, images=2, inflated_bytes=20_000)


@pytest.mark.parametrize(
    "data",
    [
        JPEG + bytes(1_000),
        tar((ENTRY, JPEG + bytes(1_000))),
        frames((5, JPEG), (6, JPEG + bytes(1_000))),
        frames((5, JPEG), (6, JPEG), (7, JPEG)),
        tar((ENTRY, JPEG), (ENTRY, JPEG), (ENTRY, JPEG)),
        tar(*[("empty", b"")] * 3),
        tar(("x", b""), kind=tarfile.DIRTYPE)[:512] * 50,
        tar((ENTRY, JPEG)) + bytes(20_000),
    ],
)
@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
def test_bounds_are_kept(data, wrap):
    with pytest.raises(ImageLimitExceeded):
        read(wrap(data), limits=SMALL)


def test_bounds_may_be_reached():
    full = JPEG + bytes(1_000 - len(JPEG))
    assert len(read(tar((ENTRY, full), (ENTRY, full)), limits=SMALL)[1]) == 2


def test_bomb_is_refused_in_little_memory():
    bomb = gzip.compress(frames((5, JPEG + bytes(100_000_000))))
    tracemalloc.start()
    with pytest.raises(ImageLimitExceeded):
        read(bomb)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_pictures_are_held_one_at_a_time():
    picture = JPEG + bytes(400_000)
    upload = gzip.compress(tar(*[(ENTRY, picture)] * 20))
    tracemalloc.start()
    assert sum(1 for _ in ImageUpload([upload])) == 20
    assert tracemalloc.get_traced_memory()[1] < 4 * len(picture)
    tracemalloc.stop()


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.binary(max_size=300)), min_size=1, max_size=10), st.booleans())
@settings(max_examples=100, deadline=None)
@example([(0x8B1F, b"")], False)  # a time that begins like gzip
@example([(0x8B1F, b"")], True)
def test_frames_survive_the_round_trip(pictures, zipped):
    sent = [(at_ms, JPEG + data) for at_ms, data in pictures]
    blob = frames(*sent)
    _, images = read(gzip.compress(blob) if zipped else blob)
    assert [(image.timestamp_ms, image.data) for image in images] == sent


def test_no_upload_of_five_thousand_breaks_the_reader():
    rng = Random(5_000)
    intact = [JPEG, frames((5, JPEG), (6, PNG)), tar((ENTRY, JPEG), ("b", WEBP))[:2_560]]
    intact += [gzip.compress(data) for data in intact]
    for _ in range(5_000):
        data = bytearray(rng.choice(intact))
        for _ in range(rng.randrange(1, 5)):
            at = rng.randrange(len(data))
            data[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
            data = data or bytearray(b"\0")
        try:
            images = list(ImageUpload([bytes(data)], limits=SMALL))
        except ImageFault:
            continue
        assert all(sniff(image.data) == image.mime for image in images)
