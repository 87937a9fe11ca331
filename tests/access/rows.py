"""The matrix: for each RPC who gets in, and a request that would do something if it were let in."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from uuid import uuid4

from tests.access.world import FIXED, VERIFIED, Site
from tests.client import PASSWORD, Json
from tests.sample import error_event, now_ms


class Access(StrEnum):
    """The least that lets a caller in."""

    ANYONE = "anyone"
    """Whatever the bearer token; what the request itself names decides."""
    ACCOUNT = "account"
    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"
    TRACKER = "tracker"


class Spent(StrEnum):
    """What can be used up by a call that is let in."""

    NOTHING = "nothing"
    APP = "app"
    ACCOUNT = "account"


ROLES = {Access.VIEWER, Access.EDITOR, Access.OWNER}

APP, ISSUE, SESSION = "APP_NOT_FOUND", "ISSUE_NOT_FOUND", "SESSION_NOT_FOUND"


@dataclass(frozen=True)
class Row:
    """One RPC. `hidden` is the reason a stranger gets; empty where lists are empty for them instead.

    A call that is let in and `spends` something gets one of its own, with `prepare` done to it.
    """

    access: Access
    request: Callable[[Site], Json]
    hidden: str = ""
    missing: str = ""
    """The reason for everybody who gets in, where the request names something that is not there."""
    scope: str = ""
    """What a service needs; empty where none gets in, or where nobody needs to show anything."""
    spends: Spent = Spent.NOTHING
    prepare: Callable[[Site], None] = lambda _site: None


def nothing(_site: Site) -> Json:
    return {}


def of_app(site: Site) -> Json:
    return {"id": site.app["id"]}


def of_members(site: Site) -> Json:
    return {"appId": site.app["id"]}


def of_key(site: Site) -> Json:
    return {"appKey": site.app["appKey"]}


def of_issue(site: Site) -> Json:
    return {"id": site.issue_ids[0]}


def of_session(site: Site) -> Json:
    return {"id": site.tracker.session_id}


def of_batch(site: Site) -> Json:
    return {"batch": site.tracker.crash(now_ms())}


def fixed(site: Site) -> None:
    site.change_issue("fixed", fixedInRelease=FIXED)


def verified(site: Site) -> None:
    fixed(site)
    site.change_issue("verified", verifiedInRelease=VERIFIED)


def merged(site: Site) -> None:
    body = {"mergedIds": [site.issue_ids[0]]}
    owner = site.people.owner
    answer = site.people.rest.http.post(f"/api/issues/{site.issue_ids[1]}/merge", json=body, headers=owner.headers)
    assert answer.is_success, answer.text


ROWS: dict[str, Row] = {
    "AuthService.Register": Row(
        Access.ANYONE, lambda _: {"email": f"{uuid4().hex}@example.test", "password": PASSWORD}
    ),
    "AuthService.Login": Row(Access.ANYONE, lambda site: {"email": site.people.viewer.email, "password": PASSWORD}),
    "AuthService.Logout": Row(Access.ACCOUNT, nothing, spends=Spent.ACCOUNT),
    "AuthService.ListLoginSessions": Row(Access.ACCOUNT, nothing),
    "AuthService.RevokeLoginSession": Row(
        Access.ACCOUNT, lambda site: {"id": "login_of-nobody"}, missing="LOGIN_SESSION_NOT_FOUND"
    ),
    "AuthService.RevokeOtherLoginSessions": Row(Access.ACCOUNT, nothing, spends=Spent.ACCOUNT),
    "AuthService.ChangePassword": Row(
        Access.ACCOUNT, lambda site: {"currentPassword": PASSWORD, "newPassword": PASSWORD + "!"}, spends=Spent.ACCOUNT
    ),
    "AuthService.GetMe": Row(Access.ACCOUNT, nothing, scope="read"),
    "AppService.ListApps": Row(Access.ACCOUNT, nothing, scope="read"),
    "AppService.CreateApp": Row(Access.ACCOUNT, lambda _: {"name": "Another"}, scope="admin"),
    "AppService.BatchGetAppOverviews": Row(
        Access.ACCOUNT, lambda site: {"appKeys": [site.app["appKey"]]}, scope="read"
    ),
    "AppService.GetApp": Row(Access.VIEWER, of_app, APP, scope="read"),
    "AppService.UpdateApp": Row(Access.EDITOR, lambda site: of_app(site) | {"name": "Renamed"}, APP, scope="admin"),
    "AppService.DeleteApp": Row(Access.OWNER, of_app, APP, scope="admin", spends=Spent.APP),
    "AppService.RotateAppKey": Row(Access.OWNER, of_app, APP, scope="admin", spends=Spent.APP),
    "AppService.ListMembers": Row(Access.VIEWER, of_members, APP, scope="read"),
    "AppService.AddMember": Row(
        Access.OWNER,
        lambda site: of_members(site) | {"email": site.people.viewer.email, "role": "viewer"},
        APP,
        scope="admin",
    ),
    "AppService.RemoveMember": Row(
        Access.OWNER,
        lambda site: of_members(site) | {"userId": site.noted.get("member", "user_x")},
        APP,
        scope="admin",
        spends=Spent.APP,
        prepare=lambda site: site.noted.update(member=site.people.editor.id),
    ),
    "EventService.IngestEvents": Row(Access.ANYONE, lambda site: of_key(site) | {"events": [error_event()]}),
    "IssueService.GetOverview": Row(Access.ACCOUNT, of_key, scope="read"),
    "IssueService.ListIssues": Row(Access.ACCOUNT, of_key, scope="read"),
    "IssueService.CountIssues": Row(Access.ACCOUNT, of_key, scope="read"),
    "IssueService.ListReleases": Row(Access.ACCOUNT, of_key, scope="read"),
    "IssueService.ListFilterValues": Row(Access.ACCOUNT, of_key, scope="read"),
    "IssueService.GetIssue": Row(Access.VIEWER, of_issue, ISSUE, scope="read"),
    "IssueService.ListIssueEvents": Row(Access.VIEWER, of_issue, ISSUE, scope="read"),
    "IssueService.ListIssueComments": Row(Access.VIEWER, of_issue, ISSUE, scope="read"),
    "IssueService.ExplainGrouping": Row(Access.VIEWER, of_issue, ISSUE, scope="read"),
    "IssueService.PreviewGrouping": Row(Access.VIEWER, of_app, APP, scope="read"),
    "IssueService.ArchiveIssue": Row(Access.EDITOR, of_issue, ISSUE, scope="write", spends=Spent.APP, prepare=verified),
    "IssueService.ReopenIssue": Row(Access.EDITOR, of_issue, ISSUE, scope="write"),
    "IssueService.MarkIssueFixed": Row(
        Access.EDITOR, lambda site: of_issue(site) | {"fixedInRelease": FIXED}, ISSUE, scope="write"
    ),
    "IssueService.MarkIssueVerified": Row(
        Access.EDITOR,
        lambda site: of_issue(site) | {"verifiedInRelease": VERIFIED},
        ISSUE,
        scope="write",
        spends=Spent.APP,
        prepare=fixed,
    ),
    "IssueService.UpdateIssue": Row(
        Access.EDITOR, lambda site: of_issue(site) | {"assignee": site.people.viewer.id}, ISSUE, scope="write"
    ),
    "IssueService.AddIssueComment": Row(
        Access.EDITOR, lambda site: of_issue(site) | {"text": "Looking at it."}, ISSUE, scope="write"
    ),
    "IssueService.MergeIssues": Row(
        Access.EDITOR,
        lambda site: of_issue(site) | {"mergedIds": [site.issue_ids[1]]},
        ISSUE,
        scope="write",
        spends=Spent.APP,
    ),
    "IssueService.UnmergeIssue": Row(Access.EDITOR, of_issue, ISSUE, scope="write", spends=Spent.APP, prepare=merged),
    "PerformanceService.GetPerformance": Row(Access.ACCOUNT, of_key, scope="read"),
    "PerformanceService.GetRequestPerformance": Row(Access.ACCOUNT, of_key, scope="read"),
    "LedgerService.GetLedger": Row(Access.ACCOUNT, of_key, scope="read"),
    "MobileSessionService.StartSession": Row(
        Access.ANYONE, lambda site: {"projectKey": site.app["appKey"], "platform": "ios"}
    ),
    "MobileSessionService.GetConditions": Row(Access.ANYONE, lambda site: {"project": str(site.app["projectId"])}),
    "MobileSessionService.AppendMessages": Row(Access.TRACKER, of_batch),
    "MobileSessionService.AppendLateMessages": Row(Access.TRACKER, of_batch),
    "MobileSessionService.UploadImages": Row(Access.TRACKER, lambda site: {"project": site.app["appKey"]}),
    "ReplayService.ListSessions": Row(Access.ACCOUNT, of_key, scope="read"),
    "ReplayService.GetSessionTotals": Row(Access.ACCOUNT, of_key, scope="read"),
    "ReplayService.GetSession": Row(Access.VIEWER, of_session, SESSION, scope="read"),
    "ReplayService.ListSessionMessages": Row(Access.VIEWER, of_session, SESSION, scope="read"),
    "ReplayService.ListSessionImages": Row(Access.VIEWER, of_session, SESSION, scope="read"),
    "ReplayService.GetSessionImage": Row(
        Access.VIEWER, lambda site: of_session(site) | {"name": site.image}, SESSION, scope="read"
    ),
    "ReplayService.GetSessionScreenshot": Row(Access.VIEWER, of_session, SESSION, scope="read"),
    "ReplayService.ListSessionBatches": Row(Access.VIEWER, of_session, SESSION, scope="read"),
    "ReplayService.GetSessionBatch": Row(
        Access.VIEWER, lambda site: of_session(site) | {"name": site.batch}, SESSION, scope="read"
    ),
}
"""By service and name of the RPC."""

OPEN_ROUTES = {"health", "apiHealth", "ready", "metrics"}
"""Operations without an RPC that anybody may read; they hold nothing of any app."""
