"""One end user's data, written out and forgotten by command while the program serves, and what others notice of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.client import Account, Rest
from tests.collector import Collector, run
from tests.mobile.conftest import Owner, owner_on
from tests.mobile.tracker import JPEG, tar_of
from tests.sample import error_event, http_event, now_ms
from tests.store_access import stored_event_ids

USER_ID = 94
HOUR_MS = 3_600_000
ADA, ADAS_BROWSER = "ada-7", "anon-of-ada"


def command(collector: Collector, *arguments: str) -> str:
    """What a command says on stdout."""
    where = ("--data-dir", str(collector.data_dir), "--database-url", collector.database_url)
    done = run(*arguments, *where)
    assert done.returncode == 0, done.stderr
    return done.stdout


def seen(rest: Rest, account: Account) -> Any:
    """What dashboards count; by time in whole hours, because parts of hours are counted from what is still kept."""
    hour_ms = now_ms() // HOUR_MS * HOUR_MS
    counts = ("fingerprint", "eventCount", "affectedUsers", "firstSeenAt", "lastSeenAt")
    issues = [{name: issue.get(name) for name in counts} for issue in rest.issues(account)]
    hours = rest.totals(account, start=hour_ms - HOUR_MS, end=hour_ms + HOUR_MS - 1)
    return rest.totals(account), sorted(issues, key=str), hours


@pytest.fixture
def owner(rest: Rest) -> Owner:
    """An app with events of Ada, by one id, the other and both, with events of Bob, and with a session of each."""
    owner = owner_on(rest)
    events = [
        error_event(eventId="ada-1", userId=ADA, anonymousId=ADAS_BROWSER, context={"note": "Ada's own words"}),
        error_event(eventId="ada-2", userId=ADA, anonymousId="another-browser", fingerprint="js:two"),
        http_event(eventId="ada-3", anonymousId=ADAS_BROWSER),
        error_event(eventId="bob-1", userId="bob", anonymousId="anon-of-bob"),
        error_event(eventId="bob-2", userId="bob", fingerprint="js:two"),
        error_event(eventId="bob-3", anonymousId="anon-of-bob"),
    ]
    assert rest.ingest(owner.app["appKey"], events).json() == {"accepted": len(events)}
    for name in (ADA, "bob"):
        tracker = owner.tracker()
        assert tracker.start().is_success
        tracker.note(USER_ID, now_ms(), id=name)
        assert tracker.flush().is_success
        assert tracker.upload([("a", tar_of(now_ms(), [(now_ms(), JPEG)]))]).is_success
    return owner


def test_forgetting_one_user_changes_no_number_and_nothing_of_others(
    owner: Owner, collector: Collector, tmp_path: Path
) -> None:
    rest, app_key = owner.rest, owner.app["appKey"]
    whom = ("--app", app_key, "--user-id", ADA, "--anonymous-id", ADAS_BROWSER)
    before = seen(rest, owner.account)

    file = tmp_path / "ada.jsonl"
    command(collector, "user", "export", *whom, "--out", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    written = [json.loads(line) for line in file.read_text().splitlines()]
    events = {one["event"]["eventId"]: one["event"] for one in written if one["kind"] == "event"}
    assert set(events) == {"ada-1", "ada-2", "ada-3"}
    assert events["ada-1"]["context"] == {"note": "Ada's own words"}
    (session,) = (one["session"] for one in written if one["kind"] == "session")
    assert session["session"]["userId"] == ADA
    assert [one["message"]["type"] for one in written if one["kind"] == "message"]
    assert len([one for one in written if one["kind"] == "image" and one["image"]["data"]]) == 1
    assert "bob" not in file.read_text()

    told = command(collector, "user", "forget", *whom)
    assert told.startswith("3 events and 1 recorded sessions removed")
    assert set(stored_event_ids(collector.database_url, app_key)) == {"bob-1", "bob-2", "bob-3"}
    assert [found["userId"] for found in owner.sessions()] == ["bob"]
    assert seen(rest, owner.account) == before
    assert command(collector, "user", "export", *whom) == ""

    back = error_event(eventId="ada-4", userId=ADA)
    assert rest.ingest(app_key, [back]).json() == {"accepted": 1}
    assert rest.totals(owner.account)["affectedUsers"] == before[0]["affectedUsers"] + 1


def test_somebody_must_be_named_and_the_app_must_be_there(shared_sqlite: Collector) -> None:
    where = ("--database-url", shared_sqlite.database_url)
    for arguments, fault in (
        (("--app", "web_x"), "name the end user by --user-id, --anonymous-id or both"),
        (("--app", "web_x", "--user-id", "x"), "App not found."),
    ):
        done = run("user", "forget", *arguments, *where)
        assert (done.returncode, done.stderr) == (1, f"healthguard: {fault}\n")
