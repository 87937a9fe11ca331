"""What reads bytes from outside, one function each, for coverage-guided fuzzing: run as a program by test_fuzz.py.

Usage: python targets.py NAME [libFuzzer's own flags and corpus directories]
"""

import sys
import tempfile
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["server.mobile"]):
    from server.mobile import beats, body, codec, images, messages, reading, token

LIMITS = images.ImageLimits(image_bytes=100_000, images=50, inflated_bytes=400_000)
SIGNER = token.TokenSigner([b"k" * 32], late_age_ms=1_000)
NOW_MS = 1_795_355_475_472


def batch(data: bytes) -> None:
    """A batch in every layout, each of its messages built, and what a session learns from it."""
    for platform in ("ios", "android"):
        for layout in messages.Layout:
            found = codec.decode_batch(data, platform=platform, layout=layout)
            assert 0 <= found.consumed <= len(data)
            assert len(found.messages) <= len(data)
            for message in found.messages:
                assert 0 <= message.timestamp_ms < 2**64
        learnt = reading.read(data, platform, with_calls=True, latest_ms=NOW_MS)
        assert learnt.last_ms is None or learnt.last_ms <= reading.MAX_INT64
        assert [m.timestamp_ms for m in beats.unpack(beats.pack(learnt.beats))] == [
            m.timestamp_ms for m in learnt.beats.messages
        ]


def packed(data: bytes) -> None:
    """A body, gzip'd or not."""
    try:
        found = body.unpack(data, limit_bytes=100_000)
    except body.BodyTooLarge:
        return
    assert len(found.data) <= 100_000


def archive(data: bytes) -> None:
    """An upload of pictures, whatever it is wrapped in."""
    with tempfile.SpooledTemporaryFile(1_000_000) as file:
        file.write(data)
        file.seek(0)
        try:
            for image in images.ImageUpload(file, name="x", limits=LIMITS):
                assert image.mime.startswith("image/")
                assert len(image.data) <= LIMITS.image_bytes
        except images.ImageFault:
            return


def session_token(data: bytes) -> None:
    """A token: nothing that we did not sign may be good."""
    verdict = SIGNER.verify(data.decode("latin-1"), NOW_MS)
    assert verdict.claims is None or SIGNER.issue(verdict.claims)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "batch": batch,
    "packed": packed,
    "archive": archive,
    "session_token": session_token,
}

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
