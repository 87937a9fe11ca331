"""AuthService: accounts and bearer tokens."""

import re
import unicodedata
from collections.abc import Callable

from healthguard.v1 import auth_service_pb2 as auth_pb, auth_service_pb2_grpc as auth_grpc, user_pb2 as user_pb

from server import clock, context as caller, passwords
from server.config import Settings
from server.errors import DomainError, InvalidCredentials, InvalidEmail
from server.ids import new_id, token_hash
from server.passwords import Passwords
from server.services.convert import timestamp_from_ms
from server.store import users
from server.store.engine import Engine
from server.store.users import Account, NewUser, Token
from server.throttle import RegistrationThrottle, SignInThrottle

LONGEST_EMAIL = 255
_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+\.[^\s@\x00-\x1f\x7f]+")
"""What the documented API takes for an email, less control characters: PostgreSQL cannot store a NUL."""


class AuthService(auth_grpc.AuthServiceServicer):
    """Registers users and signs them in and out."""

    def __init__(self, engine: Engine, settings: Settings, now_ms: Callable[[], int] = clock.now_ms) -> None:
        self._engine = engine
        self._ttl_ms = settings.session_ttl_s * 1000
        self._now_ms = now_ms
        self._passwords = Passwords()
        self._sign_ins = SignInThrottle(settings.login_free_attempts)
        self._registrations = RegistrationThrottle(settings.registrations_per_hour)

    async def Register(  # noqa: N802 -- the contract's name
        self, request: auth_pb.RegisterRequest, _context: object
    ) -> auth_pb.RegisterResponse:
        email = _judged(request)
        self._registrations.take(caller.current().address)
        hashed = await self._passwords.hash(request.password)
        new = NewUser(new_id("user"), email, hashed, self._now_ms())
        secret, token = self._new_token()
        user = await self._engine.write(users.register, new, token)
        return auth_pb.RegisterResponse(token=secret, user=user_to_proto(user))

    async def Login(  # noqa: N802 -- the contract's name
        self, request: auth_pb.LoginRequest, _context: object
    ) -> auth_pb.LoginResponse:
        email = _judged(request)
        account = await self._prove(email, request.password)
        outdated = self._passwords.is_outdated(account.password_hash)
        renewed = await self._passwords.hash(request.password) if outdated else None
        secret, token = self._new_token()
        await self._engine.write(users.sign_in, account.user, token, renewed)
        return auth_pb.LoginResponse(token=secret, user=user_to_proto(account.user))

    async def Logout(  # noqa: N802 -- the contract's name
        self, _request: auth_pb.LogoutRequest, _context: object
    ) -> auth_pb.LogoutResponse:
        await self._engine.write(users.delete_token, caller.current().token_hash)
        return auth_pb.LogoutResponse()

    async def GetMe(  # noqa: N802 -- the contract's name
        self, _request: auth_pb.GetMeRequest, _context: object
    ) -> auth_pb.GetMeResponse:
        return auth_pb.GetMeResponse(user=user_to_proto(caller.current_user()))

    async def _prove(self, email: str, password: str) -> Account:
        """The account whose password this is. Raises InvalidCredentials after equal work for every kind of wrong."""
        address = caller.current().address
        self._sign_ins.begin(email, address)
        try:
            account = await self._engine.read(users.find_account, email)
            matches = await self._passwords.check(password, account.password_hash if account else None)
        except DomainError:
            self._sign_ins.abandoned(email, address)
            raise
        if account is None or not matches:
            raise InvalidCredentials
        self._sign_ins.succeeded(email, address)
        return account

    def _new_token(self) -> tuple[str, Token]:
        secret, now = new_id("session"), self._now_ms()
        return secret, Token(token_hash(secret), now, now + self._ttl_ms)


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
