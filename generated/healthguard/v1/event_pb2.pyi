import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Event(_message.Message):
    __slots__ = ("event_id", "type", "timestamp", "app_key", "platform", "session_id", "anonymous_id", "user_id", "sdk_version", "release", "environment", "page_url", "device_info", "page", "scene", "context", "fingerprint", "error_type", "message", "stack", "filename", "lineno", "colno", "breadcrumbs", "method", "url", "status", "duration", "success", "error_message", "request_data", "name", "value", "rating", "breadcrumb", "extra", "faults")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    APP_KEY_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SDK_VERSION_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_URL_FIELD_NUMBER: _ClassVar[int]
    DEVICE_INFO_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    SCENE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    ERROR_TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    STACK_FIELD_NUMBER: _ClassVar[int]
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    LINENO_FIELD_NUMBER: _ClassVar[int]
    COLNO_FIELD_NUMBER: _ClassVar[int]
    BREADCRUMBS_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_DATA_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    BREADCRUMB_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    type: str
    timestamp: _timestamp_pb2.Timestamp
    app_key: str
    platform: str
    session_id: str
    anonymous_id: str
    user_id: str
    sdk_version: str
    release: str
    environment: str
    page_url: str
    device_info: DeviceInfo
    page: str
    scene: str
    context: _struct_pb2.Struct
    fingerprint: str
    error_type: str
    message: str
    stack: str
    filename: str
    lineno: int
    colno: int
    breadcrumbs: _containers.RepeatedCompositeFieldContainer[Breadcrumb]
    method: str
    url: str
    status: int
    duration: float
    success: bool
    error_message: str
    request_data: _struct_pb2.Struct
    name: str
    value: float
    rating: str
    breadcrumb: Breadcrumb
    extra: _struct_pb2.Struct
    faults: _containers.RepeatedCompositeFieldContainer[FieldFault]
    def __init__(self, event_id: _Optional[str] = ..., type: _Optional[str] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., app_key: _Optional[str] = ..., platform: _Optional[str] = ..., session_id: _Optional[str] = ..., anonymous_id: _Optional[str] = ..., user_id: _Optional[str] = ..., sdk_version: _Optional[str] = ..., release: _Optional[str] = ..., environment: _Optional[str] = ..., page_url: _Optional[str] = ..., device_info: _Optional[_Union[DeviceInfo, _Mapping]] = ..., page: _Optional[str] = ..., scene: _Optional[str] = ..., context: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., fingerprint: _Optional[str] = ..., error_type: _Optional[str] = ..., message: _Optional[str] = ..., stack: _Optional[str] = ..., filename: _Optional[str] = ..., lineno: _Optional[int] = ..., colno: _Optional[int] = ..., breadcrumbs: _Optional[_Iterable[_Union[Breadcrumb, _Mapping]]] = ..., method: _Optional[str] = ..., url: _Optional[str] = ..., status: _Optional[int] = ..., duration: _Optional[float] = ..., success: _Optional[bool] = ..., error_message: _Optional[str] = ..., request_data: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., name: _Optional[str] = ..., value: _Optional[float] = ..., rating: _Optional[str] = ..., breadcrumb: _Optional[_Union[Breadcrumb, _Mapping]] = ..., extra: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., faults: _Optional[_Iterable[_Union[FieldFault, _Mapping]]] = ...) -> None: ...

class DeviceInfo(_message.Message):
    __slots__ = ("model", "system", "screen_width", "screen_height", "language", "user_agent", "extra")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    SCREEN_WIDTH_FIELD_NUMBER: _ClassVar[int]
    SCREEN_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    USER_AGENT_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_NUMBER: _ClassVar[int]
    model: str
    system: str
    screen_width: float
    screen_height: float
    language: str
    user_agent: str
    extra: _struct_pb2.Struct
    def __init__(self, model: _Optional[str] = ..., system: _Optional[str] = ..., screen_width: _Optional[float] = ..., screen_height: _Optional[float] = ..., language: _Optional[str] = ..., user_agent: _Optional[str] = ..., extra: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class Breadcrumb(_message.Message):
    __slots__ = ("type", "message", "timestamp", "data", "extra")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_NUMBER: _ClassVar[int]
    type: str
    message: str
    timestamp: _timestamp_pb2.Timestamp
    data: _struct_pb2.Struct
    extra: _struct_pb2.Struct
    def __init__(self, type: _Optional[str] = ..., message: _Optional[str] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., data: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., extra: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class FieldFault(_message.Message):
    __slots__ = ("field", "code", "message")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    field: str
    code: str
    message: str
    def __init__(self, field: _Optional[str] = ..., code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...
