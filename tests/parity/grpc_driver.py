"""The gRPC door: generated stubs over any channel, with messages shown the way REST shows them."""

from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status
from healthguard.v1 import (
    app_pb2 as app_pb,
    app_service_pb2 as app_service_pb,
    app_service_pb2_grpc,
    auth_service_pb2 as auth_service_pb,
    auth_service_pb2_grpc,
    event_pb2 as event_pb,
    event_service_pb2 as event_service_pb,
    event_service_pb2_grpc,
    issue_pb2 as issue_pb,
    issue_service_pb2 as issue_service_pb,
    issue_service_pb2_grpc,
    ledger_service_pb2 as ledger_service_pb,
    ledger_service_pb2_grpc,
    mobile_session_service_pb2 as mobile_session_service_pb,
    mobile_session_service_pb2_grpc,
    performance_service_pb2 as performance_service_pb,
    performance_service_pb2_grpc,
    replay_service_pb2 as replay_service_pb,
    replay_service_pb2_grpc,
)

from tests.parity.driver import File, Json, Refused, bearer

TIMES = ("start", "end", "mutedUntil")
_CHUNK_BYTES = 100_000
_Step = mobile_session_service_pb.UploadImagesRequest


class GrpcDriver:
    """Speaks through `channel`: a socket's, or the in-process one."""

    most_events = 1000

    def __init__(self, channel: Any) -> None:
        self._auth = auth_service_pb2_grpc.AuthServiceStub(channel)
        self._apps = app_service_pb2_grpc.AppServiceStub(channel)
        self._events = event_service_pb2_grpc.EventServiceStub(channel)
        self._issues = issue_service_pb2_grpc.IssueServiceStub(channel)
        self._ledger = ledger_service_pb2_grpc.LedgerServiceStub(channel)
        self._trackers = mobile_session_service_pb2_grpc.MobileSessionServiceStub(channel)
        self._replays = replay_service_pb2_grpc.ReplayServiceStub(channel)
        self._performance = performance_service_pb2_grpc.PerformanceServiceStub(channel)

    async def register(self, email: str, password: str) -> Json:
        return await self._call(self._auth.Register, auth_service_pb.RegisterRequest(email=email, password=password))

    async def login(self, email: str, password: str, client_name: str | None = None) -> Json:
        request = auth_service_pb.LoginRequest(email=email, password=password, client_name=client_name)
        return await self._call(self._auth.Login, request)

    async def login_sessions(self, token: str | None) -> Json:
        return await self._call(self._auth.ListLoginSessions, auth_service_pb.ListLoginSessionsRequest(), token)

    async def revoke_login_session(self, token: str | None, id: str) -> None:
        request = auth_service_pb.RevokeLoginSessionRequest(id=id)
        await self._call(self._auth.RevokeLoginSession, request, token)

    async def revoke_other_login_sessions(self, token: str | None) -> None:
        request = auth_service_pb.RevokeOtherLoginSessionsRequest()
        await self._call(self._auth.RevokeOtherLoginSessions, request, token)

    async def change_password(self, token: str | None, current: str, new: str) -> Json:
        request = auth_service_pb.ChangePasswordRequest(current_password=current, new_password=new)
        return await self._call(self._auth.ChangePassword, request, token)

    async def logout(self, token: str | None) -> None:
        await self._call(self._auth.Logout, auth_service_pb.LogoutRequest(), token)

    async def me(self, token: str | None) -> Json:
        return await self._call(self._auth.GetMe, auth_service_pb.GetMeRequest(), token)

    async def create_app(self, token: str | None, name: str, type: str | None = None) -> Json:
        return await self._call(self._apps.CreateApp, app_service_pb.CreateAppRequest(name=name, type=type), token)

    async def list_apps(self, token: str | None) -> Json:
        return await self._call(self._apps.ListApps, app_service_pb.ListAppsRequest(), token)

    async def app(self, token: str | None, id: str) -> Json:
        return await self._call(self._apps.GetApp, app_service_pb.GetAppRequest(id=id), token)

    async def update_app(self, token: str | None, id: str, **changes: Any) -> Json:
        changes = {name: value for name, value in changes.items() if value is not None}
        request = ParseDict({"id": id, **changes}, app_service_pb.UpdateAppRequest())
        return await self._call(self._apps.UpdateApp, request, token)

    async def delete_app(self, token: str | None, id: str) -> None:
        await self._call(self._apps.DeleteApp, app_service_pb.DeleteAppRequest(id=id), token)

    async def rotate_key(self, token: str | None, id: str) -> Json:
        return await self._call(self._apps.RotateAppKey, app_service_pb.RotateAppKeyRequest(id=id), token)

    async def app_overviews(self, token: str | None, app_keys: list[str]) -> Json:
        request = app_service_pb.BatchGetAppOverviewsRequest(app_keys=app_keys)
        return await self._call(self._apps.BatchGetAppOverviews, request, token)

    async def members(self, token: str | None, app_id: str) -> Json:
        return await self._call(self._apps.ListMembers, app_service_pb.ListMembersRequest(app_id=app_id), token)

    async def add_member(self, token: str | None, app_id: str, email: str, role: str) -> Json:
        number = app_pb.AppRole.Value(f"APP_ROLE_{role.upper()}")
        request = app_service_pb.AddMemberRequest(app_id=app_id, email=email, role=number)
        return await self._call(self._apps.AddMember, request, token)

    async def remove_member(self, token: str | None, app_id: str, user_id: str) -> None:
        request = app_service_pb.RemoveMemberRequest(app_id=app_id, user_id=user_id)
        await self._call(self._apps.RemoveMember, request, token)

    async def ingest(self, app_key: str, events: list[Json], origin: str = "") -> Json:
        request = event_service_pb.IngestEventsRequest(app_key=app_key, events=[event_from_json(e) for e in events])
        return await self._call(self._events.IngestEvents, request, metadata={"x-origin": origin} if origin else {})

    async def overview(self, token: str | None, **filters: Any) -> Json:
        return await self._call(
            self._issues.GetOverview, _filtered(issue_service_pb.GetOverviewRequest(), filters), token
        )

    async def issues(self, token: str | None, **filters: Any) -> Json:
        return await self._call(
            self._issues.ListIssues, _filtered(issue_service_pb.ListIssuesRequest(), filters), token
        )

    async def count_issues(self, token: str | None, **filters: Any) -> Json:
        return await self._call(
            self._issues.CountIssues, _filtered(issue_service_pb.CountIssuesRequest(), filters), token
        )

    async def releases(self, token: str | None, **filters: Any) -> Json:
        request = _filtered(issue_service_pb.ListReleasesRequest(), filters)
        return await self._call(self._issues.ListReleases, request, token)

    async def filter_values(self, token: str | None, **filters: Any) -> Json:
        request = _filtered(issue_service_pb.ListFilterValuesRequest(), filters)
        return await self._call(self._issues.ListFilterValues, request, token)

    async def issue(self, token: str | None, id: str, **filters: Any) -> Json:
        return await self._call(
            self._issues.GetIssue, _filtered(issue_service_pb.GetIssueRequest(id=id), filters), token
        )

    async def issue_events(self, token: str | None, id: str, **filters: Any) -> Json:
        request = _filtered(issue_service_pb.ListIssueEventsRequest(id=id), filters)
        return await self._call(self._issues.ListIssueEvents, request, token)

    async def archive(self, token: str | None, id: str) -> Json:
        return await self._call(self._issues.ArchiveIssue, issue_service_pb.ArchiveIssueRequest(id=id), token)

    async def reopen(self, token: str | None, id: str) -> Json:
        return await self._call(self._issues.ReopenIssue, issue_service_pb.ReopenIssueRequest(id=id), token)

    async def fixed(self, token: str | None, id: str, release: str | None) -> Json:
        request = issue_service_pb.MarkIssueFixedRequest(id=id, fixed_in_release=release)
        return await self._call(self._issues.MarkIssueFixed, request, token)

    async def verified(self, token: str | None, id: str, release: str | None) -> Json:
        request = issue_service_pb.MarkIssueVerifiedRequest(id=id, verified_in_release=release)
        return await self._call(self._issues.MarkIssueVerified, request, token)

    async def update_issue(self, token: str | None, id: str, **changes: Any) -> Json:
        request = issue_service_pb.UpdateIssueRequest(id=id)
        mask = {"assignee": "assignee", "mutedUntil": "mute_expire_time"}
        for name in (changes.pop("updateMask", None) or "").split(","):
            if name:
                request.update_mask.paths.append(mask.get(name, name))
        return await self._call(self._issues.UpdateIssue, _filtered(request, changes), token)

    async def comment(self, token: str | None, id: str, text: str) -> Json:
        request = issue_service_pb.AddIssueCommentRequest(id=id, text=text)
        return await self._call(self._issues.AddIssueComment, request, token)

    async def comments(self, token: str | None, id: str, **filters: Any) -> Json:
        request = _filtered(issue_service_pb.ListIssueCommentsRequest(id=id), filters)
        return await self._call(self._issues.ListIssueComments, request, token)

    async def grouping(self, token: str | None, id: str) -> Json:
        return await self._call(self._issues.ExplainGrouping, issue_service_pb.ExplainGroupingRequest(id=id), token)

    async def preview(self, token: str | None, app_id: str, version: str | None = None) -> Json:
        request = issue_service_pb.PreviewGroupingRequest(id=app_id, version=version)
        return await self._call(self._issues.PreviewGrouping, request, token)

    async def merge(self, token: str | None, id: str, merged_ids: list[str]) -> Json:
        request = issue_service_pb.MergeIssuesRequest(id=id, merged_ids=merged_ids)
        return await self._call(self._issues.MergeIssues, request, token)

    async def unmerge(self, token: str | None, id: str) -> Json:
        return await self._call(self._issues.UnmergeIssue, issue_service_pb.UnmergeIssueRequest(id=id), token)

    async def performance(self, token: str | None, **filters: Any) -> Json:
        request = _filtered(performance_service_pb.GetPerformanceRequest(), filters)
        return await self._call(self._performance.GetPerformance, request, token)

    async def request_performance(self, token: str | None, **filters: Any) -> Json:
        request = _filtered(performance_service_pb.GetRequestPerformanceRequest(), filters)
        return await self._call(self._performance.GetRequestPerformance, request, token)

    async def start_session(self, **fields: Any) -> Json:
        known = {field.json_name for field in mobile_session_service_pb.StartSessionRequest.DESCRIPTOR.fields}
        request = ParseDict(
            {key: value for key, value in fields.items() if key in known},
            mobile_session_service_pb.StartSessionRequest(),
        )
        request.extra.update({key: value for key, value in fields.items() if key not in known})
        return await self._call(self._trackers.StartSession, request)

    async def append(self, session_token: str | None, batch: bytes, late: bool = False) -> None:
        if late:
            request = mobile_session_service_pb.AppendLateMessagesRequest(batch=batch)
            await self._call(self._trackers.AppendLateMessages, request, session_token)
        else:
            request = mobile_session_service_pb.AppendMessagesRequest(batch=batch)
            await self._call(self._trackers.AppendMessages, request, session_token)

    async def upload(self, session_token: str | None, files: Sequence[File], project: str = "") -> None:
        steps = [_Step(project=project)] if project else []
        for name, content in files:
            steps.append(_Step(file=name))
            steps += [_Step(chunk=content[at : at + _CHUNK_BYTES]) for at in range(0, len(content), _CHUNK_BYTES)]
        await self._call(self._trackers.UploadImages, iter(steps), session_token)

    async def conditions(self, project: str) -> Json:
        return await self._call(
            self._trackers.GetConditions, mobile_session_service_pb.GetConditionsRequest(project=project)
        )

    async def sessions(self, token: str | None, **filters: Any) -> Json:
        request = _filtered(replay_service_pb.ListSessionsRequest(), filters)
        return await self._call(self._replays.ListSessions, request, token)

    async def session_totals(self, token: str | None, **filters: Any) -> Json:
        request = _filtered(replay_service_pb.GetSessionTotalsRequest(), filters)
        return await self._call(self._replays.GetSessionTotals, request, token)

    async def session(self, token: str | None, id: str) -> Json:
        return await self._call(self._replays.GetSession, replay_service_pb.GetSessionRequest(id=id), token)

    async def session_messages(self, token: str | None, id: str, **filters: Any) -> Json:
        request = _filtered(replay_service_pb.ListSessionMessagesRequest(id=id), filters)
        return await self._call(self._replays.ListSessionMessages, request, token)

    async def session_images(self, token: str | None, id: str, **filters: Any) -> Json:
        request = _filtered(replay_service_pb.ListSessionImagesRequest(id=id), filters)
        return await self._call(self._replays.ListSessionImages, request, token)

    async def session_batches(self, token: str | None, id: str, **filters: Any) -> Json:
        request = _filtered(replay_service_pb.ListSessionBatchesRequest(id=id), filters)
        return await self._call(self._replays.ListSessionBatches, request, token)

    async def session_image(self, token: str | None, id: str, name: str) -> File:
        request = replay_service_pb.GetSessionImageRequest(id=id, name=name)
        return _file(await self._call(self._replays.GetSessionImage, request, token))

    async def session_screenshot(self, token: str | None, id: str, at: int | None = None) -> File:
        request = replay_service_pb.GetSessionScreenshotRequest(id=id)
        if at is not None:
            request.at_time.FromMilliseconds(at)
        return _file(await self._call(self._replays.GetSessionScreenshot, request, token))

    async def session_batch(self, token: str | None, id: str, name: str) -> File:
        request = replay_service_pb.GetSessionBatchRequest(id=id, name=name)
        return _file(await self._call(self._replays.GetSessionBatch, request, token))

    async def ledger(self, token: str | None, **filters: Any) -> Json:
        return await self._call(self._ledger.GetLedger, _filtered(ledger_service_pb.GetLedgerRequest(), filters), token)

    async def _call(
        self, method: Any, request: Any, token: str | None = None, metadata: dict[str, str] | None = None
    ) -> Json:
        try:
            answer = await method(request, metadata=(*bearer(token).items(), *(metadata or {}).items()), timeout=30)
        except grpc.aio.AioRpcError as error:
            raise _refused(error) from error
        shown: Json = shown_as_json(answer)
        return shown


def event_from_json(event: Json) -> event_pb.Event:
    """The Event of an SDK's JSON; a key without a field goes to `extra`."""
    message = event_pb.Event()
    known = {field.json_name: field for field in event_pb.Event.DESCRIPTOR.fields}
    for key, value in event.items():
        if key == "timestamp":
            message.timestamp.FromMilliseconds(value)
        elif key in known:
            ParseDict({key: value}, message)
        else:
            message.extra.update({key: value})
    return message


def shown_as_json(message: Any) -> Any:
    """A message as REST shows it: milliseconds for times, numbers for integers, lower-case enums, unknown keys in their old place."""
    if isinstance(message, Timestamp):
        return message.ToMilliseconds()
    if not isinstance(message, Message):
        return message
    if message.DESCRIPTOR.file.package != "healthguard.v1":
        return MessageToDict(message)
    if _is_union(message):
        return getattr(message, message.WhichOneof(message.DESCRIPTOR.oneofs[0].name))
    shown = {f.json_name: _shown_field(message, f) for f in message.DESCRIPTOR.fields if _is_shown(message, f)}
    return shown.pop("extra", {}) | shown


def _is_union(message: Message) -> bool:
    """Whether a message is one choice among scalars, which REST shows as the one that is set."""
    choices = message.DESCRIPTOR.oneofs
    return len(choices) == 1 and len(choices[0].fields) == len(message.DESCRIPTOR.fields) > 1


def _file(shown: Json) -> File:
    return shown["contentType"], shown["data"]


def _is_shown(message: Message, field: Any) -> bool:
    """REST shows an unset field of an issue as null, and leaves it out elsewhere."""
    return not field.has_presence or message.HasField(field.name) or isinstance(message, issue_pb.Issue)


def _shown_field(message: Message, field: Any) -> Any:
    value = getattr(message, field.name)
    if field.has_presence and not message.HasField(field.name):
        return None
    if field.enum_type is not None:
        return _enum_name(field.enum_type, value) if not field.is_repeated else value
    if field.is_repeated:
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        if is_map:
            return {key: shown_as_json(item) for key, item in value.items()}
        return [shown_as_json(item) for item in value]
    return shown_as_json(value)


def _enum_name(enum: Any, number: int) -> str:
    names = [value.name for value in enum.values]
    prefix = len(names[0]) - len("UNSPECIFIED")
    return enum.values_by_number[number].name[prefix:].lower()


def _filtered(request: Any, filters: Json) -> Any:
    """The request with REST's query parameters as its fields."""
    fields = {field.json_name: field for field in request.DESCRIPTOR.fields}
    for key, value in filters.items():
        field = fields[key]
        if key in TIMES:
            getattr(request, field.name).FromMilliseconds(value)
        elif field.enum_type is not None:
            prefix = field.enum_type.values[0].name.removesuffix("UNSPECIFIED")
            setattr(request, field.name, field.enum_type.values_by_name[prefix + value.upper()].number)
        else:
            setattr(request, field.name, value)
    return request


def _refused(error: grpc.aio.AioRpcError) -> Refused:
    status = rpc_status.from_call(error)
    assert status is not None, f"an error without details: {error}"
    info, bad_request = ErrorInfo(), BadRequest()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad_request)
    assert info.domain == "healthguard"
    fields = tuple(violation.field for violation in bad_request.field_violations)
    return Refused(error.code().name, info.reason, status.message, fields)
