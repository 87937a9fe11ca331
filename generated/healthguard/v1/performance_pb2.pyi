from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Metric(_message.Message):
    __slots__ = ("name", "count", "p50", "p75", "p95", "good", "needs_improvement", "poor")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    P50_FIELD_NUMBER: _ClassVar[int]
    P75_FIELD_NUMBER: _ClassVar[int]
    P95_FIELD_NUMBER: _ClassVar[int]
    GOOD_FIELD_NUMBER: _ClassVar[int]
    NEEDS_IMPROVEMENT_FIELD_NUMBER: _ClassVar[int]
    POOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    count: int
    p50: float
    p75: float
    p95: float
    good: int
    needs_improvement: int
    poor: int
    def __init__(self, name: _Optional[str] = ..., count: _Optional[int] = ..., p50: _Optional[float] = ..., p75: _Optional[float] = ..., p95: _Optional[float] = ..., good: _Optional[int] = ..., needs_improvement: _Optional[int] = ..., poor: _Optional[int] = ...) -> None: ...

class RequestPerformance(_message.Message):
    __slots__ = ("method", "path", "count", "succeeded", "failed", "p50", "p75", "p95")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SUCCEEDED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    P50_FIELD_NUMBER: _ClassVar[int]
    P75_FIELD_NUMBER: _ClassVar[int]
    P95_FIELD_NUMBER: _ClassVar[int]
    method: str
    path: str
    count: int
    succeeded: int
    failed: int
    p50: float
    p75: float
    p95: float
    def __init__(self, method: _Optional[str] = ..., path: _Optional[str] = ..., count: _Optional[int] = ..., succeeded: _Optional[int] = ..., failed: _Optional[int] = ..., p50: _Optional[float] = ..., p75: _Optional[float] = ..., p95: _Optional[float] = ...) -> None: ...
