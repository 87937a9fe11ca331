"""Where pictures live: a directory, S3 or memory; dead or alive, nothing is half-stored and nothing left over."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlmodel import Session

from server.errors import BlobsUnavailable
from server.ingest.upkeep import UPLOAD_MS, remove_unused
from server.store import images, sessions
from server.store.blobs import BlobStore, directory_of, open_blobs
from server.store.engine import Engine
from server.store.images import Blob, Picture
from tests.client import Rest
from tests.collector import Collector
from tests.mobile.conftest import owner_on
from tests.mobile.tracker import JPEG, PNG, frames_of
from tests.s3 import S3Server
from tests.sample import now_ms


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with S3Server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(params=["file", "s3", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BlobStore:
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("s3")
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        return open_blobs(server.url)
    return open_blobs(f"file://{tmp_path}/blobs" if request.param == "file" else "memory://")


async def test_objects_are_put_read_and_deleted(blobs: BlobStore) -> None:
    assert await blobs.get("1/ab/abc") is None
    await blobs.put("1/ab/abc", b"first")
    await blobs.put("1/ab/abc", b"second")
    await blobs.put("1/cd/cde", bytes(3_000_000))
    assert await blobs.get("1/ab/abc") == b"second"
    assert await blobs.get("1/cd/cde") == bytes(3_000_000)
    assert await blobs.keys() == ["1/ab/abc", "1/cd/cde"]
    await blobs.delete(["1/ab/abc", "1/cd/cde", "1/no/none"])
    assert await blobs.keys() == []


async def test_what_died_half_written_goes_with_its_object(tmp_path: Path) -> None:
    blobs = open_blobs(f"file://{tmp_path}/blobs")
    await blobs.put("1/ab/abc", b"whole")
    torn = tmp_path / "blobs" / "1" / "ab" / "abc#1"
    torn.write_bytes(b"hal")
    await blobs.delete(["1/ab/abc", "1/ab/abd"])
    assert not torn.exists()


def test_directories_are_named_like_databases() -> None:
    assert directory_of("file:///./data/blobs") == Path("./data/blobs")
    assert directory_of("file:///var/blobs") == Path("/var/blobs")
    assert directory_of("file:////var/blobs") == Path("/var/blobs")


@pytest.mark.slow
def test_screenshots_live_in_s3_and_a_dead_s3_is_told(
    s3: S3Server, start_collector: Callable[..., Collector], connect: Callable[[str], Rest]
) -> None:
    collector = start_collector("sqlite", "--blob-url", s3.url, env=s3.env)
    owner = owner_on(connect(collector.rest))
    tracker = owner.tracker()
    tracker.start()
    began = now_ms()
    assert tracker.upload([("x", frames_of([(began, JPEG)]))]).status_code == 200
    path = f"/api/sessions/{tracker.session_id}/screenshot"
    assert owner.rest.http.get(path, headers=owner.account.headers).content == JPEG

    s3.stop()
    answer = tracker.upload([("x", frames_of([(began + 1, PNG)]))])
    assert (answer.status_code, answer.json()["code"]) == (503, "BLOBS_UNAVAILABLE")
    assert int(answer.headers["retry-after"]) >= 1
    answer = owner.rest.http.get(path, headers=owner.account.headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "BLOBS_UNAVAILABLE")
    # Everything that is not a picture goes on.
    assert tracker.post("append", tracker.crash(now_ms())).status_code == 200
    assert len(owner.get(f"/api/sessions/{tracker.session_id}/images")["images"]) == 1

    s3.start()
    assert tracker.upload([("x", frames_of([(began + 1, PNG)]))]).status_code == 200
    assert owner.rest.http.get(path, headers=owner.account.headers).content == PNG


class Steps:
    """The steps of an upload and of a removal by hand, so that a test can die between any two of them."""

    def __init__(self, store: Engine, blobs: BlobStore) -> None:
        self.store, self.blobs = store, blobs
        self.picture = Picture(1, "ab" * 32, "image/jpeg", len(JPEG), "")
        self.blob = Blob(1, self.picture.hash)

    async def register(self, at_ms: int) -> set[str]:
        return await self.store.write(images.register, 1, [self.picture], at_ms)

    async def put(self) -> None:
        await self.blobs.put(self.blob.key, JPEG)

    async def show(self, session_id: int) -> bool:
        return await self.store.write(images.show, 1, session_id, [self.picture])

    async def upload(self, at_ms: int, session_id: int) -> None:
        if await self.register(at_ms):
            await self.put()
        assert await self.show(session_id)

    async def begin(self, session_id: int, at_ms: int) -> None:
        new = sessions.NewSession(
            app_id=1, id=session_id, start_ms=at_ms, received_ms=at_ms, listed=True, platform="ios", device="",
            device_type="", os_version="", tracker_version="", release="", user_uuid="", start=b"",
        )  # fmt: skip
        await self.store.write(sessions.begin, new)

    async def left(self) -> tuple[list[str], int]:
        """Objects in the blob store, and rows in its books."""

        def rows(session: Session) -> int:
            return session.connection().exec_driver_sql("SELECT count(*) FROM blobs").scalar_one()

        return await self.blobs.keys(), await self.store.read(rows)


@pytest.fixture
async def steps(store: Engine) -> Steps:
    found = Steps(store, open_blobs("memory://"))
    await found.begin(7, 0)
    return found


LATER = UPLOAD_MS + 1


@pytest.mark.parametrize("died_after", ["register", "put"])
async def test_death_between_the_writes_of_an_upload_leaves_no_orphan(steps: Steps, died_after: str) -> None:
    await steps.register(at_ms=0)
    if died_after == "put":
        await steps.put()
    assert await remove_unused(steps.store, steps.blobs, UPLOAD_MS - 1) == 0
    assert await remove_unused(steps.store, steps.blobs, LATER) == 1
    assert await steps.left() == ([], 0)
    await steps.upload(LATER, 7)
    assert await steps.left() == ([steps.blob.key], 1)


@pytest.mark.parametrize("died_after", ["claim", "delete"])
async def test_death_between_the_writes_of_a_removal_leaves_no_orphan(steps: Steps, died_after: str) -> None:
    await steps.upload(0, 7)
    assert await steps.store.write(sessions.delete_received_before, 1, 1, 10) == 1
    claimed = await steps.store.write(images.claim_unused, LATER - UPLOAD_MS, LATER, 10)
    assert claimed == [steps.blob]
    if died_after == "delete":
        await steps.blobs.delete([steps.blob.key])
    # Meanwhile the picture is nobody's: neither a second claim nor an upload may touch it.
    assert await steps.store.write(images.claim_unused, LATER - UPLOAD_MS, LATER, 10) == []
    with pytest.raises(BlobsUnavailable):
        await steps.register(LATER)
    much_later = LATER + images.STALE_CLAIM_MS + 1
    assert await remove_unused(steps.store, steps.blobs, much_later) == 1
    assert await steps.left() == ([], 0)


async def test_a_picture_that_two_sessions_show_goes_with_the_last(steps: Steps) -> None:
    await steps.begin(8, 1000)
    await steps.upload(0, 7)
    await steps.upload(0, 8)
    assert await steps.store.write(sessions.delete_received_before, 1, 500, 10) == 1
    assert await remove_unused(steps.store, steps.blobs, LATER) == 0
    assert (await steps.left())[0] == [steps.blob.key]
    assert await steps.store.write(sessions.delete_received_before, 1, 2000, 10) == 1
    assert await remove_unused(steps.store, steps.blobs, LATER) == 1
    assert await steps.left() == ([], 0)


async def test_uploads_and_removals_at_once_lose_nothing_that_is_shown(steps: Steps) -> None:
    async def upload(session_id: int) -> None:
        await steps.begin(session_id, 5)
        for _ in range(200):
            try:
                await steps.upload(LATER, session_id)
            except BlobsUnavailable:
                await asyncio.sleep(0.002)
            else:
                return
        pytest.fail("the picture could never be stored")

    async def remove() -> None:
        for _ in range(20):
            await remove_unused(steps.store, steps.blobs, LATER)
            await asyncio.sleep(0.001)

    await steps.register(at_ms=0)
    await steps.put()
    await asyncio.gather(remove(), remove(), *(upload(100 + number) for number in range(8)))
    assert (await steps.left())[0] == [steps.blob.key]
