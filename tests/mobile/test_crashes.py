"""Crashes become issues, once, and are tied to the session in whose time they fell."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from server.mobile.codec import decode_batch
from server.mobile.token import TokenSigner
from tests.client import Rest
from tests.collector import Collector
from tests.mobile.conftest import Owner, owner_on
from tests.mobile.tracker import LOG
from tests.sample import now_ms


@pytest.mark.parametrize(("prefix", "platform"), [("/v1/ios", "ios"), ("/ingest/v1/mobile", "android")])
def test_a_crash_is_one_event_however_often_it_arrives(owner: Owner, prefix: str, platform: str) -> None:
    tracker = owner.tracker(prefix, platform, revID="3.1.4", userOSVersion="17.1")
    tracker.start()
    crash = tracker.crash(now_ms())
    tracker.post("append", crash)
    tracker.post("append", crash)
    tracker.post("late", crash, compress=False)
    tracker.waiting.append((97, _time_of(crash), _fields_of(crash)))
    tracker.flush()

    [issue] = owner.issues()
    assert (issue["eventCount"], issue["errorType"]) == (1, "native")
    assert issue["platformDistribution"] == {platform: 1}
    [event] = owner.get(f"/api/issues/{issue['id']}")["events"]
    assert event["message"] == "NSRangeException: index 3 beyond bounds"
    assert event["stack"].startswith("0 Shop 0x1 pay")
    assert (event["sessionId"], event["release"], event["platform"]) == (tracker.session_id, "3.1.4", platform)
    assert event["deviceInfo"]["model"] == "iPhone15,2"
    assert event["replay"]["sessionId"] == tracker.session_id
    assert event["replay"]["at"] == event["timestamp"]
    assert owner.get(event["replay"]["url"])["session"]["id"] == tracker.session_id

    found = owner.session(tracker.session_id)
    assert found["session"]["counters"]["crashes"] == 1
    assert found["issueIds"] == [issue["id"]]
    assert [(signal["kind"], signal["issueId"]) for signal in found["signals"]] == [("crash", issue["id"])]
    ledger = owner.rest.ledger(owner.account)
    assert ledger["received"] == ledger["stored"] + ledger["duplicate"]
    assert ledger["stored"] == 1


def test_a_late_crash_goes_to_the_session_in_whose_time_it_fell(owner: Owner) -> None:
    tracker = owner.tracker()
    tracker.start()
    crashed = tracker.session_id
    tracker.note(LOG, now_ms(), severity="info", content="about to crash")
    tracker.flush()
    crash = tracker.crash(now_ms())
    time.sleep(0.01)
    # The app comes back: trackers begin a new session first, and lose the old token by it.
    tracker.start()
    assert tracker.session_id != crashed
    assert tracker.post("late", crash, compress=False).status_code == 200

    assert [session["id"] for session in owner.sessions(hasCrash="true")] == [crashed]
    [issue] = owner.issues()
    assert owner.session(crashed)["issueIds"] == [issue["id"]]
    assert owner.session(tracker.session_id)["issueIds"] == []
    assert [message["type"] for message in owner.messages(crashed)].count(97) == 1
    assert owner.get(f"/api/issues/{issue['id']}")["events"][0]["sessionId"] == crashed


def test_a_crash_of_nobody_s_time_stays_with_its_token(owner: Owner) -> None:
    tracker = owner.tracker()
    tracker.start()
    tracker.post("late", tracker.crash(now_ms() - 86_400_000), compress=False)
    assert owner.session(tracker.session_id)["session"]["counters"]["crashes"] == 1


def test_two_devices_that_crash_alike_are_two_events(owner: Owner) -> None:
    at = now_ms()
    for _ in range(2):
        tracker = owner.tracker()
        tracker.start()
        tracker.post("append", tracker.crash(at))
    [issue] = owner.issues()
    assert issue["eventCount"] == 2


def test_an_expired_token_is_good_for_late_alone(
    engine: str, start_collector: Callable[..., Collector], connect: Callable[[str], Rest]
) -> None:
    collector = start_collector(engine, env={"HEALTHGUARD_RECORDING_TTL_S": "60"})
    owner = owner_on(connect(collector.rest))
    tracker = owner.tracker()
    tracker.start()
    old = _expired(collector, tracker.token)
    for call in ("append", "i"):
        answer = tracker.post(call, tracker.crash(now_ms()), token=old)
        assert (answer.status_code, answer.json()["code"]) == (401, "SESSION_TOKEN_EXPIRED")
    assert tracker.upload([("x.jpeg", b"")], token=old).status_code == 401
    assert tracker.post("late", tracker.crash(now_ms()), token=old).status_code == 200
    assert owner.session(tracker.session_id)["session"]["counters"]["crashes"] == 1
    ancient = _expired(collector, tracker.token, 31 * 86_400_000)
    assert tracker.post("late", tracker.crash(now_ms()), token=ancient).status_code == 401


def test_secrets_rotate_with_overlap(start_collector: Callable[..., Collector], connect: Callable[[str], Rest]) -> None:
    old, new = "o" * 32, "n" * 32
    collector = start_collector("sqlite", env={"HEALTHGUARD_SECRET": old})
    rest = connect(collector.rest)
    tracker = owner_on(rest).tracker()
    tracker.start()
    collector.stop()
    for env, status in (
        ({"HEALTHGUARD_SECRET": new, "HEALTHGUARD_PREVIOUS_SECRETS": old}, 200),
        ({"HEALTHGUARD_SECRET": new}, 401),
    ):
        collector._env = env
        collector.restart()
        tracker.http = connect(collector.rest).http
        assert tracker.post("append", tracker.crash(now_ms())).status_code == status
        collector.stop()


def test_the_secret_is_made_on_first_start_and_kept(
    start_collector: Callable[..., Collector], connect: Callable[[str], Rest]
) -> None:
    collector = start_collector("sqlite")
    tracker = owner_on(connect(collector.rest)).tracker()
    tracker.start()
    file = collector.data_dir / "secret.key"
    assert file.stat().st_mode & 0o777 == 0o600
    collector.stop()
    collector.restart()
    tracker.http = connect(collector.rest).http
    assert tracker.post("append", tracker.crash(now_ms())).status_code == 200


def _expired(collector: Collector, token: str, ago_ms: int = 1) -> str:
    """The same claims, signed by the same secret, over since so long."""
    signer = TokenSigner([(collector.data_dir / "secret.key").read_bytes()], late_age_ms=0)
    claims = signer.verify(token, now_ms()).claims
    assert claims is not None
    return signer.issue(replace(claims, expire_ms=now_ms() - ago_ms))


def _time_of(crash: bytes) -> int:
    return decode_batch(crash).messages[0].timestamp_ms


def _fields_of(crash: bytes) -> dict[str, object]:
    return dict(decode_batch(crash).messages[0].fields)
