import datetime

from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from healthguard.v1 import event_pb2 as _event_pb2
from healthguard.v1 import issue_pb2 as _issue_pb2
from healthguard.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IssueOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ISSUE_ORDER_UNSPECIFIED: _ClassVar[IssueOrder]
    ISSUE_ORDER_LAST_SEEN: _ClassVar[IssueOrder]
    ISSUE_ORDER_FIRST_SEEN: _ClassVar[IssueOrder]
    ISSUE_ORDER_EVENTS: _ClassVar[IssueOrder]
    ISSUE_ORDER_USERS: _ClassVar[IssueOrder]
ISSUE_ORDER_UNSPECIFIED: IssueOrder
ISSUE_ORDER_LAST_SEEN: IssueOrder
ISSUE_ORDER_FIRST_SEEN: IssueOrder
ISSUE_ORDER_EVENTS: IssueOrder
ISSUE_ORDER_USERS: IssueOrder

class GetOverviewRequest(_message.Message):
    __slots__ = ("app_key", "platform", "status", "start_time", "end_time", "type", "release", "environment", "q", "bucket")
    APP_KEY_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    Q_FIELD_NUMBER: _ClassVar[int]
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    app_key: str
    platform: str
    status: _issue_pb2.IssueStatusFilter
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    type: str
    release: str
    environment: str
    q: str
    bucket: _issue_pb2.BucketSize
    def __init__(self, app_key: _Optional[str] = ..., platform: _Optional[str] = ..., status: _Optional[_Union[_issue_pb2.IssueStatusFilter, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., type: _Optional[str] = ..., release: _Optional[str] = ..., environment: _Optional[str] = ..., q: _Optional[str] = ..., bucket: _Optional[_Union[_issue_pb2.BucketSize, str]] = ...) -> None: ...

class GetOverviewResponse(_message.Message):
    __slots__ = ("totals", "buckets")
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    BUCKETS_FIELD_NUMBER: _ClassVar[int]
    totals: _issue_pb2.Totals
    buckets: _containers.RepeatedCompositeFieldContainer[_issue_pb2.Bucket]
    def __init__(self, totals: _Optional[_Union[_issue_pb2.Totals, _Mapping]] = ..., buckets: _Optional[_Iterable[_Union[_issue_pb2.Bucket, _Mapping]]] = ...) -> None: ...

class ListIssuesRequest(_message.Message):
    __slots__ = ("app_key", "platform", "status", "start_time", "end_time", "page_size", "page_token", "type", "release", "environment", "q", "order_by", "bucket")
    APP_KEY_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    Q_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    app_key: str
    platform: str
    status: _issue_pb2.IssueStatusFilter
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    type: str
    release: str
    environment: str
    q: str
    order_by: IssueOrder
    bucket: _issue_pb2.BucketSize
    def __init__(self, app_key: _Optional[str] = ..., platform: _Optional[str] = ..., status: _Optional[_Union[_issue_pb2.IssueStatusFilter, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., type: _Optional[str] = ..., release: _Optional[str] = ..., environment: _Optional[str] = ..., q: _Optional[str] = ..., order_by: _Optional[_Union[IssueOrder, str]] = ..., bucket: _Optional[_Union[_issue_pb2.BucketSize, str]] = ...) -> None: ...

class ListIssuesResponse(_message.Message):
    __slots__ = ("issues", "next_page_token", "trends")
    ISSUES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TRENDS_FIELD_NUMBER: _ClassVar[int]
    issues: _containers.RepeatedCompositeFieldContainer[_issue_pb2.Issue]
    next_page_token: str
    trends: _containers.RepeatedCompositeFieldContainer[IssueTrend]
    def __init__(self, issues: _Optional[_Iterable[_Union[_issue_pb2.Issue, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., trends: _Optional[_Iterable[_Union[IssueTrend, _Mapping]]] = ...) -> None: ...

class IssueTrend(_message.Message):
    __slots__ = ("id", "event_counts")
    ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_COUNTS_FIELD_NUMBER: _ClassVar[int]
    id: str
    event_counts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, id: _Optional[str] = ..., event_counts: _Optional[_Iterable[int]] = ...) -> None: ...

class ListFilterValuesRequest(_message.Message):
    __slots__ = ("app_key",)
    APP_KEY_FIELD_NUMBER: _ClassVar[int]
    app_key: str
    def __init__(self, app_key: _Optional[str] = ...) -> None: ...

class ListFilterValuesResponse(_message.Message):
    __slots__ = ("platforms", "environments", "releases", "types")
    PLATFORMS_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENTS_FIELD_NUMBER: _ClassVar[int]
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    platforms: _containers.RepeatedScalarFieldContainer[str]
    environments: _containers.RepeatedScalarFieldContainer[str]
    releases: _containers.RepeatedScalarFieldContainer[str]
    types: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, platforms: _Optional[_Iterable[str]] = ..., environments: _Optional[_Iterable[str]] = ..., releases: _Optional[_Iterable[str]] = ..., types: _Optional[_Iterable[str]] = ...) -> None: ...

class ListReleasesRequest(_message.Message):
    __slots__ = ("app_key", "start_time", "end_time")
    APP_KEY_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    app_key: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, app_key: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListReleasesResponse(_message.Message):
    __slots__ = ("releases",)
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    releases: _containers.RepeatedCompositeFieldContainer[_issue_pb2.Release]
    def __init__(self, releases: _Optional[_Iterable[_Union[_issue_pb2.Release, _Mapping]]] = ...) -> None: ...

class CountIssuesRequest(_message.Message):
    __slots__ = ("app_key", "platform", "status", "start_time", "end_time", "type", "release", "environment", "q")
    APP_KEY_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    Q_FIELD_NUMBER: _ClassVar[int]
    app_key: str
    platform: str
    status: _issue_pb2.IssueStatusFilter
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    type: str
    release: str
    environment: str
    q: str
    def __init__(self, app_key: _Optional[str] = ..., platform: _Optional[str] = ..., status: _Optional[_Union[_issue_pb2.IssueStatusFilter, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., type: _Optional[str] = ..., release: _Optional[str] = ..., environment: _Optional[str] = ..., q: _Optional[str] = ...) -> None: ...

class CountIssuesResponse(_message.Message):
    __slots__ = ("issues",)
    ISSUES_FIELD_NUMBER: _ClassVar[int]
    issues: int
    def __init__(self, issues: _Optional[int] = ...) -> None: ...

class GetIssueRequest(_message.Message):
    __slots__ = ("id", "status", "start_time", "end_time", "platform", "bucket")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    id: str
    status: _issue_pb2.IssueStatusFilter
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    platform: str
    bucket: _issue_pb2.BucketSize
    def __init__(self, id: _Optional[str] = ..., status: _Optional[_Union[_issue_pb2.IssueStatusFilter, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., platform: _Optional[str] = ..., bucket: _Optional[_Union[_issue_pb2.BucketSize, str]] = ...) -> None: ...

class GetIssueResponse(_message.Message):
    __slots__ = ("issue", "events", "buckets", "breakdowns")
    ISSUE_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    BUCKETS_FIELD_NUMBER: _ClassVar[int]
    BREAKDOWNS_FIELD_NUMBER: _ClassVar[int]
    issue: _issue_pb2.Issue
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    buckets: _containers.RepeatedCompositeFieldContainer[_issue_pb2.Bucket]
    breakdowns: _containers.RepeatedCompositeFieldContainer[_issue_pb2.Breakdown]
    def __init__(self, issue: _Optional[_Union[_issue_pb2.Issue, _Mapping]] = ..., events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ..., buckets: _Optional[_Iterable[_Union[_issue_pb2.Bucket, _Mapping]]] = ..., breakdowns: _Optional[_Iterable[_Union[_issue_pb2.Breakdown, _Mapping]]] = ...) -> None: ...

class ArchiveIssueRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ArchiveIssueResponse(_message.Message):
    __slots__ = ("issue",)
    ISSUE_FIELD_NUMBER: _ClassVar[int]
    issue: _issue_pb2.Issue
    def __init__(self, issue: _Optional[_Union[_issue_pb2.Issue, _Mapping]] = ...) -> None: ...

class ReopenIssueRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ReopenIssueResponse(_message.Message):
    __slots__ = ("issue",)
    ISSUE_FIELD_NUMBER: _ClassVar[int]
    issue: _issue_pb2.Issue
    def __init__(self, issue: _Optional[_Union[_issue_pb2.Issue, _Mapping]] = ...) -> None: ...

class MarkIssueFixedRequest(_message.Message):
    __slots__ = ("id", "fixed_in_release")
    ID_FIELD_NUMBER: _ClassVar[int]
    FIXED_IN_RELEASE_FIELD_NUMBER: _ClassVar[int]
    id: str
    fixed_in_release: str
    def __init__(self, id: _Optional[str] = ..., fixed_in_release: _Optional[str] = ...) -> None: ...

class MarkIssueFixedResponse(_message.Message):
    __slots__ = ("issue",)
    ISSUE_FIELD_NUMBER: _ClassVar[int]
    issue: _issue_pb2.Issue
    def __init__(self, issue: _Optional[_Union[_issue_pb2.Issue, _Mapping]] = ...) -> None: ...

class MarkIssueVerifiedRequest(_message.Message):
    __slots__ = ("id", "verified_in_release")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_IN_RELEASE_FIELD_NUMBER: _ClassVar[int]
    id: str
    verified_in_release: str
    def __init__(self, id: _Optional[str] = ..., verified_in_release: _Optional[str] = ...) -> None: ...

class MarkIssueVerifiedResponse(_message.Message):
    __slots__ = ("issue",)
    ISSUE_FIELD_NUMBER: _ClassVar[int]
    issue: _issue_pb2.Issue
    def __init__(self, issue: _Optional[_Union[_issue_pb2.Issue, _Mapping]] = ...) -> None: ...

class UpdateIssueRequest(_message.Message):
    __slots__ = ("id", "assignee", "mute_expire_time", "update_mask")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_FIELD_NUMBER: _ClassVar[int]
    MUTE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    id: str
    assignee: str
    mute_expire_time: _timestamp_pb2.Timestamp
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, id: _Optional[str] = ..., assignee: _Optional[str] = ..., mute_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class UpdateIssueResponse(_message.Message):
    __slots__ = ("issue",)
    ISSUE_FIELD_NUMBER: _ClassVar[int]
    issue: _issue_pb2.Issue
    def __init__(self, issue: _Optional[_Union[_issue_pb2.Issue, _Mapping]] = ...) -> None: ...

class AddIssueCommentRequest(_message.Message):
    __slots__ = ("id", "text")
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    id: str
    text: str
    def __init__(self, id: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class AddIssueCommentResponse(_message.Message):
    __slots__ = ("comment",)
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    comment: _issue_pb2.IssueComment
    def __init__(self, comment: _Optional[_Union[_issue_pb2.IssueComment, _Mapping]] = ...) -> None: ...

class ListIssueCommentsRequest(_message.Message):
    __slots__ = ("id", "page_size", "page_token")
    ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    id: str
    page_size: int
    page_token: str
    def __init__(self, id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListIssueCommentsResponse(_message.Message):
    __slots__ = ("comments", "next_page_token")
    COMMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    comments: _containers.RepeatedCompositeFieldContainer[_issue_pb2.IssueComment]
    next_page_token: str
    def __init__(self, comments: _Optional[_Iterable[_Union[_issue_pb2.IssueComment, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListIssueEventsRequest(_message.Message):
    __slots__ = ("id", "page_size", "page_token", "start_time", "end_time", "platform")
    ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    id: str
    page_size: int
    page_token: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    platform: str
    def __init__(self, id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., platform: _Optional[str] = ...) -> None: ...

class ListIssueEventsResponse(_message.Message):
    __slots__ = ("events", "next_page_token")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    next_page_token: str
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ExplainGroupingRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ExplainGroupingResponse(_message.Message):
    __slots__ = ("version", "fingerprint", "inputs", "event_id", "known_versions")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    KNOWN_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    version: str
    fingerprint: str
    inputs: _containers.RepeatedCompositeFieldContainer[GroupingInput]
    event_id: str
    known_versions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[str] = ..., fingerprint: _Optional[str] = ..., inputs: _Optional[_Iterable[_Union[GroupingInput, _Mapping]]] = ..., event_id: _Optional[str] = ..., known_versions: _Optional[_Iterable[str]] = ...) -> None: ...

class GroupingInput(_message.Message):
    __slots__ = ("name", "raw", "normalised", "masked")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    NORMALISED_FIELD_NUMBER: _ClassVar[int]
    MASKED_FIELD_NUMBER: _ClassVar[int]
    name: str
    raw: str
    normalised: str
    masked: _containers.RepeatedCompositeFieldContainer[MaskedPart]
    def __init__(self, name: _Optional[str] = ..., raw: _Optional[str] = ..., normalised: _Optional[str] = ..., masked: _Optional[_Iterable[_Union[MaskedPart, _Mapping]]] = ...) -> None: ...

class MaskedPart(_message.Message):
    __slots__ = ("text", "mask")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    text: str
    mask: str
    def __init__(self, text: _Optional[str] = ..., mask: _Optional[str] = ...) -> None: ...

class PreviewGroupingRequest(_message.Message):
    __slots__ = ("id", "version")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: str
    def __init__(self, id: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class PreviewGroupingResponse(_message.Message):
    __slots__ = ("version", "issues", "events", "joined", "split", "complete")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ISSUES_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    version: str
    issues: int
    events: int
    joined: int
    split: int
    complete: bool
    def __init__(self, version: _Optional[str] = ..., issues: _Optional[int] = ..., events: _Optional[int] = ..., joined: _Optional[int] = ..., split: _Optional[int] = ..., complete: _Optional[bool] = ...) -> None: ...

class MergeIssuesRequest(_message.Message):
    __slots__ = ("id", "merged_ids")
    ID_FIELD_NUMBER: _ClassVar[int]
    MERGED_IDS_FIELD_NUMBER: _ClassVar[int]
    id: str
    merged_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., merged_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class MergeIssuesResponse(_message.Message):
    __slots__ = ("issue",)
    ISSUE_FIELD_NUMBER: _ClassVar[int]
    issue: _issue_pb2.Issue
    def __init__(self, issue: _Optional[_Union[_issue_pb2.Issue, _Mapping]] = ...) -> None: ...

class UnmergeIssueRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class UnmergeIssueResponse(_message.Message):
    __slots__ = ("issue",)
    ISSUE_FIELD_NUMBER: _ClassVar[int]
    issue: _issue_pb2.Issue
    def __init__(self, issue: _Optional[_Union[_issue_pb2.Issue, _Mapping]] = ...) -> None: ...
