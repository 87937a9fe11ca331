"""Screenshots: every wrapping and kind, stored whole or not at all, and shown at their instants."""

import gzip
import io
import tarfile

import httpx
import pytest

from tests.mobile.conftest import Owner, owner_on
from tests.mobile.tracker import AVIF, JPEG, PNG, WEBP, Tracker, frames_of, tar_of
from tests.sample import now_ms

MIMES = {JPEG: "image/jpeg", PNG: "image/png", WEBP: "image/webp", AVIF: "image/avif"}


@pytest.fixture
def tracker(owner: Owner) -> Tracker:
    tracker = owner.tracker()
    tracker.start()
    return tracker


def images(owner: Owner, tracker: Tracker, **query: object) -> list[dict[str, object]]:
    found: list[dict[str, object]] = owner.get(f"/api/sessions/{tracker.session_id}/images", **query)["images"]
    return found


def picture(owner: Owner, tracker: Tracker, path: str) -> httpx.Response:
    return owner.rest.http.get(f"/api/sessions/{tracker.session_id}/{path}", headers=owner.account.headers)


@pytest.mark.parametrize("wrap", ["tar", "frames", "bare tar", "tar called frames"])
def test_archives_are_read_by_their_content(owner: Owner, tracker: Tracker, wrap: str) -> None:
    began = now_ms()
    shots = [(began + 1000 * place, shot) for place, shot in enumerate(MIMES)]
    content = frames_of(shots) if wrap == "frames" else tar_of(began, shots)
    if wrap == "bare tar":
        content = gzip.decompress(content)
    fields = {"type": "frames"} if "frames" in wrap else {}
    answer = tracker.upload([("x.tar.gz", content)], projectKey=owner.app["appKey"], **fields)
    assert (answer.status_code, answer.content) == (200, b"")
    found = images(owner, tracker)
    assert [(one["takenAt"], one["contentType"], one["sizeBytes"]) for one in found] == [
        (time_ms, MIMES[shot], len(shot)) for time_ms, shot in shots
    ]
    for one, (_, shot) in zip(found, shots, strict=True):
        answer = picture(owner, tracker, f"images/{one['name']}")
        assert (answer.content, answer.headers["content-type"]) == (shot, MIMES[shot])
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert owner.session(tracker.session_id)["session"]["counters"]["images"] == 4


def test_the_screenshot_at_or_before_an_instant(owner: Owner, tracker: Tracker) -> None:
    began = now_ms()
    tracker.upload([("x", frames_of([(began, JPEG), (began + 1000, PNG)]))])
    assert picture(owner, tracker, f"screenshot?at={began - 1}").status_code == 404
    assert picture(owner, tracker, f"screenshot?at={began}").content == JPEG
    assert picture(owner, tracker, f"screenshot?at={began + 999}").content == JPEG
    assert picture(owner, tracker, f"screenshot?at={began + 1000}").content == PNG
    assert picture(owner, tracker, "screenshot").content == PNG
    assert [one["takenAt"] for one in images(owner, tracker, start=began + 1)] == [began + 1000]
    page = owner.get(f"/api/sessions/{tracker.session_id}/images", pageSize=1)
    rest = owner.get(f"/api/sessions/{tracker.session_id}/images", pageSize=1, pageToken=page["nextPageToken"])
    assert [one["takenAt"] for one in page["images"] + rest["images"]] == [began, began + 1000]
    assert "nextPageToken" not in rest


def test_loose_pictures_go_by_their_names_and_the_most_used_are_told(owner: Owner) -> None:
    for uploads in ([("aaa", JPEG), ("bbb", PNG)], [("aaa", JPEG)]):
        tracker = owner.tracker()
        tracker.start()
        assert tracker.upload(uploads).status_code == 200
    assert owner.tracker().start().json()["imagesHashList"] == ["aaa", "bbb"]


def test_an_upload_sent_again_is_stored_once(owner: Owner, tracker: Tracker) -> None:
    content = tar_of(now_ms(), [(now_ms(), JPEG)])
    for _ in range(3):
        assert tracker.upload([("x.tar.gz", content)]).status_code == 200
    assert len(images(owner, tracker)) == 1


def test_entry_names_never_reach_a_path(owner: Owner, tracker: Tracker) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name in ("../../../../tmp/evil.jpeg", "/etc/passwd", "a\0b", "x" * 90):
            entry = tarfile.TarInfo(name)
            entry.size = len(JPEG)
            archive.addfile(entry, io.BytesIO(JPEG))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert tracker.upload([("../../up", out.getvalue())]).status_code == 200
    names = [str(one["name"]) for one in images(owner, tracker)]
    assert names
    assert all("/" not in name and ".." not in name for name in names)
    for name in ("..%2f..%2fsecret.key", "%2e%2e", "0-" + "%" * 32, "1-" + "_" * 32):
        assert picture(owner, tracker, f"images/{name}").status_code in {400, 404}


@pytest.mark.parametrize(
    ("files", "status", "code"),
    [
        ([("x", b"no picture at all")], 400, "INVALID_UPLOAD"),
        ([("good", JPEG), ("bad", b"no picture")], 400, "INVALID_UPLOAD"),
        ([("x", b"\x1f\x8b\x08\0torn")], 400, "INVALID_UPLOAD"),
        ([("x", gzip.compress(JPEG + bytes(5_000_001)))], 413, "UPLOAD_TOO_LARGE"),
        ([("x", JPEG + bytes(10_000_000))], 413, "BODY_TOO_LARGE"),
        ([(str(place), JPEG) for place in range(101)], 413, "UPLOAD_TOO_LARGE"),
    ],
    ids=["noise", "one bad", "torn gzip", "large picture", "large upload", "many files"],
)
def test_an_upload_is_stored_whole_or_not_at_all(
    owner: Owner, tracker: Tracker, files: list[tuple[str, bytes]], status: int, code: str
) -> None:
    answer = tracker.upload(files)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert images(owner, tracker) == []


def test_forms_that_are_none_are_told_so(owner: Owner, tracker: Tracker) -> None:
    def answer(body: bytes, media_type: str) -> tuple[int, str]:
        headers = {"authorization": f"Bearer {tracker.token}", "content-type": media_type}
        found = tracker.http.post("/v1/ios/images", content=body, headers=headers)
        return found.status_code, found.json()["code"]

    form = "multipart/form-data; boundary=x"
    assert answer(b"{}", "application/json") == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert answer(b"", "multipart/form-data") == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert answer(b"", form) == (400, "INVALID_MULTIPART")
    assert answer(b"--y\r\n", form) == (400, "INVALID_MULTIPART")
    cut = b'--x\r\ncontent-disposition: form-data; name="a"; filename="b"\r\n\r\n' + JPEG
    assert answer(cut, form) == (400, "INVALID_MULTIPART")
    many = b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n\r\n' * 1000 + b"--x--"
    assert answer(many, form) == (400, "INVALID_MULTIPART")
    assert images(owner, tracker) == []


def test_the_app_of_the_form_must_be_the_token_s(owner: Owner, tracker: Tracker) -> None:
    other = owner_on(owner.rest)
    assert tracker.upload([("x", JPEG)], projectKey=other.app["appKey"]).status_code == 401
    assert tracker.upload([("x", JPEG)], projectID=str(owner.app["projectId"])).status_code == 200
    assert len(images(owner, tracker)) == 1
