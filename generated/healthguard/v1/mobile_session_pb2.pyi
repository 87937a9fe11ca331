import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MobileSession(_message.Message):
    __slots__ = ("id", "app_key", "start_time", "last_time", "create_time", "platform", "device", "device_type", "os_version", "tracker_version", "release", "user_uuid", "user_id", "anonymous_id", "metadata", "counters")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    APP_KEY_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_TYPE_FIELD_NUMBER: _ClassVar[int]
    OS_VERSION_FIELD_NUMBER: _ClassVar[int]
    TRACKER_VERSION_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    USER_UUID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_ID_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    id: str
    app_key: str
    start_time: _timestamp_pb2.Timestamp
    last_time: _timestamp_pb2.Timestamp
    create_time: _timestamp_pb2.Timestamp
    platform: str
    device: str
    device_type: str
    os_version: str
    tracker_version: str
    release: str
    user_uuid: str
    user_id: str
    anonymous_id: str
    metadata: _containers.ScalarMap[str, str]
    counters: SessionCounters
    def __init__(self, id: _Optional[str] = ..., app_key: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., platform: _Optional[str] = ..., device: _Optional[str] = ..., device_type: _Optional[str] = ..., os_version: _Optional[str] = ..., tracker_version: _Optional[str] = ..., release: _Optional[str] = ..., user_uuid: _Optional[str] = ..., user_id: _Optional[str] = ..., anonymous_id: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ..., counters: _Optional[_Union[SessionCounters, _Mapping]] = ...) -> None: ...

class SessionCounters(_message.Message):
    __slots__ = ("batches", "damaged_batches", "messages", "crashes", "rage_taps", "freezes", "failed_requests", "images", "taps")
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    DAMAGED_BATCHES_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    CRASHES_FIELD_NUMBER: _ClassVar[int]
    RAGE_TAPS_FIELD_NUMBER: _ClassVar[int]
    FREEZES_FIELD_NUMBER: _ClassVar[int]
    FAILED_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    TAPS_FIELD_NUMBER: _ClassVar[int]
    batches: int
    damaged_batches: int
    messages: int
    crashes: int
    rage_taps: int
    freezes: int
    failed_requests: int
    images: int
    taps: int
    def __init__(self, batches: _Optional[int] = ..., damaged_batches: _Optional[int] = ..., messages: _Optional[int] = ..., crashes: _Optional[int] = ..., rage_taps: _Optional[int] = ..., freezes: _Optional[int] = ..., failed_requests: _Optional[int] = ..., images: _Optional[int] = ..., taps: _Optional[int] = ...) -> None: ...

class SessionSignal(_message.Message):
    __slots__ = ("kind", "start_time", "end_time", "label", "count", "issue_id")
    KIND_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ISSUE_ID_FIELD_NUMBER: _ClassVar[int]
    kind: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    label: str
    count: int
    issue_id: str
    def __init__(self, kind: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., label: _Optional[str] = ..., count: _Optional[int] = ..., issue_id: _Optional[str] = ...) -> None: ...
