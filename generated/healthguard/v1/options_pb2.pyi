from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class AuthRequirement(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUTH_REQUIREMENT_UNSPECIFIED: _ClassVar[AuthRequirement]
    AUTH_REQUIREMENT_PUBLIC: _ClassVar[AuthRequirement]
    AUTH_REQUIREMENT_USER: _ClassVar[AuthRequirement]
    AUTH_REQUIREMENT_APP_KEY: _ClassVar[AuthRequirement]
    AUTH_REQUIREMENT_SESSION_TOKEN: _ClassVar[AuthRequirement]
    AUTH_REQUIREMENT_LATE_SESSION_TOKEN: _ClassVar[AuthRequirement]

class ServiceScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SERVICE_SCOPE_UNSPECIFIED: _ClassVar[ServiceScope]
    SERVICE_SCOPE_READ: _ClassVar[ServiceScope]
    SERVICE_SCOPE_WRITE: _ClassVar[ServiceScope]
    SERVICE_SCOPE_ADMIN: _ClassVar[ServiceScope]
AUTH_REQUIREMENT_UNSPECIFIED: AuthRequirement
AUTH_REQUIREMENT_PUBLIC: AuthRequirement
AUTH_REQUIREMENT_USER: AuthRequirement
AUTH_REQUIREMENT_APP_KEY: AuthRequirement
AUTH_REQUIREMENT_SESSION_TOKEN: AuthRequirement
AUTH_REQUIREMENT_LATE_SESSION_TOKEN: AuthRequirement
SERVICE_SCOPE_UNSPECIFIED: ServiceScope
SERVICE_SCOPE_READ: ServiceScope
SERVICE_SCOPE_WRITE: ServiceScope
SERVICE_SCOPE_ADMIN: ServiceScope
AUTH_FIELD_NUMBER: _ClassVar[int]
auth: _descriptor.FieldDescriptor
SCOPE_FIELD_NUMBER: _ClassVar[int]
scope: _descriptor.FieldDescriptor
