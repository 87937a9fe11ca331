"""Who may be at the door and what they find behind it: accounts of every role, an app with something of everything in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import uuid4

from server import contract
from tests.client import Account, Json, Rest
from tests.mobile.conftest import Owner
from tests.mobile.tracker import JPEG, Tracker, tar_of
from tests.sample import error_event, now_ms
from tests.store_access import expire_token, insert_service_tokens

FIXED, VERIFIED = "2.0.0", "2.0.1"


class Who(StrEnum):
    """Everybody who may be at the door, by what they show there."""

    NOBODY = "nobody"
    EXPIRED = "expired"
    STRANGER = "other tenant"
    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"
    APP_KEY = "app key"
    TRACKER = "mobile token"
    SERVICE = "service with the scope"
    OTHER_SERVICE = "service with every other scope"
    RETIRED_SERVICE = "service whose time is over"


@dataclass(frozen=True)
class People:
    """One account for each role; `expired` and `retired` are tokens of the owner's whose time is over."""

    rest: Rest
    owner: Account
    editor: Account
    viewer: Account
    stranger: Account
    expired: str = "session_of-a-time-long-gone-by"
    retired: str = "service_of-a-time-long-gone-by"
    services: Mapping[str, str] = field(default_factory=lambda: {s: f"service_{uuid4().hex}" for s in contract.SCOPES})
    """A token for each scope, which acts for the owner."""
    others: Mapping[str, str] = field(default_factory=lambda: {s: f"service_{uuid4().hex}" for s in contract.SCOPES})
    """For each scope a token that has all others."""

    def account(self, who: Who) -> Account:
        """The account of somebody who has one."""
        return {
            Who.OWNER: self.owner,
            Who.EDITOR: self.editor,
            Who.VIEWER: self.viewer,
            Who.STRANGER: self.stranger,
        }[who]


def people_on(rest: Rest) -> People:
    """Four new users, and tokens that no server knows yet."""
    return People(rest, *(rest.register() for _ in range(4)))


def enter_tokens(database_url: str, people: People) -> None:
    """Makes the server know the services, which act for the owner, and the tokens whose time is over."""
    scopes = set(contract.SCOPES)
    good = {people.services[scope]: {scope} for scope in scopes}
    good |= {people.others[scope]: scopes - {scope} for scope in scopes}
    insert_service_tokens(database_url, people.owner.email, good)
    insert_service_tokens(database_url, people.owner.email, {people.retired: scopes}, expires_ms=2)
    expire_token(database_url, people.expired, people.owner.email)


@dataclass
class Site:
    """An app of the owner's, with members, two issues and a recorded session."""

    people: People
    app: Json
    issue_ids: list[str]
    tracker: Tracker
    image: str
    batch: str
    noted: dict[str, str] = field(default_factory=dict)
    """What a row prepared for its own call."""

    def change_issue(self, what: str, **body: str) -> None:
        """Do something to the first issue in the owner's name."""
        path = f"/api/issues/{self.issue_ids[0]}/{what}"
        answer = self.people.rest.http.patch(path, json=body, headers=self.people.owner.headers)
        assert answer.is_success, answer.text

    def bearer(self, who: Who, scope: str) -> str | None:
        """What this caller shows as a bearer token to an RPC of this scope; services know one where there is none."""
        people = self.people
        without_account = {
            Who.NOBODY: None,
            Who.EXPIRED: people.expired,
            Who.APP_KEY: str(self.app["appKey"]),
            Who.TRACKER: self.tracker.token,
            Who.SERVICE: people.services[scope or "read"],
            Who.OTHER_SERVICE: people.others[scope or "read"],
            Who.RETIRED_SERVICE: people.retired,
        }
        return without_account[who] if who in without_account else people.account(who).token


def build_site(people: People) -> Site:
    """A new app with something of everything in it."""
    rest, owner = people.rest, people.owner
    app = rest.create_app(owner, type="ios")
    for account, role in ((people.editor, "editor"), (people.viewer, "viewer")):
        body = {"email": account.email, "role": role}
        assert rest.http.post(f"/api/apps/{app['id']}/members", json=body, headers=owner.headers).is_success
    events = [error_event(fingerprint=name) for name in ("js:one", "js:two")]
    assert rest.ingest(app["appKey"], events).status_code == 202
    tracker = Owner(rest, owner, app).tracker()
    assert tracker.start().is_success
    assert tracker.post("append", tracker.crash(now_ms())).is_success
    assert tracker.upload([("a", tar_of(now_ms(), [(now_ms(), JPEG)]))]).is_success
    session = f"/api/sessions/{tracker.session_id}"
    image = rest.get(owner, f"{session}/images")["images"][0]["name"]
    batch = rest.get(owner, f"{session}/batches")["batches"][0]["name"]
    return Site(people, app, [f"{app['appKey']}:js:one", f"{app['appKey']}:js:two"], tracker, image, batch)
