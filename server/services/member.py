"""The part of AppService that says who may do what with an app."""

from collections.abc import Callable

from healthguard.v1 import (
    app_pb2 as app_pb,
    app_service_pb2 as app_service_pb,
    app_service_pb2_grpc as app_service_grpc,
)

from server import clock, context as caller
from server.errors import InvalidRole
from server.services.auth import normalised
from server.services.convert import role_to_proto, timestamp_from_ms
from server.store import members
from server.store.engine import Engine
from server.store.members import Member
from server.store.scope import Role

_GIVEN: dict[int, Role] = {app_pb.APP_ROLE_EDITOR: Role.EDITOR, app_pb.APP_ROLE_VIEWER: Role.VIEWER}
"""Roles that an owner can give away."""


class MemberService(app_service_grpc.AppServiceServicer):
    """Lists, adds and removes members in the name of the signed-in user."""

    def __init__(self, engine: Engine, now_ms: Callable[[], int] = clock.now_ms) -> None:
        self._engine = engine
        self._now_ms = now_ms

    async def ListMembers(  # noqa: N802 -- the contract's name
        self, request: app_service_pb.ListMembersRequest, _context: object
    ) -> app_service_pb.ListMembersResponse:
        found = await self._engine.read(members.members, caller.current_user().id, request.app_id)
        return app_service_pb.ListMembersResponse(members=map(member_to_proto, found))

    async def AddMember(  # noqa: N802 -- the contract's name
        self, request: app_service_pb.AddMemberRequest, _context: object
    ) -> app_service_pb.AddMemberResponse:
        email = normalised(request.email)
        role = _GIVEN.get(request.role)
        if role is None:
            raise InvalidRole
        user_id = caller.current_user().id
        member = await self._engine.write(members.add, user_id, request.app_id, email, role, self._now_ms())
        return app_service_pb.AddMemberResponse(member=member_to_proto(member))

    async def RemoveMember(  # noqa: N802 -- the contract's name
        self, request: app_service_pb.RemoveMemberRequest, _context: object
    ) -> app_service_pb.RemoveMemberResponse:
        await self._engine.write(members.remove, caller.current_user().id, request.app_id, request.user_id)
        return app_service_pb.RemoveMemberResponse()


def member_to_proto(member: Member) -> app_pb.Member:
    """One member, field by field."""
    return app_pb.Member(
        user_id=member.user_id,
        email=member.email,
        role=role_to_proto(member.role),
        create_time=timestamp_from_ms(member.created_ms),
    )
