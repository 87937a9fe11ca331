"""IssueService: totals and issues of the caller's apps."""

from google.protobuf.timestamp_pb2 import Timestamp
from healthguard.v1 import issue_pb2 as issue_pb, issue_service_pb2 as issue_service_pb
from sqlmodel import Session

from server import context as caller
from server.errors import InvalidPageSize, IssueNotFound
from server.paging import PageTokens
from server.services.convert import (
    comment_to_proto,
    event_from_payload,
    issue_to_proto,
    time_range,
    totals_to_proto,
)
from server.services.issue_change import IssueChangeService
from server.store import issues as store_issues, lifecycle
from server.store.engine import Engine
from server.store.issues import Issue, IssueFilter, StoredEvent, TimeRange, Totals
from server.store.lifecycle import Comment
from server.store.scope import owned_apps

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 1_000
MAX_DETAIL_EVENTS = 50

_ARCHIVED: dict[int, tuple[bool, ...]] = {
    issue_pb.ISSUE_STATUS_FILTER_UNSPECIFIED: (False,),
    issue_pb.ISSUE_STATUS_FILTER_OPEN: (False,),
    issue_pb.ISSUE_STATUS_FILTER_ARCHIVED: (True,),
    issue_pb.ISSUE_STATUS_FILTER_ALL: (False, True),
}

Ranged = (
    issue_service_pb.GetOverviewRequest
    | issue_service_pb.ListIssuesRequest
    | issue_service_pb.GetIssueRequest
    | issue_service_pb.ListIssueEventsRequest
)
Paged = (
    issue_service_pb.ListIssuesRequest
    | issue_service_pb.ListIssueEventsRequest
    | issue_service_pb.ListIssueCommentsRequest
)


class IssueService(IssueChangeService):
    """Answers dashboards."""

    def __init__(self, engine: Engine, page_tokens: PageTokens) -> None:
        super().__init__(engine)
        self._page_tokens = page_tokens

    async def GetOverview(  # noqa: N802
        self, request: issue_service_pb.GetOverviewRequest, _context: object
    ) -> issue_service_pb.GetOverviewResponse:
        seen = _time_range(request)
        totals = await self._engine.read(_totals, caller.current_user().id, request, seen)
        return issue_service_pb.GetOverviewResponse(totals=totals_to_proto(totals))

    async def ListIssues(  # noqa: N802
        self, request: issue_service_pb.ListIssuesRequest, _context: object
    ) -> issue_service_pb.ListIssuesResponse:
        seen, size = _time_range(request), _page_size(request.page_size)
        scope, after = self._page_after(request)
        issues = await self._engine.read(_page, caller.current_user().id, request, seen, after, size + 1)
        response = issue_service_pb.ListIssuesResponse(issues=[issue_to_proto(issue) for issue in issues[:size]])
        if len(issues) > size:
            response.next_page_token = self._page_tokens.sign(
                [issues[size - 1].last_seen_ms, issues[size - 1].id], scope
            )
        return response

    async def ListIssueEvents(  # noqa: N802
        self, request: issue_service_pb.ListIssueEventsRequest, _context: object
    ) -> issue_service_pb.ListIssueEventsResponse:
        when, size = _time_range(request), _page_size(request.page_size)
        scope, after = self._page_after(request)
        events = await self._engine.read(_event_page, caller.current_user().id, request, when, after, size + 1)
        if events is None:
            raise IssueNotFound
        response = issue_service_pb.ListIssueEventsResponse(
            events=[event_from_payload(event.payload) for event in events[:size]]
        )
        if len(events) > size:
            response.next_page_token = self._page_tokens.sign([events[size - 1].time_ms, events[size - 1].id], scope)
        return response

    async def ListIssueComments(  # noqa: N802
        self, request: issue_service_pb.ListIssueCommentsRequest, _context: object
    ) -> issue_service_pb.ListIssueCommentsResponse:
        size = _page_size(request.page_size)
        scope, after = self._page_after(request)
        comments = await self._engine.read(_comment_page, caller.current_user().id, request.id, after, size + 1)
        if comments is None:
            raise IssueNotFound
        response = issue_service_pb.ListIssueCommentsResponse(comments=map(comment_to_proto, comments[:size]))
        if len(comments) > size:
            response.next_page_token = self._page_tokens.sign([comments[size - 1].id], scope)
        return response

    async def GetIssue(  # noqa: N802
        self, request: issue_service_pb.GetIssueRequest, _context: object
    ) -> issue_service_pb.GetIssueResponse:
        found = await self._engine.read(_detail, caller.current_user().id, request, _time_range(request))
        if found is None:
            raise IssueNotFound
        issue, events = found
        return issue_service_pb.GetIssueResponse(
            issue=issue_to_proto(issue), events=[event_from_payload(event.payload) for event in events]
        )

    def _page_after(self, request: Paged) -> tuple[str, list[int] | None]:
        """What a page token of this list is bound to (the caller and the filter), and the position it opens."""
        bound = type(request).FromString(request.SerializeToString())
        bound.ClearField("page_token")
        bound.ClearField("page_size")
        kind = type(request).DESCRIPTOR.name
        scope = f"{kind}:{caller.current_user().id}:{bound.SerializeToString(deterministic=True).hex()}"
        return scope, self._page_tokens.open(request.page_token, scope) if request.page_token else None


def _time_range(request: Ranged) -> TimeRange:
    def bound(name: str) -> Timestamp | None:
        return getattr(request, name) if request.HasField(name) else None

    return time_range(bound("start_time"), bound("end_time"))


def _page_size(asked: int) -> int:
    if not 0 <= asked <= MAX_PAGE_SIZE:
        raise InvalidPageSize
    return asked or DEFAULT_PAGE_SIZE


def _filter(
    session: Session,
    user_id: int,
    request: issue_service_pb.GetOverviewRequest | issue_service_pb.ListIssuesRequest,
    seen: TimeRange,
) -> IssueFilter:
    apps = owned_apps(session, user_id, request.app_key)
    return IssueFilter(apps, request.platform, _ARCHIVED[request.status], seen)


def _totals(session: Session, user_id: int, request: issue_service_pb.GetOverviewRequest, seen: TimeRange) -> Totals:
    return store_issues.totals(session, _filter(session, user_id, request, seen))


def _page(
    session: Session,
    user_id: int,
    request: issue_service_pb.ListIssuesRequest,
    seen: TimeRange,
    after: list[int] | None,
    limit: int,
) -> list[Issue]:
    position = None if after is None else (after[0], after[1])
    return store_issues.page(session, _filter(session, user_id, request, seen), position, limit)


def _find(session: Session, user_id: int, issue_id: str) -> Issue | None:
    app_key, _, fingerprint = issue_id.partition(":")
    return store_issues.find(session, owned_apps(session, user_id, app_key), fingerprint) if app_key else None


def _detail(
    session: Session, user_id: int, request: issue_service_pb.GetIssueRequest, when: TimeRange
) -> tuple[Issue, list[StoredEvent]] | None:
    issue = _find(session, user_id, request.id)
    if issue is None:
        return None
    return issue, store_issues.events_of(session, issue, when, request.platform, None, MAX_DETAIL_EVENTS)


def _event_page(
    session: Session,
    user_id: int,
    request: issue_service_pb.ListIssueEventsRequest,
    when: TimeRange,
    after: list[int] | None,
    limit: int,
) -> list[StoredEvent] | None:
    issue = _find(session, user_id, request.id)
    position = None if after is None else (after[0], after[1])
    return None if issue is None else store_issues.events_of(session, issue, when, request.platform, position, limit)


def _comment_page(
    session: Session, user_id: int, issue_id: str, after: list[int] | None, limit: int
) -> list[Comment] | None:
    issue = _find(session, user_id, issue_id)
    if issue is None:
        return None
    return lifecycle.comments(session, issue.app_id, issue.id, after[0] if after else None, limit)
