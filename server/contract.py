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
