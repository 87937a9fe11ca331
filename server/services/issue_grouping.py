"""The part of IssueService about grouping: why events are one issue, what another version would do, and repairs by hand."""

import asyncio
from collections.abc import Sequence

from healthguard.v1 import event_pb2 as event_pb, issue_service_pb2 as issue_service_pb
from sqlmodel import Session

from server import context as caller
from server.errors import IssueNotFound, MergeAcrossApps, TooManyMergedIssues, UnknownGroupingVersion
from server.ingest.grouping import VERSIONS, Explanation, explain
from server.ingest.grouping.preview import Preview
from server.services.convert import issue_to_proto
from server.services.issue_change import IssueChangeService, editable_apps, id_parts, visible_issue
from server.store import merges
from server.store.engine import Engine
from server.store.grouping import GroupedIssue, latest_messages, newest_issues
from server.store.issues import Issue, find
from server.store.lifecycle import Change
from server.store.scope import accessible, id_of

MAX_MASKED = 100
PREVIEWED_ISSUES = 2_000
PREVIEWED_EVENTS = 10
"""Of each issue. With so many issues about a second of one core."""

ISSUES_PER_TURN = 20
"""Issues read and fingerprinted before other requests get a turn of the loop: about 10 ms."""

_Turn = list[tuple[GroupedIssue, list[bytes]]]


class IssueGroupingService(IssueChangeService):
    """Explains, previews and repairs grouping."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._previewing = asyncio.Lock()

    async def ExplainGrouping(  # noqa: N802 -- the contract's name
        self, request: issue_service_pb.ExplainGroupingRequest, _context: object
    ) -> issue_service_pb.ExplainGroupingResponse:
        issue, messages = await self._engine.read(_latest, caller.current_user().id, request.id)
        response = issue_service_pb.ExplainGroupingResponse(
            version=issue.grouping_version, fingerprint=issue.fingerprint, known_versions=VERSIONS
        )
        for event in map(event_pb.Event.FromString, messages):
            response.event_id = event.event_id
            if issue.grouping_version in VERSIONS or event.fingerprint:
                response.inputs.extend(_inputs(explain(event, issue.grouping_version)))
        return response

    async def PreviewGrouping(  # noqa: N802
        self, request: issue_service_pb.PreviewGroupingRequest, _context: object
    ) -> issue_service_pb.PreviewGroupingResponse:
        version = request.version or next(reversed(VERSIONS))
        if version not in VERSIONS:
            raise UnknownGroupingVersion
        app_id = await self._engine.read(_app_id, caller.current_user().id, request.id)
        async with self._previewing:  # one at a time: it is the one read that costs a second
            preview, complete = await self._preview(app_id, version)
        return issue_service_pb.PreviewGroupingResponse(
            version=version,
            issues=preview.issues,
            events=preview.events,
            joined=preview.joined,
            split=preview.split,
            complete=complete,
        )

    async def MergeIssues(  # noqa: N802
        self, request: issue_service_pb.MergeIssuesRequest, _context: object
    ) -> issue_service_pb.MergeIssuesResponse:
        if len(request.merged_ids) > merges.MAX_MERGED:
            raise TooManyMergedIssues
        issue = await self._engine.write(_merge, self._by(), request.id, request.merged_ids)
        return issue_service_pb.MergeIssuesResponse(issue=issue_to_proto(issue))

    async def UnmergeIssue(  # noqa: N802
        self, request: issue_service_pb.UnmergeIssueRequest, _context: object
    ) -> issue_service_pb.UnmergeIssueResponse:
        issue = await self._engine.write(_unmerge, self._by(), request.id)
        return issue_service_pb.UnmergeIssueResponse(issue=issue_to_proto(issue))

    async def _preview(self, app_id: int, version: str) -> tuple[Preview, bool]:
        """What the version makes of the newest issues, and whether there are no more."""
        preview = Preview(version)
        before_id = None
        for _ in range(PREVIEWED_ISSUES // ISSUES_PER_TURN):
            turn = await self._engine.read(_turn, app_id, before_id)
            for issue, messages in turn:
                preview.add(issue.head_id, map(event_pb.Event.FromString, messages))
            if len(turn) < ISSUES_PER_TURN:
                return preview, True
            before_id = turn[-1][0].id
        return preview, not await self._engine.read(newest_issues, app_id, list(VERSIONS), before_id, 1)


def _latest(session: Session, user_id: int, issue_id: str) -> tuple[Issue, list[bytes]]:
    """The issue and the latest event of its own fingerprint, if one is kept. Raises IssueNotFound."""
    issue = visible_issue(session, user_id, issue_id)
    if issue is None:
        raise IssueNotFound
    return issue, latest_messages(session, issue.app_id, [issue.id], 1).get(issue.id, [])


def _inputs(explanation: Explanation | None) -> list[issue_service_pb.GroupingInput]:
    return [
        issue_service_pb.GroupingInput(
            name=given.name,
            raw=given.raw,
            normalised=given.normalised,
            masked=[issue_service_pb.MaskedPart(text=part.text, mask=part.mask) for part in masked[:MAX_MASKED]],
        )
        for given, masked in (explanation.inputs if explanation else ())
    ]


def _app_id(session: Session, user_id: int, public_id: str) -> int:
    app, _ = accessible(session, user_id, public_id)
    return id_of(app)


def _turn(session: Session, app_id: int, before_id: int | None) -> _Turn:
    found = newest_issues(session, app_id, list(VERSIONS), before_id, ISSUES_PER_TURN)
    messages = latest_messages(session, app_id, [issue.id for issue in found], PREVIEWED_EVENTS)
    return [(issue, messages.get(issue.id, [])) for issue in found]


def _merge(session: Session, by: Change, issue_id: str, merged_ids: Sequence[str]) -> Issue:
    app_id, app_key, fingerprint = _editable(session, by, issue_id)
    others = [_editable(session, by, other) for other in dict.fromkeys(merged_ids)]
    if any(other_app != app_id for other_app, _, _ in others):
        raise MergeAcrossApps
    target = merges.merge(session, app_id, fingerprint, {name for _, _, name in others}, by)
    return _found(session, app_id, app_key, target)


def _unmerge(session: Session, by: Change, issue_id: str) -> Issue:
    app_id, app_key, fingerprint = _editable(session, by, issue_id)
    merges.unmerge(session, app_id, fingerprint, by)
    return _found(session, app_id, app_key, fingerprint)


def _editable(session: Session, by: Change, issue_id: str) -> tuple[int, str, str]:
    """App id, app key and fingerprint of an issue that the caller may change. Raises IssueNotFound, RoleTooLow."""
    app_key, fingerprint = id_parts(issue_id)
    for app_id, current_key in editable_apps(session, by, app_key).items():
        return app_id, current_key, fingerprint
    raise IssueNotFound


def _found(session: Session, app_id: int, app_key: str, fingerprint: str) -> Issue:
    issue = find(session, {app_id: app_key}, fingerprint)
    if issue is None:
        raise IssueNotFound
    return issue
