"""What reads bytes from outside, one function each, for coverage-guided fuzzing: run as a program by test_fuzz.py.

Usage: python targets.py NAME [libFuzzer's own flags and corpus directories]
"""

import sys
import tempfile
from collections.abc import Callable

import atheris
import orjson

with atheris.instrument_imports(include=["server.mobile", "server.ingest", "rest_facade", "server.paging"]):
    from rest_facade.contract import load_document, operations
    from rest_facade.json_input import MessageReader
    from rest_facade.validation import BodyChecker
    from server.errors import InvalidPageToken
    from server.ingest.grouping import explain
    from server.ingest.judge import event_time_ms, judge
    from server.ingest.prepare import Judged, prepare
    from server.mobile import beats, body, codec, images, messages, reading, token
    from server.paging import PageTokens

from healthguard.v1 import event_pb2 as event_pb, event_service_pb2 as event_service_pb

LIMITS = images.ImageLimits(image_bytes=100_000, images=50, inflated_bytes=400_000)
SIGNER = token.TokenSigner([b"k" * 32], late_age_ms=1_000)
NOW_MS = 1_795_355_475_472
PAGES = PageTokens(b"k" * 32)
INGEST = next(operation for operation in operations(load_document()) if operation.path == "/api/events/batch")
CHECKER = BodyChecker(INGEST.body)
READER = MessageReader(event_service_pb.IngestEventsRequest.DESCRIPTOR, INGEST.body)


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
        assert [b.time_ms for b in beats.unpack(beats.pack(learnt.beats))] == [b.time_ms for b in learnt.beats.ordered]


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


def event(data: bytes) -> None:
    """One event as an SDK sends it: transcoded, judged, scrubbed, grouped and packed, and still a message after all that."""
    try:
        given = {"appKey": "web_x", "events": [orjson.loads(data)]}
    except orjson.JSONDecodeError:
        return
    if CHECKER.violations(given):
        return
    request = event_service_pb.IngestEventsRequest()
    READER.fill(request, given)
    for one in request.events:
        message = one.SerializeToString()
        if judge(one, len(message), {"web_x"}) is None:
            (made,) = prepare([Judged(one, message, event_time_ms(one, NOW_MS, 86_400_000))], 1, NOW_MS)
            event_pb.Event.FromString(made.message)
            assert len(made.event_key) == 15
            explain(one)


def page_token(data: bytes) -> None:
    """A place in a list: nothing that we did not sign may be good."""
    try:
        values = PAGES.open(data.decode("latin-1"), "list")
    except InvalidPageToken:
        return
    assert PAGES.open(PAGES.sign(values, "list"), "list") == values


TARGETS: dict[str, Callable[[bytes], None]] = {
    "batch": batch,
    "packed": packed,
    "archive": archive,
    "session_token": session_token,
    "event": event,
    "page_token": page_token,
}

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
