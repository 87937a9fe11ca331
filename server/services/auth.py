"""AuthService: accounts and bearer tokens."""

import re
import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import blake2b
from typing import Concatenate, ParamSpec

from healthguard.v1 import auth_service_pb2 as auth_pb, auth_service_pb2_grpc as auth_grpc, user_pb2 as user_pb
from sqlmodel import Session

from server import clock, context as caller, passwords, secret
from server.config import Settings
from server.errors import (
    CurrentPasswordRequired,
    DomainError,
    InvalidCredentials,
    InvalidEmail,
    LoginSessionNotFound,
    WrongPassword,
)
from server.ids import new_id, token_hash
from server.passwords import Passwords
from server.services.convert import timestamp_from_ms
from server.store import throttles, users
from server.store.engine import Engine
from server.store.users import Account, NewUser, Token
from server.throttle import Keys, RegistrationThrottle, SignInThrottle

P = ParamSpec("P")

LONGEST_EMAIL = 255
LONGEST_CLIENT_NAME = 100
_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+\.[^\s@\x00-\x1f\x7f]+")
"""What the documented API takes for an email, less control characters: PostgreSQL cannot store a NUL."""


class AuthService(auth_grpc.AuthServiceServicer):
    """Registers users, signs them in and out, and lets them look after their sessions and password."""

    def __init__(self, engine: Engine, settings: Settings, now_ms: Callable[[], int] = clock.now_ms) -> None:
        self._engine = engine
        self._ttl_ms = settings.session_ttl_s * 1000
        self._now_ms = now_ms
        self._passwords = Passwords()
        keys = Keys(secret.load(settings))
        self._sign_ins = SignInThrottle(engine, keys, settings.login_free_attempts, now_ms)
        self._registrations = RegistrationThrottle(engine, keys, settings.registrations_per_hour, now_ms)

    async def Register(  # noqa: N802 -- the contract's name
        self, request: auth_pb.RegisterRequest, _context: object
    ) -> auth_pb.RegisterResponse:
        email = _judged(request)
        await self._registrations.take(caller.current().address)
        hashed = await self._passwords.hash(request.password)
        new = NewUser(new_id("user"), email, hashed, self._now_ms())
        bearer, token = self._new_token(request.client_name)
        user = await self._engine.write(users.register, new, token)
        return auth_pb.RegisterResponse(token=bearer, user=user_to_proto(user))

    async def Login(  # noqa: N802 -- the contract's name
        self, request: auth_pb.LoginRequest, _context: object
    ) -> auth_pb.LoginResponse:
        email = _judged(request)
        account = await self._prove(email, request.password)
        outdated = self._passwords.is_outdated(account.password_hash)
        renewed = await self._passwords.hash(request.password) if outdated else None
        bearer, token = self._new_token(request.client_name)
        await self._engine.write(self._forgiving(users.sign_in, email), account, token, renewed)
        return auth_pb.LoginResponse(token=bearer, user=user_to_proto(account.user))

    async def Logout(  # noqa: N802 -- the contract's name
        self, _request: auth_pb.LogoutRequest, _context: object
    ) -> auth_pb.LogoutResponse:
        await self._engine.write(users.delete_token, caller.current().token_hash)
        return auth_pb.LogoutResponse()

    async def GetMe(  # noqa: N802 -- the contract's name
        self, _request: auth_pb.GetMeRequest, _context: object
    ) -> auth_pb.GetMeResponse:
        return auth_pb.GetMeResponse(user=user_to_proto(caller.current_user()))

    async def ListLoginSessions(  # noqa: N802 -- the contract's name
        self, _request: auth_pb.ListLoginSessionsRequest, _context: object
    ) -> auth_pb.ListLoginSessionsResponse:
        now = caller.current()
        tokens = await self._engine.read(users.tokens_of, caller.current_user().id, self._now_ms())
        shown = (_session_to_proto(token, current=token.hash == now.token_hash) for token in tokens)
        return auth_pb.ListLoginSessionsResponse(sessions=shown)

    async def RevokeLoginSession(  # noqa: N802 -- the contract's name
        self, request: auth_pb.RevokeLoginSessionRequest, _context: object
    ) -> auth_pb.RevokeLoginSessionResponse:
        await self._engine.write(_revoke, caller.current_user().id, request.id, self._now_ms())
        return auth_pb.RevokeLoginSessionResponse()

    async def RevokeOtherLoginSessions(  # noqa: N802 -- the contract's name
        self, _request: auth_pb.RevokeOtherLoginSessionsRequest, _context: object
    ) -> auth_pb.RevokeOtherLoginSessionsResponse:
        await self._engine.write(users.delete_other_tokens, caller.current_user().id, caller.current().token_hash)
        return auth_pb.RevokeOtherLoginSessionsResponse()

    async def ChangePassword(  # noqa: N802 -- the contract's name
        self, request: auth_pb.ChangePasswordRequest, _context: object
    ) -> auth_pb.ChangePasswordResponse:
        if not request.current_password:
            raise CurrentPasswordRequired
        passwords.judge(request.new_password)
        email = caller.current_user().email
        try:
            account = await self._prove(email, request.current_password[: passwords.LONGEST_BYTES + 1])
        except InvalidCredentials as error:
            raise WrongPassword from error
        hashed = await self._passwords.hash(request.new_password)
        bearer, token = self._new_token(request.client_name)
        await self._engine.write(self._forgiving(users.change_password, email), account, token, hashed)
        return auth_pb.ChangePasswordResponse(token=bearer, user=user_to_proto(account.user))

    async def _prove(self, email: str, password: str) -> Account:
        """The account whose password this is. Raises InvalidCredentials after equal work for every kind of wrong."""
        address = caller.current().address
        await self._sign_ins.begin(email, address)
        try:
            account = await self._engine.read(users.find_account, email)
            matches = await self._passwords.check(password, account.password_hash if account else None)
        except DomainError:
            await self._sign_ins.abandoned(email, address)
            raise
        if account is None or not matches:
            raise InvalidCredentials
        return account

    def _forgiving(
        self, work: Callable[Concatenate[Session, P], None], email: str
    ) -> Callable[Concatenate[Session, P], None]:
        """The work, and in its transaction forget the attempts before the one that was right."""
        keys = self._sign_ins.keys(email, caller.current().address)

        def both(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> None:
            work(session, *args, **kwargs)
            throttles.forgive(session, keys)

        return both

    def _new_token(self, client_name: str) -> tuple[str, Token]:
        bearer, now = new_id("session"), self._now_ms()
        name = client_name.replace("\0", "")[:LONGEST_CLIENT_NAME]  # PostgreSQL cannot store a NUL
        return bearer, Token(token_hash(bearer), now, now + self._ttl_ms, name)


def _revoke(session: Session, user_id: int, public_id: str, now_ms: int) -> None:
    found = [token.hash for token in users.tokens_of(session, user_id, now_ms) if _public_id(token) == public_id]
    if not found:
        raise LoginSessionNotFound
    users.delete_token(session, found[0])


def _public_id(token: Token) -> str:
    """A name for a session: 120 bits of a hash of the token's hash, which opens nothing."""
    return f"login_{urlsafe_b64encode(blake2b(token.hash, digest_size=15).digest()).decode()}"


def _session_to_proto(token: Token, *, current: bool) -> user_pb.LoginSession:
    return user_pb.LoginSession(
        id=_public_id(token),
        client_name=token.client_name,
        create_time=timestamp_from_ms(token.created_ms),
        expire_time=timestamp_from_ms(token.expires_ms),
        current=current,
    )


def user_to_proto(user: caller.User) -> user_pb.User:
    """The user as clients see it."""
    return user_pb.User(id=user.public_id, email=user.email, create_time=timestamp_from_ms(user.created_ms))


def normalised(email: str) -> str:
    """The one spelling of an email under which its account is kept. Raises InvalidEmail."""
    plain = unicodedata.normalize("NFC", email[: 4 * LONGEST_EMAIL].strip().lower())
    if len(plain) > LONGEST_EMAIL or not _EMAIL.fullmatch(plain):
        raise InvalidEmail
    return plain


def _judged(request: auth_pb.RegisterRequest | auth_pb.LoginRequest) -> str:
    email = normalised(request.email)
    passwords.judge(request.password)
    return email
