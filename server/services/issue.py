"""IssueService: totals and issues of the caller's apps."""

from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp
from healthguard.v1 import event_pb2 as event_pb, issue_pb2 as issue_pb, issue_service_pb2 as issue_service_pb
from sqlmodel import Session

from server import clock, context as caller
from server.errors import InvalidBucket, InvalidOrder, InvalidPageSize, InvalidStatus, IssueNotFound
from server.paging import PageTokens
from server.services.convert import (
    breakdowns_to_proto,
    bucket_to_proto,
    comment_to_proto,
    issue_to_proto,
    release_to_proto,
    time_range,
    totals_to_proto,
)
from server.services.issue_change import visible_issue
from server.services.issue_grouping import IssueGroupingService
from server.store import dimensions, issues as store_issues, lifecycle, releases, totals
from server.store.counters import HOUR_MS
from server.store.dimensions import Dimension
from server.store.engine import Engine
from server.store.issues import Issue, IssueFilter, StoredEvent
from server.store.lifecycle import Comment
from server.store.releases import Release
from server.store.scope import visible_apps
from server.store.totals import EVER, MAX_HOUR, Bucket, EventFilter, TimeRange, Totals

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 1_000
MAX_DETAIL_EVENTS = 50

_ARCHIVED: dict[int, tuple[bool, ...]] = {
    issue_pb.ISSUE_STATUS_FILTER_UNSPECIFIED: (False,),
    issue_pb.ISSUE_STATUS_FILTER_OPEN: (False,),
    issue_pb.ISSUE_STATUS_FILTER_ARCHIVED: (True,),
    issue_pb.ISSUE_STATUS_FILTER_ALL: (False, True),
}

_BUCKET_HOURS: dict[int, int] = {issue_pb.BUCKET_SIZE_HOUR: 1, issue_pb.BUCKET_SIZE_DAY: 24}
MAX_BUCKETS = 1_000

_ORDERS: dict[int, str] = {
    issue_service_pb.ISSUE_ORDER_UNSPECIFIED: "last_seen",
    issue_service_pb.ISSUE_ORDER_LAST_SEEN: "last_seen",
    issue_service_pb.ISSUE_ORDER_FIRST_SEEN: "first_seen",
    issue_service_pb.ISSUE_ORDER_EVENTS: "events",
    issue_service_pb.ISSUE_ORDER_USERS: "users",
}

Ranged = (
    issue_service_pb.GetOverviewRequest
    | issue_service_pb.ListIssuesRequest
    | issue_service_pb.CountIssuesRequest
    | issue_service_pb.ListReleasesRequest
    | issue_service_pb.GetIssueRequest
    | issue_service_pb.ListIssueEventsRequest
)
Paged = (
    issue_service_pb.ListIssuesRequest
    | issue_service_pb.ListIssueEventsRequest
    | issue_service_pb.ListIssueCommentsRequest
)


class IssueService(IssueGroupingService):
    """Answers dashboards."""

    def __init__(self, engine: Engine, page_tokens: PageTokens) -> None:
        super().__init__(engine)
        self._page_tokens = page_tokens

    async def GetOverview(  # noqa: N802
        self, request: issue_service_pb.GetOverviewRequest, _context: object
    ) -> issue_service_pb.GetOverviewResponse:
        which, span = _time_range(request), _span(request)
        found, buckets = await self._engine.read(_overview, caller.current_user().id, request, which, span)
        return issue_service_pb.GetOverviewResponse(
            totals=totals_to_proto(found), buckets=map(bucket_to_proto, buckets)
        )

    async def ListIssues(  # noqa: N802
        self, request: issue_service_pb.ListIssuesRequest, _context: object
    ) -> issue_service_pb.ListIssuesResponse:
        asked = _Asked(_time_range(request), _span(request), _order(request.order_by), _page_size(request.page_size))
        scope, after = self._page_after(request)
        page = await self._engine.read(_page, caller.current_user().id, request, asked, after)
        issues = [issue_to_proto(issue) for issue in page.issues]
        response = issue_service_pb.ListIssuesResponse(issues=issues)
        for issue, counts in zip(issues, page.trends, strict=False):
            response.trends.add(id=issue.id, event_counts=counts)
        if page.has_more:
            last = store_issues.position(page.issues[-1], asked.order)
            response.next_page_token = self._page_tokens.sign(last, scope)
        return response

    async def CountIssues(  # noqa: N802
        self, request: issue_service_pb.CountIssuesRequest, _context: object
    ) -> issue_service_pb.CountIssuesResponse:
        issues = await self._engine.read(_count, caller.current_user().id, request, _time_range(request))
        return issue_service_pb.CountIssuesResponse(issues=issues)

    async def ListReleases(  # noqa: N802
        self, request: issue_service_pb.ListReleasesRequest, _context: object
    ) -> issue_service_pb.ListReleasesResponse:
        found = await self._engine.read(_releases, caller.current_user().id, request.app_key, _time_range(request))
        return issue_service_pb.ListReleasesResponse(releases=map(release_to_proto, found))

    async def ListFilterValues(  # noqa: N802
        self, request: issue_service_pb.ListFilterValuesRequest, _context: object
    ) -> issue_service_pb.ListFilterValuesResponse:
        found = await self._engine.read(_filter_values, caller.current_user().id, request.app_key)
        return issue_service_pb.ListFilterValuesResponse(
            platforms=found["platform"],
            environments=found["environment"],
            releases=found["release"],
            types=found["type"],
        )

    async def ListIssueEvents(  # noqa: N802
        self, request: issue_service_pb.ListIssueEventsRequest, _context: object
    ) -> issue_service_pb.ListIssueEventsResponse:
        when, size = _time_range(request), _page_size(request.page_size)
        scope, after = self._page_after(request)
        events = await self._engine.read(_event_page, caller.current_user().id, request, when, after, size + 1)
        if events is None:
            raise IssueNotFound
        response = issue_service_pb.ListIssueEventsResponse(
            events=[event_pb.Event.FromString(event.message) for event in events[:size]]
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
        when, span = _time_range(request), _span(request)
        found = await self._engine.read(_detail, caller.current_user().id, request, when, span)
        if found is None:
            raise IssueNotFound
        return issue_service_pb.GetIssueResponse(
            issue=issue_to_proto(found.issue),
            events=[event_pb.Event.FromString(event.message) for event in found.events],
            buckets=map(bucket_to_proto, found.buckets),
            breakdowns=breakdowns_to_proto(found.breakdowns),
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


@dataclass(frozen=True, slots=True)
class _Span:
    """Buckets of `hours_each` hours, by number since the epoch."""

    hours_each: int
    first: int
    last: int


def _span(
    request: issue_service_pb.GetOverviewRequest
    | issue_service_pb.ListIssuesRequest
    | issue_service_pb.GetIssueRequest,
) -> _Span | None:
    """The buckets asked for. Raises InvalidBucket."""
    if request.bucket == issue_pb.BUCKET_SIZE_UNSPECIFIED:
        return None
    hours_each = _BUCKET_HOURS.get(request.bucket)
    if hours_each is None or not request.HasField("start_time"):
        raise InvalidBucket
    when = _time_range(request)
    start_ms, end_ms = when.start_ms or 0, clock.now_ms() if when.end_ms is None else when.end_ms
    first, last = start_ms // (hours_each * HOUR_MS), end_ms // (hours_each * HOUR_MS)
    if not 0 <= last - first < MAX_BUCKETS or first < 0:
        raise InvalidBucket
    return _Span(hours_each, first, last)


def _order(asked: int) -> str:
    if asked not in _ORDERS:
        raise InvalidOrder
    return _ORDERS[asked]


def _page_size(asked: int) -> int:
    if not 0 <= asked <= MAX_PAGE_SIZE:
        raise InvalidPageSize
    return asked or DEFAULT_PAGE_SIZE


def _filter(
    session: Session,
    user_id: int,
    request: issue_service_pb.GetOverviewRequest
    | issue_service_pb.ListIssuesRequest
    | issue_service_pb.CountIssuesRequest,
    seen: TimeRange,
) -> IssueFilter:
    if request.status not in _ARCHIVED:
        raise InvalidStatus
    apps = visible_apps(session, user_id, request.app_key)
    only = Dimension(request.platform, request.environment, request.release, request.type)
    return IssueFilter(apps, only, _ARCHIVED[request.status], seen, request.q)


def _overview(
    session: Session,
    user_id: int,
    request: issue_service_pb.GetOverviewRequest,
    when: TimeRange,
    span: _Span | None,
) -> tuple[Totals, list[Bucket]]:
    issues = _filter(session, user_id, request, when)
    events = EventFilter(issues.app_ids, issues.only, when)
    found = totals.event_totals(session, events)
    found.issues = store_issues.count(session, issues)
    buckets = totals.buckets(session, events, span.hours_each, span.first, span.last) if span else []
    return found, buckets


def _count(session: Session, user_id: int, request: issue_service_pb.CountIssuesRequest, when: TimeRange) -> int:
    return store_issues.count(session, _filter(session, user_id, request, EVER), when)


def _releases(session: Session, user_id: int, app_key: str, when: TimeRange) -> list[Release]:
    first = max(0, when.start_ms or 0) // HOUR_MS
    last = MAX_HOUR if when.end_ms is None else when.end_ms // HOUR_MS
    return releases.read(session, visible_apps(session, user_id, app_key), first, min(last, MAX_HOUR))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a list of issues is asked for besides its filter."""

    seen: TimeRange
    span: _Span | None
    order: str
    size: int


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of issues with their trends, which are none unless asked for."""

    issues: list[Issue]
    trends: list[list[int]]
    has_more: bool


def _page(
    session: Session,
    user_id: int,
    request: issue_service_pb.ListIssuesRequest,
    asked: _Asked,
    after: list[int] | None,
) -> _Page:
    position = None if after is None else (after[0], after[1])
    which = _filter(session, user_id, request, asked.seen)
    found = store_issues.page(session, which, position, asked.size + 1, asked.order)
    shown, span = found[: asked.size], asked.span
    trends = store_issues.trends(session, shown, span.hours_each, span.first, span.last) if span else []
    return _Page(shown, trends, len(found) > asked.size)


def _filter_values(session: Session, user_id: int, app_key: str) -> dict[str, list[str]]:
    apps = visible_apps(session, user_id, app_key)
    return {name: dimensions.values(session, apps, name) for name in ("platform", "environment", "release", "type")}


@dataclass(frozen=True, slots=True)
class _Detail:
    issue: Issue
    events: list[StoredEvent]
    buckets: list[Bucket]
    breakdowns: dict[str, list[tuple[str, int]]]


def _detail(
    session: Session, user_id: int, request: issue_service_pb.GetIssueRequest, when: TimeRange, span: _Span | None
) -> _Detail | None:
    if request.status not in _ARCHIVED:
        raise InvalidStatus
    issue = visible_issue(session, user_id, request.id)
    if issue is None:
        return None
    return _Detail(
        issue,
        store_issues.events_of(session, issue, when, request.platform, None, MAX_DETAIL_EVENTS),
        store_issues.issue_buckets(session, issue, span.hours_each, span.first, span.last) if span else [],
        store_issues.breakdowns(session, issue),
    )


def _event_page(
    session: Session,
    user_id: int,
    request: issue_service_pb.ListIssueEventsRequest,
    when: TimeRange,
    after: list[int] | None,
    limit: int,
) -> list[StoredEvent] | None:
    issue = visible_issue(session, user_id, request.id)
    position = None if after is None else (after[0], after[1])
    return None if issue is None else store_issues.events_of(session, issue, when, request.platform, position, limit)


def _comment_page(
    session: Session, user_id: int, issue_id: str, after: list[int] | None, limit: int
) -> list[Comment] | None:
    issue = visible_issue(session, user_id, issue_id)
    if issue is None:
        return None
    return lifecycle.comments(session, issue.app_id, issue.id, after[0] if after else None, limit)
