"""What the contract demands of a method's callers, by the name under which calls arrive."""

from healthguard.v1 import options_pb2 as options_pb

from server import contract

PUBLIC = options_pb.AUTH_REQUIREMENT_PUBLIC
USER = options_pb.AUTH_REQUIREMENT_USER
APP_KEY = options_pb.AUTH_REQUIREMENT_APP_KEY
SESSION_TOKEN = options_pb.AUTH_REQUIREMENT_SESSION_TOKEN
LATE_SESSION_TOKEN = options_pb.AUTH_REQUIREMENT_LATE_SESSION_TOKEN


def requirement_of(method: str) -> int | None:
    """The requirement of `/package.Service/Name`; None for a method that no contract names."""
    return _REQUIREMENTS.get(method)


def scope_of(method: str) -> str:
    """The scope by which a service may call `/package.Service/Name`; empty where none may."""
    return _SCOPES.get(method, "")


_SCOPES = {
    f"/{service.full_name}/{method.name}": contract.service_scope(method)
    for service in contract.SERVICES
    for method in service.methods
}
_REQUIREMENTS = {
    f"/{service.full_name}/{method.name}": contract.auth_requirement(method) if service in contract.SERVICES else PUBLIC
    for service in (*contract.SERVICES, *contract.STANDARD_SERVICES)
    for method in service.methods
}
