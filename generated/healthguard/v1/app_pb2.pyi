import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AppRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    APP_ROLE_UNSPECIFIED: _ClassVar[AppRole]
    APP_ROLE_OWNER: _ClassVar[AppRole]
    APP_ROLE_EDITOR: _ClassVar[AppRole]
    APP_ROLE_VIEWER: _ClassVar[AppRole]
APP_ROLE_UNSPECIFIED: AppRole
APP_ROLE_OWNER: AppRole
APP_ROLE_EDITOR: AppRole
APP_ROLE_VIEWER: AppRole

class App(_message.Message):
    __slots__ = ("id", "name", "app_key", "type", "create_time", "project_id", "role", "settings")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    APP_KEY_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    app_key: str
    type: str
    create_time: _timestamp_pb2.Timestamp
    project_id: int
    role: AppRole
    settings: AppSettings
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., app_key: _Optional[str] = ..., type: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., project_id: _Optional[int] = ..., role: _Optional[_Union[AppRole, str]] = ..., settings: _Optional[_Union[AppSettings, _Mapping]] = ...) -> None: ...

class AppSettings(_message.Message):
    __slots__ = ("retention_days", "rate_limit_events_per_s", "capture_rate", "report_failed_network_calls", "allowed_origins", "scrub_keys", "scrub_patterns", "store_ip_addresses")
    RETENTION_DAYS_FIELD_NUMBER: _ClassVar[int]
    RATE_LIMIT_EVENTS_PER_S_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_RATE_FIELD_NUMBER: _ClassVar[int]
    REPORT_FAILED_NETWORK_CALLS_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ORIGINS_FIELD_NUMBER: _ClassVar[int]
    SCRUB_KEYS_FIELD_NUMBER: _ClassVar[int]
    SCRUB_PATTERNS_FIELD_NUMBER: _ClassVar[int]
    STORE_IP_ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    retention_days: int
    rate_limit_events_per_s: float
    capture_rate: int
    report_failed_network_calls: bool
    allowed_origins: _containers.RepeatedScalarFieldContainer[str]
    scrub_keys: _containers.RepeatedScalarFieldContainer[str]
    scrub_patterns: _containers.RepeatedScalarFieldContainer[str]
    store_ip_addresses: bool
    def __init__(self, retention_days: _Optional[int] = ..., rate_limit_events_per_s: _Optional[float] = ..., capture_rate: _Optional[int] = ..., report_failed_network_calls: _Optional[bool] = ..., allowed_origins: _Optional[_Iterable[str]] = ..., scrub_keys: _Optional[_Iterable[str]] = ..., scrub_patterns: _Optional[_Iterable[str]] = ..., store_ip_addresses: _Optional[bool] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("user_id", "email", "role", "create_time")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    email: str
    role: AppRole
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, user_id: _Optional[str] = ..., email: _Optional[str] = ..., role: _Optional[_Union[AppRole, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
