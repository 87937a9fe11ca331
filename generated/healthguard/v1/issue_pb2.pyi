import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IssueStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ISSUE_STATUS_UNSPECIFIED: _ClassVar[IssueStatus]
    ISSUE_STATUS_OPEN: _ClassVar[IssueStatus]
    ISSUE_STATUS_FIXED_PENDING_RELEASE: _ClassVar[IssueStatus]
    ISSUE_STATUS_VERIFYING: _ClassVar[IssueStatus]
    ISSUE_STATUS_RESOLVED: _ClassVar[IssueStatus]
    ISSUE_STATUS_ARCHIVED: _ClassVar[IssueStatus]

class IssueStatusFilter(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ISSUE_STATUS_FILTER_UNSPECIFIED: _ClassVar[IssueStatusFilter]
    ISSUE_STATUS_FILTER_OPEN: _ClassVar[IssueStatusFilter]
    ISSUE_STATUS_FILTER_ARCHIVED: _ClassVar[IssueStatusFilter]
    ISSUE_STATUS_FILTER_ALL: _ClassVar[IssueStatusFilter]

class BucketSize(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BUCKET_SIZE_UNSPECIFIED: _ClassVar[BucketSize]
    BUCKET_SIZE_HOUR: _ClassVar[BucketSize]
    BUCKET_SIZE_DAY: _ClassVar[BucketSize]
ISSUE_STATUS_UNSPECIFIED: IssueStatus
ISSUE_STATUS_OPEN: IssueStatus
ISSUE_STATUS_FIXED_PENDING_RELEASE: IssueStatus
ISSUE_STATUS_VERIFYING: IssueStatus
ISSUE_STATUS_RESOLVED: IssueStatus
ISSUE_STATUS_ARCHIVED: IssueStatus
ISSUE_STATUS_FILTER_UNSPECIFIED: IssueStatusFilter
ISSUE_STATUS_FILTER_OPEN: IssueStatusFilter
ISSUE_STATUS_FILTER_ARCHIVED: IssueStatusFilter
ISSUE_STATUS_FILTER_ALL: IssueStatusFilter
BUCKET_SIZE_UNSPECIFIED: BucketSize
BUCKET_SIZE_HOUR: BucketSize
BUCKET_SIZE_DAY: BucketSize

class Issue(_message.Message):
    __slots__ = ("id", "app_key", "fingerprint", "message", "error_type", "event_count", "first_seen_time", "last_seen_time", "first_seen_release", "last_seen_release", "fixed_in_release", "verified_in_release", "status", "platform_distribution", "archived", "archive_time", "regressed", "regress_time", "regressed_in_release", "assignee", "mute_expire_time", "status_changed_by", "status_change_time", "affected_users", "merged_into", "merged_ids")
    class PlatformDistributionEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    APP_KEY_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ERROR_TYPE_FIELD_NUMBER: _ClassVar[int]
    EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_TIME_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_RELEASE_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_RELEASE_FIELD_NUMBER: _ClassVar[int]
    FIXED_IN_RELEASE_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_IN_RELEASE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_DISTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    ARCHIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    REGRESSED_FIELD_NUMBER: _ClassVar[int]
    REGRESS_TIME_FIELD_NUMBER: _ClassVar[int]
    REGRESSED_IN_RELEASE_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_FIELD_NUMBER: _ClassVar[int]
    MUTE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    STATUS_CHANGED_BY_FIELD_NUMBER: _ClassVar[int]
    STATUS_CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    AFFECTED_USERS_FIELD_NUMBER: _ClassVar[int]
    MERGED_INTO_FIELD_NUMBER: _ClassVar[int]
    MERGED_IDS_FIELD_NUMBER: _ClassVar[int]
    id: str
    app_key: str
    fingerprint: str
    message: str
    error_type: str
    event_count: int
    first_seen_time: _timestamp_pb2.Timestamp
    last_seen_time: _timestamp_pb2.Timestamp
    first_seen_release: str
    last_seen_release: str
    fixed_in_release: str
    verified_in_release: str
    status: IssueStatus
    platform_distribution: _containers.ScalarMap[str, int]
    archived: bool
    archive_time: _timestamp_pb2.Timestamp
    regressed: bool
    regress_time: _timestamp_pb2.Timestamp
    regressed_in_release: str
    assignee: str
    mute_expire_time: _timestamp_pb2.Timestamp
    status_changed_by: str
    status_change_time: _timestamp_pb2.Timestamp
    affected_users: int
    merged_into: str
    merged_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., app_key: _Optional[str] = ..., fingerprint: _Optional[str] = ..., message: _Optional[str] = ..., error_type: _Optional[str] = ..., event_count: _Optional[int] = ..., first_seen_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., first_seen_release: _Optional[str] = ..., last_seen_release: _Optional[str] = ..., fixed_in_release: _Optional[str] = ..., verified_in_release: _Optional[str] = ..., status: _Optional[_Union[IssueStatus, str]] = ..., platform_distribution: _Optional[_Mapping[str, int]] = ..., archived: _Optional[bool] = ..., archive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., regressed: _Optional[bool] = ..., regress_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., regressed_in_release: _Optional[str] = ..., assignee: _Optional[str] = ..., mute_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status_changed_by: _Optional[str] = ..., status_change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., affected_users: _Optional[int] = ..., merged_into: _Optional[str] = ..., merged_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class Totals(_message.Message):
    __slots__ = ("events", "errors", "failed_requests", "affected_users", "issues")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    FAILED_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    AFFECTED_USERS_FIELD_NUMBER: _ClassVar[int]
    ISSUES_FIELD_NUMBER: _ClassVar[int]
    events: int
    errors: int
    failed_requests: int
    affected_users: int
    issues: int
    def __init__(self, events: _Optional[int] = ..., errors: _Optional[int] = ..., failed_requests: _Optional[int] = ..., affected_users: _Optional[int] = ..., issues: _Optional[int] = ...) -> None: ...

class IssueComment(_message.Message):
    __slots__ = ("id", "author", "kind", "text", "create_time")
    ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    id: str
    author: str
    kind: str
    text: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., author: _Optional[str] = ..., kind: _Optional[str] = ..., text: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Bucket(_message.Message):
    __slots__ = ("start_time", "events", "errors", "failed_requests", "affected_users")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    FAILED_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    AFFECTED_USERS_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    events: int
    errors: int
    failed_requests: int
    affected_users: int
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., events: _Optional[int] = ..., errors: _Optional[int] = ..., failed_requests: _Optional[int] = ..., affected_users: _Optional[int] = ...) -> None: ...

class Breakdown(_message.Message):
    __slots__ = ("property", "values")
    PROPERTY_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    property: str
    values: _containers.RepeatedCompositeFieldContainer[BreakdownValue]
    def __init__(self, property: _Optional[str] = ..., values: _Optional[_Iterable[_Union[BreakdownValue, _Mapping]]] = ...) -> None: ...

class BreakdownValue(_message.Message):
    __slots__ = ("value", "event_count")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    value: str
    event_count: int
    def __init__(self, value: _Optional[str] = ..., event_count: _Optional[int] = ...) -> None: ...

class Release(_message.Message):
    __slots__ = ("name", "first_seen_time", "events")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    first_seen_time: _timestamp_pb2.Timestamp
    events: int
    def __init__(self, name: _Optional[str] = ..., first_seen_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., events: _Optional[int] = ...) -> None: ...
