"""`healthguard demo`: plays a new user of the running collector over REST, from the first call to the issue list."""

import random
from collections.abc import Callable, Iterator, Sequence

from server.clock import now_ms
from server.demo_client import Client, Json
from server.demo_events import Event, sample
from server.demo_recordings import crashing, freezing, passing, send
from server.demo_shops import DAY_MS, HOUR_MS, SHOPS, Shop, days_of
from server.ids import new_id

BATCH = 10
FULL_BATCH = 50
PASSING_SESSIONS = 9

# The same faults, spikes and screens every time; only ids differ.
SEED = 14


def play(call: Client, say: Callable[[str], None]) -> None:
    """Register, create an app, send events, read the overview, and say where to look. Raises StartupFault."""
    email, password = _register(call)
    app = call("POST", "/api/apps", {"name": "Demo shop", "type": "web"})["app"]
    _send(call, app["appKey"], sample(app["appKey"], now_ms(), random.Random()), BATCH)  # noqa: S311 -- sample data
    totals = call("GET", f"/api/overview?appKey={app['appKey']}")["totals"]
    issues = call("GET", f"/api/issues?appKey={app['appKey']}")["issues"]
    for line in _report(call, email, password, app, totals, issues):
        say(line)


def fill(call: Client, days: int, say: Callable[[str], None]) -> None:
    """Register and fill three apps with so many days of believable traffic. Raises StartupFault."""
    email, password = _register(call)
    now = now_ms()
    for shop in SHOPS:
        app = call("POST", "/api/apps", {"name": shop.name, "type": shop.type})["app"]
        sent = _fill_app(call, shop, app["appKey"], days, now)
        say(f"{shop.name}: {sent} events of {days} days")
        if shop.type == "ios":
            say(f"{shop.name}: {_record(call, app['appKey'], now)} recorded sessions")
    say("")
    say(f"Open {call.base}/ and sign in as {email} with password {password}")


def _register(call: Client) -> tuple[str, str]:
    email, password = f"{new_id('demo')}@example.com", new_id("password")
    call.token = call("POST", "/api/auth/register", {"email": email, "password": password})["token"]
    return email, password


def _fill_app(call: Client, shop: Shop, app_key: str, days: int, now: int) -> int:
    """Sends the shop's days; issues are marked as fixed once the release is out that carries the fix."""
    events = list(days_of(shop, app_key, days, now, random.Random(SEED)))  # noqa: S311 -- sample data
    released = {name: now - since * DAY_MS for since, name in shop.releases}
    turn = int(max((released[release] for _, release in shop.fixed), default=0))
    _send(call, app_key, [event for event in events if event["timestamp"] < turn], FULL_BATCH)
    for issue in call("GET", f"/api/issues?appKey={app_key}")["issues"]:
        for beginning, release in shop.fixed:
            if issue["message"].startswith(beginning):
                call("PATCH", f"/api/issues/{issue['id']}/fixed", {"fixedInRelease": release})
    _send(call, app_key, [event for event in events if event["timestamp"] >= turn], FULL_BATCH)
    return len(events)


def _record(call: Client, app_key: str, now: int) -> int:
    chance = random.Random(SEED)  # noqa: S311 -- sample data
    for number in range(PASSING_SESSIONS):
        send(call, app_key, now - number * 7 * HOUR_MS - 2 * HOUR_MS, passing(chance))
    send(call, app_key, now - 3 * HOUR_MS, freezing(chance))
    send(call, app_key, now - HOUR_MS, crashing(chance))
    return PASSING_SESSIONS + 2


def _send(call: Client, app_key: str, events: Sequence[Event], size: int) -> None:
    for batch in _batches(events, size):
        call("POST", "/api/events/batch", {"appKey": app_key, "events": batch})


def _batches(events: Sequence[Event], size: int) -> Iterator[Sequence[Event]]:
    for start in range(0, len(events), size):
        yield events[start : start + size]


def _report(
    call: Client,
    email: str,
    password: str,
    app: Json,
    totals: Json,
    issues: Json,
) -> list[str]:
    base, bearer = call.base, f"-H 'authorization: Bearer {call.token}'"
    key = app["appKey"]
    return [
        f"Signed up {email} with password {password}",
        f"App {app['name']!r} has the key {key}",
        "",
        "Overview  " + "  ".join(f"{name} {count}" for name, count in totals.items()),
        "Issues",
        *(f"  {issue['eventCount']:>3} x {issue['errorType']:<9} {issue['message']}" for issue in issues),
        "",
        "Look yourself:",
        f"  {base}/ in a browser, with that address and password",
        f"  curl {bearer} '{base}/api/overview?appKey={key}'",
        f"  curl {bearer} '{base}/api/issues?appKey={key}'",
        *(f"  curl {bearer} '{base}/api/issues/{issue['id']}'" for issue in issues[:1]),
        f"  {base}/docs describes every call",
    ]
