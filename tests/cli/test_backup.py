"""`healthguard backup` and `restore` with the real program: what comes back answers like the original, or nothing comes back."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tests.client import Account, Rest
from tests.collector import Collector, run
from tests.conftest import StartCollector
from tests.mobile.conftest import Owner, owner_on
from tests.mobile.tracker import JPEG, LOG, WEBP, Tracker, frames_of
from tests.sample import error_event, http_event, now_ms, performance_event

EVENTS = 30


@dataclass
class Site:
    """A collector with events, a recorded session and pictures in it."""

    collector: Collector
    owner: Owner
    tracker: Tracker
    events: list[dict[str, Any]]

    @property
    def place(self) -> tuple[str, ...]:
        return ("--data-dir", str(self.collector.data_dir), "--database-url", self.collector.database_url)


@pytest.fixture
def site(engine: str, start_collector: StartCollector, connect: Callable[[str], Rest]) -> Site:
    collector = start_collector(engine)
    owner = owner_on(connect(collector.rest))
    events = [make(anonymousId=f"anon_{n % 7}") for n in range(EVENTS) for make in (error_event, http_event)]
    events.append(performance_event())
    for at in range(0, len(events), 50):
        assert owner.rest.ingest(owner.app["appKey"], events[at : at + 50]).status_code == 202
    tracker = owner.tracker()
    tracker.start()
    tracker.note(LOG, now_ms(), severity="info", content="paid")
    assert tracker.flush().status_code == 200
    assert tracker.post("append", tracker.crash(now_ms())).status_code == 200
    assert tracker.upload([("a.gz", frames_of([(now_ms(), JPEG), (now_ms() + 1, WEBP)]))]).status_code == 200
    return Site(collector, owner, tracker, events)


@pytest.fixture
def elsewhere(engine: str, tmp_path: Path, new_database: Callable[[str], str]) -> tuple[str, ...]:
    """Flags of an empty place on the same engine."""
    url = () if engine == "sqlite" else ("--database-url", new_database(engine))
    return ("--data-dir", str(tmp_path / "elsewhere"), *url)


@pytest.fixture
def serve_at(connect: Callable[[str], Rest]) -> Iterator[Callable[[tuple[str, ...]], Rest]]:
    """Serves what lies at a place, and closes it when the test ends."""
    running: list[Collector] = []

    def serve(place: tuple[str, ...]) -> Rest:
        collector = Collector(Path(place[1]), "serve", *place[2:])
        running.append(collector)
        return connect(collector.rest)

    yield serve
    for collector in running:
        collector.close()


def answers(rest: Rest, account: Account, session_id: str) -> dict[str, Any]:
    """Everything a dashboard can see."""
    sessions = rest.get(account, "/api/sessions")["sessions"]
    detail = rest.get(account, f"/api/sessions/{session_id}")
    shots = [
        rest.http.get(f"/api/sessions/{session_id}/images/{image['name']}", headers=account.headers)
        for image in rest.get(account, f"/api/sessions/{session_id}/images")["images"]
    ]
    assert [shot.status_code for shot in shots] == [200, 200]
    issues = rest.issues(account)
    return {
        "me": rest.get(account, "/api/auth/me"),
        "apps": rest.get(account, "/api/apps"),
        "totals": rest.totals(account),
        "issues": issues,
        "details": [rest.get(account, f"/api/issues/{issue['id']}") for issue in issues],
        "ledger": rest.ledger(account),
        "sessions": sessions,
        "session": detail,
        "messages": rest.get(account, f"/api/sessions/{session_id}/messages"),
        "pictures": [shot.content for shot in shots],
    }


def test_what_comes_back_answers_like_the_original_and_goes_on(
    site: Site, elsewhere: tuple[str, ...], tmp_path: Path, serve_at: Callable[[tuple[str, ...]], Rest]
) -> None:
    owner, file = site.owner, tmp_path / "shop.tar.zst"
    before = answers(owner.rest, owner.account, site.tracker.session_id)
    taken = run("backup", str(file), *site.place)
    assert (taken.returncode, taken.stderr) == (0, "")
    assert "2 pictures" in taken.stdout
    assert file.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("healthguard-backup-")] == []
    assert owner.rest.ingest(owner.app["appKey"], [error_event()]).status_code == 202
    site.collector.kill()

    brought = run("restore", str(file), *elsewhere)
    assert (brought.returncode, brought.stderr) == (0, "")
    rest = serve_at(elsewhere)
    assert answers(rest, owner.account, site.tracker.session_id) == before
    assert rest.ingest(owner.app["appKey"], site.events[:10]).json() == {"accepted": 10}
    assert rest.totals(owner.account) == before["totals"]
    tracker = site.tracker
    tracker.http = rest.http
    assert tracker.post("append", tracker.crash(now_ms(), reason="another")).status_code == 200
    _, new_key = rest.new_app_key()
    assert rest.ingest(new_key, [error_event()]).json() == {"accepted": 1}


def refused(*arguments: str) -> str:
    """The one line that says why."""
    done = run(*arguments)
    assert done.returncode == 1, done.stdout
    (line,) = done.stderr.splitlines()
    return line


def test_a_backup_never_overwrites_and_a_restore_wants_an_empty_place(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "a.tar.zst"
    assert run("backup", str(file), *site.place).returncode == 0
    held = file.read_bytes()
    assert "is there already" in refused("backup", str(file), *site.place)
    assert file.read_bytes() == held
    said = refused("restore", str(file), *site.place)
    assert "another HealthGuard Collector" in said or "is not empty" in said
    site.collector.kill()
    said = refused("restore", str(file), *site.place)
    assert "is there already" in said or "is not empty" in said


@pytest.mark.parametrize("harm", ["cut", "flipped", "no archive"])
def test_a_damaged_backup_changes_nothing(harm: str, shared_sqlite: Collector, tmp_path: Path) -> None:
    file = tmp_path / "a.tar.zst"
    place = ("--data-dir", str(shared_sqlite.data_dir), "--database-url", shared_sqlite.database_url)
    assert run("backup", str(file), *place).returncode == 0
    content = zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read()
    if harm == "cut":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif harm == "flipped":
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        file.write_bytes(zstandard.compress(flipped))
    else:
        file.write_bytes(b"something else" * 100)
    line = refused("restore", str(file), "--data-dir", str(tmp_path / "new"))
    assert str(file) in line
    assert not (tmp_path / "new").exists()


def test_a_backup_of_another_engine_is_refused_by_name(
    shared_sqlite: Collector, tmp_path: Path, new_database: Callable[[str], str]
) -> None:
    file = tmp_path / "a.tar.zst"
    place = ("--data-dir", str(shared_sqlite.data_dir), "--database-url", shared_sqlite.database_url)
    assert run("backup", str(file), *place).returncode == 0
    url = new_database("postgresql")
    line = refused("restore", str(file), "--data-dir", str(tmp_path / "new"), "--database-url", url)
    assert "backup of sqlite" in line


def test_pictures_that_are_gone_are_told(
    start_collector: StartCollector, connect: Callable[[str], Rest], tmp_path: Path
) -> None:
    collector = start_collector("sqlite")
    tracker = owner_on(connect(collector.rest)).tracker()
    tracker.start()
    assert tracker.upload([("a.gz", frames_of([(now_ms(), JPEG)]))]).status_code == 200
    shutil.rmtree(collector.data_dir / "blobs")
    (collector.data_dir / "blobs").mkdir()
    taken = run(
        "backup",
        str(tmp_path / "a.tar.zst"),
        *("--data-dir", str(collector.data_dir), "--database-url", collector.database_url),
    )
    assert taken.returncode == 0
    assert "0 pictures" in taken.stdout
    assert "1 pictures were not in the blob store" in taken.stdout
