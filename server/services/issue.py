"""IssueService: totals and issues of the caller's apps."""

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from healthguard.v1 import issue_pb2 as issue_pb
from healthguard.v1 import issue_service_pb2 as issue_service_pb
from healthguard.v1 import issue_service_pb2_grpc as issue_service_grpc
from sqlmodel import Session

from server import context as caller
from server.errors import InvalidPageSize, IssueNotFound
from server.paging import PageTokens
from server.services.convert import event_from_payload, issue_to_proto, time_range, totals_to_proto
from server.store import issues as store_issues
from server.store.engine import Engine
from server.store.issues import Issue, IssueFilter, TimeRange, Totals
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

Filtered = issue_service_pb.GetOverviewRequest | issue_service_pb.ListIssuesRequest | issue_service_pb.GetIssueRequest


class IssueService(issue_service_grpc.IssueServiceServicer):
    """Answers dashboards."""

    def __init__(self, engine: Engine, page_tokens: PageTokens) -> None:
        self._engine = engine
        self._page_tokens = page_tokens

    async def GetOverview(  # noqa: N802
        self, request: issue_service_pb.GetOverviewRequest, context: grpc.aio.ServicerContext
    ) -> issue_service_pb.GetOverviewResponse:
        seen = _time_range(request)
        totals = await self._engine.read(_totals, caller.current_user().id, request, seen)
        return issue_service_pb.GetOverviewResponse(totals=totals_to_proto(totals))

    async def ListIssues(  # noqa: N802
        self, request: issue_service_pb.ListIssuesRequest, context: grpc.aio.ServicerContext
    ) -> issue_service_pb.ListIssuesResponse:
        seen, size = _time_range(request), _page_size(request.page_size)
        scope = _list_scope(request)
        after = self._page_tokens.open(request.page_token, scope) if request.page_token else None
        issues = await self._engine.read(_page, caller.current_user().id, request, seen, after, size + 1)
        response = issue_service_pb.ListIssuesResponse(issues=[issue_to_proto(issue) for issue in issues[:size]])
        if len(issues) > size:
            response.next_page_token = self._page_tokens.sign([issues[size - 1].last_seen_ms, issues[size - 1].id], scope)
        return response

    async def GetIssue(  # noqa: N802
        self, request: issue_service_pb.GetIssueRequest, context: grpc.aio.ServicerContext
    ) -> issue_service_pb.GetIssueResponse:
        found = await self._engine.read(_detail, caller.current_user().id, request, _time_range(request))
        if found is None:
            raise IssueNotFound
        issue, payloads = found
        return issue_service_pb.GetIssueResponse(
            issue=issue_to_proto(issue), events=[event_from_payload(payload) for payload in payloads]
        )


def _time_range(request: Filtered) -> TimeRange:
    def bound(name: str) -> Timestamp | None:
        return getattr(request, name) if request.HasField(name) else None  # type: ignore[arg-type]

    return time_range(bound("start_time"), bound("end_time"))


def _page_size(asked: int) -> int:
    if not 0 <= asked <= MAX_PAGE_SIZE:
        raise InvalidPageSize
    return asked or DEFAULT_PAGE_SIZE


def _list_scope(request: issue_service_pb.ListIssuesRequest) -> str:
    """What a page token is bound to: the caller and the filter, so that it opens no other list."""
    bound = issue_service_pb.ListIssuesRequest()
    bound.CopyFrom(request)
    bound.ClearField("page_token")
    bound.ClearField("page_size")
    return f"issues:{caller.current_user().id}:{bound.SerializeToString(deterministic=True).hex()}"


def _filter(
    session: Session,
    user_id: int,
    request: issue_service_pb.GetOverviewRequest | issue_service_pb.ListIssuesRequest,
    seen: TimeRange,
) -> IssueFilter:
    apps = owned_apps(session, user_id, request.app_key)
    return IssueFilter(apps, request.platform, _ARCHIVED[request.status], seen)


def _totals(
    session: Session, user_id: int, request: issue_service_pb.GetOverviewRequest, seen: TimeRange
) -> Totals:
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


def _detail(
    session: Session, user_id: int, request: issue_service_pb.GetIssueRequest, when: TimeRange
) -> tuple[Issue, list[bytes]] | None:
    app_key, _, fingerprint = request.id.partition(":")
    issue = store_issues.find(session, owned_apps(session, user_id, app_key), fingerprint) if app_key else None
    if issue is None:
        return None
    return issue, store_issues.latest_events(session, issue, when, request.platform, MAX_DETAIL_EVENTS)
