"""`healthguard demo`: plays a new user of the running collector over REST, from the first call to the issue list."""

import http.client
import json
import random
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, TypeAlias

from server import program
from server.address import Address
from server.clock import now_ms
from server.demo_events import sample
from server.errors import StartupFault
from server.ids import new_id

Json: TypeAlias = Any
"""What json.load gives."""

BATCH = 10
TIMEOUT_S = 30


def play(address: Address, say: Callable[[str], None]) -> None:
    """Register, create an app, send events, read the overview, and say where to look. Raises StartupFault."""
    call = _Client(address)
    email, password = f"{new_id('demo')}@example.com", new_id("password")
    call.token = call("POST", "/api/auth/register", {"email": email, "password": password})["token"]
    app = call("POST", "/api/apps", {"name": "Demo shop", "type": "web"})["app"]
    events = sample(app["appKey"], now_ms(), random.Random())  # noqa: S311 -- sample data
    for start in range(0, len(events), BATCH):
        call("POST", "/api/events/batch", {"appKey": app["appKey"], "events": events[start : start + BATCH]})
    totals = call("GET", f"/api/overview?appKey={app['appKey']}")["totals"]
    issues = call("GET", f"/api/issues?appKey={app['appKey']}")["issues"]
    for line in _report(address, call.token, email, password, app, totals, issues):
        say(line)


class _Client:
    """Calls the collector as any HTTP client would."""

    def __init__(self, address: Address) -> None:
        self._base = f"http://{address}"
        self._direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.token = ""

    def __call__(self, method: str, path: str, body: object = None) -> Json:
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self._base + path, data, headers, method=method)  # noqa: S310 -- always http
        try:
            with self._direct.open(request, timeout=TIMEOUT_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise StartupFault(f"{method} {path} on {self._base} answered {error.code}: {_told(error)}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            start = f"{program.command()} serve"
            raise StartupFault(f"no collector's REST door answers on {self._base}; start one with: {start}") from error


def _told(error: urllib.error.HTTPError) -> str:
    """What a problem says; of any other answer only that it is none of ours."""
    try:
        return str(json.loads(error.read(2_000))["message"])
    except (ValueError, KeyError, TypeError):
        return "that is no HealthGuard Collector"


def _report(
    address: Address,
    token: str,
    email: str,
    password: str,
    app: Json,
    totals: Json,
    issues: Json,
) -> list[str]:
    base, bearer = f"http://{address}", f"-H 'authorization: Bearer {token}'"
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
        f"  curl {bearer} '{base}/api/overview?appKey={key}'",
        f"  curl {bearer} '{base}/api/issues?appKey={key}'",
        *(f"  curl {bearer} '{base}/api/issues/{issue['id']}'" for issue in issues[:1]),
        f"  {base}/docs describes every call",
    ]
