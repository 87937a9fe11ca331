"""The part of IssueService that changes issues: where they stand, whose they are, and what people say about them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from healthguard.v1 import (
    issue_service_pb2 as issue_service_pb,
    issue_service_pb2_grpc as issue_service_grpc,
)
from sqlmodel import Session

from server import clock, context as caller
from server.errors import (
    CommentRequired,
    CommentTooLong,
    FixedInReleaseRequired,
    InvalidInput,
    IssueNotFound,
    ReleaseTooLong,
    UserNotFound,
    VerifiedInReleaseRequired,
)
from server.services.convert import comment_to_proto, issue_to_proto, ms_from_timestamp
from server.services.mask import masked_fields
from server.store import lifecycle
from server.store.engine import Engine
from server.store.issues import Issue, find
from server.store.lifecycle import Change, Comment
from server.store.scope import Role, member_of, visible_apps
from server.store.sequence import Sequence as IdSequence

MAX_RELEASE = 256
MAX_COMMENT = 10_000
HAND_SHARD = -1
"""Shard of the totals that people change; writers have theirs from 0 up."""

ChangeIssue = Callable[[Session, Mapping[int, str], str, Change], Any]


class IssueChangeService(issue_service_grpc.IssueServiceServicer):
    """Changes issues in the name of the signed-in user."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ids = IdSequence()

    async def ArchiveIssue(  # noqa: N802 -- the contract's name
        self, request: issue_service_pb.ArchiveIssueRequest, _context: object
    ) -> issue_service_pb.ArchiveIssueResponse:
        issue = await self._change(request.id, lifecycle.archive)
        return issue_service_pb.ArchiveIssueResponse(issue=issue_to_proto(issue))

    async def ReopenIssue(  # noqa: N802
        self, request: issue_service_pb.ReopenIssueRequest, _context: object
    ) -> issue_service_pb.ReopenIssueResponse:
        issue = await self._change(request.id, lifecycle.reopen)
        return issue_service_pb.ReopenIssueResponse(issue=issue_to_proto(issue))

    async def MarkIssueFixed(  # noqa: N802
        self, request: issue_service_pb.MarkIssueFixedRequest, _context: object
    ) -> issue_service_pb.MarkIssueFixedResponse:
        release = _release(request.fixed_in_release, FixedInReleaseRequired)
        issue = await self._change(request.id, partial(lifecycle.mark_fixed, release=release))
        return issue_service_pb.MarkIssueFixedResponse(issue=issue_to_proto(issue))

    async def MarkIssueVerified(  # noqa: N802
        self, request: issue_service_pb.MarkIssueVerifiedRequest, _context: object
    ) -> issue_service_pb.MarkIssueVerifiedResponse:
        release = _release(request.verified_in_release, VerifiedInReleaseRequired)
        issue = await self._change(request.id, partial(lifecycle.mark_verified, release=release))
        return issue_service_pb.MarkIssueVerifiedResponse(issue=issue_to_proto(issue))

    async def UpdateIssue(  # noqa: N802
        self, request: issue_service_pb.UpdateIssueRequest, _context: object
    ) -> issue_service_pb.UpdateIssueResponse:
        paths = masked_fields(request, request.update_mask, ("assignee", "mute_expire_time"))
        issue = await self._change(request.id, partial(_update, request=request, paths=paths))
        return issue_service_pb.UpdateIssueResponse(issue=issue_to_proto(issue))

    async def AddIssueComment(  # noqa: N802
        self, request: issue_service_pb.AddIssueCommentRequest, _context: object
    ) -> issue_service_pb.AddIssueCommentResponse:
        text = _comment(request.text)
        comment = await self._engine.write(_add_comment, self._by(), *id_parts(request.id), text)
        return issue_service_pb.AddIssueCommentResponse(comment=comment_to_proto(comment))

    async def _change(self, issue_id: str, change: ChangeIssue) -> Issue:
        return await self._engine.write(_changed, self._by(), *id_parts(issue_id), change)

    def _by(self) -> Change:
        return Change(caller.current_user().id, clock.now_ms(), self._ids, HAND_SHARD)


def _changed(session: Session, by: Change, app_key: str, fingerprint: str, change: ChangeIssue) -> Issue:
    """Change one issue of the caller's and read it back. Raises IssueNotFound, RoleTooLow and what `change` raises."""
    apps = editable_apps(session, by, app_key)
    change(session, apps, fingerprint, by)
    session.flush()
    issue = find(session, apps, fingerprint)
    if issue is None:
        raise IssueNotFound
    return issue


def _update(
    session: Session,
    apps: Mapping[int, str],
    fingerprint: str,
    by: Change,
    request: issue_service_pb.UpdateIssueRequest,
    paths: frozenset[str],
) -> None:
    row = lifecycle.locked(session, apps, fingerprint)
    if "assignee" in paths:
        member = member_of(session, row.app_id, request.assignee) if request.assignee else None
        if request.assignee and member is None:
            raise UserNotFound
        lifecycle.assign(session, row, by, member.id if member else None, member.email if member else "")
    if "mute_expire_time" in paths:
        until = ms_from_timestamp(request.mute_expire_time) if request.HasField("mute_expire_time") else None
        lifecycle.mute(session, row, by, until)


def _add_comment(session: Session, by: Change, app_key: str, fingerprint: str, text: str) -> Comment:
    row = lifecycle.locked(session, editable_apps(session, by, app_key), fingerprint)
    return lifecycle.note(session, row, by, "comment", text)


def visible_issue(session: Session, user_id: int, issue_id: str) -> Issue | None:
    """The issue with this id, if the user may see it."""
    app_key, fingerprint = id_parts(issue_id)
    return find(session, visible_apps(session, user_id, app_key), fingerprint) if app_key else None


def editable_apps(session: Session, by: Change, app_key: str) -> dict[int, str]:
    """The app of that key as its id and current key, nothing where the caller cannot see it. Raises RoleTooLow."""
    if by.user_id is None or not app_key:
        raise IssueNotFound
    return visible_apps(session, by.user_id, app_key, Role.EDITOR)


def id_parts(issue_id: str) -> tuple[str, str]:
    """App key and fingerprint of an issue id; app keys hold no colon."""
    app_key, _, fingerprint = issue_id.partition(":")
    return app_key, fingerprint


def _release(text: str, missing: type[InvalidInput]) -> str:
    release = text.strip()
    if not release:
        raise missing
    if len(release) > MAX_RELEASE:
        raise ReleaseTooLong
    return release.replace("\0", "\ufffd")


def _comment(text: str) -> str:
    comment = text.strip()
    if not comment:
        raise CommentRequired
    if len(comment) > MAX_COMMENT:
        raise CommentTooLong
    return comment.replace("\0", "\ufffd")
