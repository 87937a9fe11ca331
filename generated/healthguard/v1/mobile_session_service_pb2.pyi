from google.protobuf import struct_pb2 as _struct_pb2
from healthguard.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecordingQuality(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECORDING_QUALITY_UNSPECIFIED: _ClassVar[RecordingQuality]
    RECORDING_QUALITY_LOW: _ClassVar[RecordingQuality]
    RECORDING_QUALITY_STANDARD: _ClassVar[RecordingQuality]
    RECORDING_QUALITY_HIGH: _ClassVar[RecordingQuality]
RECORDING_QUALITY_UNSPECIFIED: RecordingQuality
RECORDING_QUALITY_LOW: RecordingQuality
RECORDING_QUALITY_STANDARD: RecordingQuality
RECORDING_QUALITY_HIGH: RecordingQuality

class StartSessionRequest(_message.Message):
    __slots__ = ("project_id", "project_key", "tracker_version", "token", "user_uuid", "timestamp", "rev_id", "user_os_version", "user_device", "timezone", "device_memory", "do_not_record", "condition", "platform", "width", "height", "extra")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_KEY_FIELD_NUMBER: _ClassVar[int]
    TRACKER_VERSION_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_UUID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    REV_ID_FIELD_NUMBER: _ClassVar[int]
    USER_OS_VERSION_FIELD_NUMBER: _ClassVar[int]
    USER_DEVICE_FIELD_NUMBER: _ClassVar[int]
    TIMEZONE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_MEMORY_FIELD_NUMBER: _ClassVar[int]
    DO_NOT_RECORD_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_NUMBER: _ClassVar[int]
    project_id: int
    project_key: str
    tracker_version: str
    token: str
    user_uuid: str
    timestamp: int
    rev_id: str
    user_os_version: str
    user_device: str
    timezone: str
    device_memory: int
    do_not_record: bool
    condition: str
    platform: str
    width: float
    height: float
    extra: _struct_pb2.Struct
    def __init__(self, project_id: _Optional[int] = ..., project_key: _Optional[str] = ..., tracker_version: _Optional[str] = ..., token: _Optional[str] = ..., user_uuid: _Optional[str] = ..., timestamp: _Optional[int] = ..., rev_id: _Optional[str] = ..., user_os_version: _Optional[str] = ..., user_device: _Optional[str] = ..., timezone: _Optional[str] = ..., device_memory: _Optional[int] = ..., do_not_record: _Optional[bool] = ..., condition: _Optional[str] = ..., platform: _Optional[str] = ..., width: _Optional[float] = ..., height: _Optional[float] = ..., extra: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class StartSessionResponse(_message.Message):
    __slots__ = ("token", "images_hash_list", "user_uuid", "beacon_size_limit", "session_id", "quality", "fps", "project_id", "frames_support")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    IMAGES_HASH_LIST_FIELD_NUMBER: _ClassVar[int]
    USER_UUID_FIELD_NUMBER: _ClassVar[int]
    BEACON_SIZE_LIMIT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    FPS_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    FRAMES_SUPPORT_FIELD_NUMBER: _ClassVar[int]
    token: str
    images_hash_list: _containers.RepeatedScalarFieldContainer[str]
    user_uuid: str
    beacon_size_limit: int
    session_id: str
    quality: RecordingQuality
    fps: int
    project_id: str
    frames_support: bool
    def __init__(self, token: _Optional[str] = ..., images_hash_list: _Optional[_Iterable[str]] = ..., user_uuid: _Optional[str] = ..., beacon_size_limit: _Optional[int] = ..., session_id: _Optional[str] = ..., quality: _Optional[_Union[RecordingQuality, str]] = ..., fps: _Optional[int] = ..., project_id: _Optional[str] = ..., frames_support: _Optional[bool] = ...) -> None: ...

class AppendMessagesRequest(_message.Message):
    __slots__ = ("batch",)
    BATCH_FIELD_NUMBER: _ClassVar[int]
    batch: bytes
    def __init__(self, batch: _Optional[bytes] = ...) -> None: ...

class AppendMessagesResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AppendLateMessagesRequest(_message.Message):
    __slots__ = ("batch",)
    BATCH_FIELD_NUMBER: _ClassVar[int]
    batch: bytes
    def __init__(self, batch: _Optional[bytes] = ...) -> None: ...

class AppendLateMessagesResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UploadImagesRequest(_message.Message):
    __slots__ = ("project", "file", "chunk")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    project: str
    file: str
    chunk: bytes
    def __init__(self, project: _Optional[str] = ..., file: _Optional[str] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class UploadImagesResponse(_message.Message):
    __slots__ = ("images",)
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    images: int
    def __init__(self, images: _Optional[int] = ...) -> None: ...

class GetConditionsRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class GetConditionsResponse(_message.Message):
    __slots__ = ("conditions",)
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    conditions: _containers.RepeatedCompositeFieldContainer[RecordingCondition]
    def __init__(self, conditions: _Optional[_Iterable[_Union[RecordingCondition, _Mapping]]] = ...) -> None: ...

class RecordingCondition(_message.Message):
    __slots__ = ("name", "capture_rate")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_RATE_FIELD_NUMBER: _ClassVar[int]
    name: str
    capture_rate: int
    def __init__(self, name: _Optional[str] = ..., capture_rate: _Optional[int] = ...) -> None: ...
