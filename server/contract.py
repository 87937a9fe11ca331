"""What the descriptors of the contract say about its services and methods."""

from typing import Any

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from healthguard.v1 import (
    app_service_pb2,
    auth_service_pb2,
    event_service_pb2,
    issue_service_pb2,
    ledger_service_pb2,
    mobile_session_service_pb2,
    options_pb2,
    performance_service_pb2,
    replay_service_pb2,
)

SERVICES: tuple[ServiceDescriptor, ...] = tuple(
    service
    for module in (
        auth_service_pb2,
        app_service_pb2,
        event_service_pb2,
        issue_service_pb2,
        ledger_service_pb2,
        performance_service_pb2,
        mobile_session_service_pb2,
        replay_service_pb2,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
)

STANDARD_SERVICES: tuple[ServiceDescriptor, ...] = tuple(
    service for module in (health_pb2, reflection_pb2) for service in module.DESCRIPTOR.services_by_name.values()
)
"""Health and reflection: not ours, and public."""

SERVICE_NAMES: tuple[str, ...] = tuple(service.full_name for service in (*SERVICES, *STANDARD_SERVICES))


def auth_requirement(method: MethodDescriptor) -> int:
    """The AuthRequirement of one of our RPCs; AUTH_REQUIREMENT_UNSPECIFIED when the contract does not say."""
    options: Any = method.GetOptions()  # the stubs do not know that `auth` extends MethodOptions
    return int(options.Extensions[options_pb2.auth])


SCOPES: tuple[str, ...] = tuple(
    value.name.removeprefix("SERVICE_SCOPE_").lower()
    for value in options_pb2.DESCRIPTOR.enum_types_by_name["ServiceScope"].values
    if value.number
)
"""The words of the scopes that service tokens can have."""


def service_scope(method: MethodDescriptor) -> str:
    """The scope that lets a service call one of our RPCs; empty where no service may."""
    options: Any = method.GetOptions()
    number = int(options.Extensions[options_pb2.scope])
    return SCOPES[number - 1] if number else ""
