"""Enforces who may call an RPC, as the contract says beside each RPC."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from server import context as caller, logs
from server.clock import now_ms
from server.errors import InvalidSessionToken, NotSignedIn, ScopeMissing, SessionTokenExpired
from server.ids import token_hash
from server.interceptors.base import Context, Guard, Interceptor, MakeGuard, metadata_value
from server.interceptors.requirement import (
    APP_KEY,
    LATE_SESSION_TOKEN,
    PUBLIC,
    SESSION_TOKEN,
    USER,
    requirement_of,
    scope_of,
)
from server.mobile.token import TokenSigner, TokenState, Verdict
from server.store import service_tokens, users
from server.store.engine import Engine

FindUser: TypeAlias = Callable[[bytes], Awaitable[caller.User | None]]
FindService: TypeAlias = Callable[[bytes], Awaitable[tuple[caller.User, frozenset[str]] | None]]

_SCHEME = "Bearer "
SERVICE_PREFIX = "service_"
LONGEST_TOKEN = 256


class AuthInterceptor(Interceptor):
    """Lets PUBLIC and APP_KEY calls pass, signs USER calls in by the token of a user or a service, checks session tokens, refuses all else.

    No cache: a token that was logged out must not work anywhere for even a second, and the look-up is one indexed read.
    """

    def __init__(self, engine: Engine, session_tokens: TokenSigner, now_ms: Callable[[], int] = now_ms) -> None:
        self._engine = engine
        self._session_tokens = session_tokens
        self._now_ms = now_ms

    def guard(self, method: str) -> MakeGuard | None:
        requirement = requirement_of(method)
        if requirement in {PUBLIC, APP_KEY}:
            return None
        if requirement == USER:
            scope = scope_of(method)
            return lambda context: _SignIn(context, self._find_user, self._find_service, scope)
        if requirement == SESSION_TOKEN:
            return lambda context: _Track(context, self._check)
        if requirement == LATE_SESSION_TOKEN:
            return lambda context: _Track(context, self._check_late)
        return lambda _: _REFUSE

    async def _find_user(self, digest: bytes) -> caller.User | None:
        return await self._engine.read(users.user_of_token, digest, self._now_ms())

    async def _find_service(self, digest: bytes) -> tuple[caller.User, frozenset[str]] | None:
        return await self._engine.read(service_tokens.user_of_service, digest, self._now_ms())

    def _check(self, token: str) -> Verdict:
        return self._session_tokens.verify(token, self._now_ms())

    def _check_late(self, token: str) -> Verdict:
        return self._session_tokens.verify_late(token, self._now_ms())


class _SignIn(Guard):
    __slots__ = ("_context", "_find_service", "_find_user", "_scope")

    def __init__(self, context: Context, find_user: FindUser, find_service: FindService, scope: str) -> None:
        self._context, self._find_user, self._find_service, self._scope = context, find_user, find_service, scope

    async def enter(self) -> None:
        header = metadata_value(self._context, "authorization")
        if not header.startswith(_SCHEME) or len(header) > LONGEST_TOKEN:
            raise NotSignedIn
        token = header[len(_SCHEME) :]
        digest = token_hash(token)
        user = await (self._act_for(digest) if token.startswith(SERVICE_PREFIX) else self._find_user(digest))
        if user is None:
            raise NotSignedIn
        caller.sign_in(user, digest)

    async def _act_for(self, digest: bytes) -> caller.User | None:
        found = await self._find_service(digest)
        if found is None:
            return None
        user, scopes = found
        if self._scope not in scopes:
            raise ScopeMissing
        return user


class _Track(Guard):
    __slots__ = ("_check", "_context")

    def __init__(self, context: Context, check: Callable[[str], Verdict]) -> None:
        self._context, self._check = context, check

    def enter(self) -> None:
        header = metadata_value(self._context, "authorization")
        if not header.startswith(_SCHEME) or len(header) > LONGEST_TOKEN:
            raise InvalidSessionToken
        verdict = self._check(header[len(_SCHEME) :])
        if verdict.state is TokenState.EXPIRED:
            raise SessionTokenExpired
        # Tokens that OpenReplay issued name no app, and none of our sessions.
        if verdict.state is not TokenState.VALID or verdict.claims is None or verdict.claims.project_id is None:
            raise InvalidSessionToken
        caller.let_track(caller.Tracker(verdict.claims.session_id, verdict.claims.project_id))
        logs.bind(sessionID=str(verdict.claims.session_id), projectID=str(verdict.claims.project_id))


class _Refuse(Guard):
    __slots__ = ()

    def enter(self) -> None:
        raise NotSignedIn


_REFUSE = _Refuse()
