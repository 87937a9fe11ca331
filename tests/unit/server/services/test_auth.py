"""Accounts and tokens, over a real server."""

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from healthguard.v1 import auth_service_pb2 as auth_pb, auth_service_pb2_grpc as auth_grpc

from server.ids import token_hash
from server.store.engine import Engine
from tests.unit.server.conftest import NOW_MS, Door
from tests.unit.server.status_of import Failure, failure_of

PASSWORD = "correct-horse-9"
WEEK_MS = 7 * 86_400_000


@pytest.fixture
def auth(door: Door) -> auth_grpc.AuthServiceStub:
    return auth_grpc.AuthServiceStub(door.channel)


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def rows(store: Engine, query: str) -> list[Any]:
    with store.sync_engine().connect() as connection:
        return list(connection.execute(sa.text(query)))


async def failure(call: Any) -> Failure:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return failure_of(raised.value)


async def test_register_signs_in_and_keeps_neither_password_nor_token(
    auth: auth_grpc.AuthServiceStub, door: Door
) -> None:
    answer = await auth.Register(auth_pb.RegisterRequest(email=" Ann@Example.TEST\n", password=PASSWORD))
    assert answer.token.startswith("session_")
    assert len(answer.token) == len("session_") + 21
    assert answer.user.email == "ann@example.test"
    assert answer.user.create_time.ToMilliseconds() == NOW_MS
    me = await auth.GetMe(auth_pb.GetMeRequest(), metadata=bearer(answer.token))
    assert me.user == answer.user
    (stored,) = rows(door.engine, "SELECT password_hash, token_hash FROM users JOIN tokens ON users.id = user_id")
    assert stored.password_hash.startswith("$argon2id$")
    assert stored.token_hash == token_hash(answer.token)


@pytest.mark.parametrize(
    ("email", "password", "reason"),
    [
        ("", PASSWORD, "INVALID_EMAIL"),
        ("a@example", PASSWORD, "INVALID_EMAIL"),
        ("a b@example.test", PASSWORD, "INVALID_EMAIL"),
        ("a@b@example.test", PASSWORD, "INVALID_EMAIL"),
        ("a@example.", PASSWORD, "INVALID_EMAIL"),
        ("a\0@example.test", PASSWORD, "INVALID_EMAIL"),
        ("a" * 250 + "@x.test", PASSWORD, "INVALID_EMAIL"),
        ("x", "x", "INVALID_EMAIL"),
        ("a@example.test", "1234567", "PASSWORD_TOO_SHORT"),
        ("a@example.test", "é" * 513, "PASSWORD_TOO_LONG"),
    ],
)
@pytest.mark.parametrize("rpc", ["Register", "Login"])
async def test_faulty_credentials_are_named_email_first(
    auth: auth_grpc.AuthServiceStub, rpc: str, email: str, password: str, reason: str
) -> None:
    request = getattr(auth_pb, f"{rpc}Request")(email=email, password=password)
    found = await failure(getattr(auth, rpc)(request))
    assert (found.code, found.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)


@pytest.mark.parametrize("password", ["😀😀😀😀", " " * 8, "é" * 512])
async def test_password_length_counts_utf16_units_untrimmed(auth: auth_grpc.AuthServiceStub, password: str) -> None:
    await auth.Register(auth_pb.RegisterRequest(email="a@example.test", password=password))
    assert (await auth.Login(auth_pb.LoginRequest(email="A@example.test ", password=password))).token


async def test_of_two_registrations_at_once_one_wins(auth: auth_grpc.AuthServiceStub, door: Door) -> None:
    request = auth_pb.RegisterRequest(email="a@example.test", password=PASSWORD)
    answers = await asyncio.gather(*(auth.Register(request) for _ in range(4)), return_exceptions=True)
    refused = [failure_of(answer) for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert [found.reason for found in refused] == ["EMAIL_ALREADY_REGISTERED"] * 3
    assert {found.code for found in refused} == {grpc.StatusCode.ALREADY_EXISTS}
    assert rows(door.engine, "SELECT count(*) FROM tokens") == [(1,)]


async def test_unknown_account_and_wrong_password_answer_alike(auth: auth_grpc.AuthServiceStub) -> None:
    await auth.Register(auth_pb.RegisterRequest(email="a@example.test", password=PASSWORD))
    wrong = await failure(auth.Login(auth_pb.LoginRequest(email="a@example.test", password="wrong-password")))
    unknown = await failure(auth.Login(auth_pb.LoginRequest(email="b@example.test", password=PASSWORD)))
    assert wrong == unknown
    assert (wrong.code, wrong.reason) == (grpc.StatusCode.UNAUTHENTICATED, "INVALID_CREDENTIALS")


async def test_logout_ends_one_session_at_once_and_no_other(auth: auth_grpc.AuthServiceStub) -> None:
    first = await auth.Register(auth_pb.RegisterRequest(email="a@example.test", password=PASSWORD))
    second = await auth.Login(auth_pb.LoginRequest(email="a@example.test", password=PASSWORD))
    await auth.Logout(auth_pb.LogoutRequest(), metadata=bearer(first.token))
    found = await failure(auth.GetMe(auth_pb.GetMeRequest(), metadata=bearer(first.token)))
    assert (found.code, found.reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
    assert (await auth.GetMe(auth_pb.GetMeRequest(), metadata=bearer(second.token))).user == first.user


async def test_a_token_expires_and_the_next_sign_in_deletes_it(auth: auth_grpc.AuthServiceStub, door: Door) -> None:
    old = await auth.Register(auth_pb.RegisterRequest(email="a@example.test", password=PASSWORD))
    door.clock.ms += WEEK_MS - 1
    await auth.GetMe(auth_pb.GetMeRequest(), metadata=bearer(old.token))
    door.clock.ms += 1
    assert (await failure(auth.GetMe(auth_pb.GetMeRequest(), metadata=bearer(old.token)))).reason == "UNAUTHENTICATED"
    new = await auth.Login(auth_pb.LoginRequest(email="a@example.test", password=PASSWORD))
    assert rows(door.engine, "SELECT token_hash FROM tokens") == [(token_hash(new.token),)]


async def test_sign_in_renews_a_hash_made_with_older_parameters(auth: auth_grpc.AuthServiceStub, door: Door) -> None:
    await auth.Register(auth_pb.RegisterRequest(email="a@example.test", password=PASSWORD))
    weak = PasswordHasher(time_cost=1, memory_cost=1_024, parallelism=1).hash(PASSWORD)
    with door.engine.sync_engine().begin() as connection:
        connection.execute(sa.text("UPDATE users SET password_hash = :weak"), {"weak": weak})
    await auth.Login(auth_pb.LoginRequest(email="a@example.test", password=PASSWORD))
    ((renewed,),) = rows(door.engine, "SELECT password_hash FROM users")
    assert renewed != weak
    assert await auth.Login(auth_pb.LoginRequest(email="a@example.test", password=PASSWORD))


async def test_failed_sign_ins_are_slowed_for_that_account_and_address_alone(auth: auth_grpc.AuthServiceStub) -> None:
    for email in ("a@example.test", "b@example.test"):
        await auth.Register(auth_pb.RegisterRequest(email=email, password=PASSWORD))
    wrong = auth_pb.LoginRequest(email="a@example.test", password="wrong-password")
    for _ in range(3):
        assert (await failure(auth.Login(wrong))).reason == "INVALID_CREDENTIALS"
    slowed = await failure(auth.Login(auth_pb.LoginRequest(email="a@example.test", password=PASSWORD)))
    assert (slowed.code, slowed.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_ATTEMPTS")
    assert slowed.retry_after_s == 1
    assert await auth.Login(auth_pb.LoginRequest(email="b@example.test", password=PASSWORD))
    elsewhere = (("x-forwarded-for", "198.51.100.7"),)
    right = auth_pb.LoginRequest(email="a@example.test", password=PASSWORD)
    assert await auth.Login(right, metadata=elsewhere)


async def test_many_guesses_at_once_get_no_further_than_one_by_one(auth: auth_grpc.AuthServiceStub) -> None:
    wrong = auth_pb.LoginRequest(email="a@example.test", password="wrong-password")
    answers = await asyncio.gather(*(auth.Login(wrong) for _ in range(12)), return_exceptions=True)
    reasons = [failure_of(answer).reason for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert reasons.count("INVALID_CREDENTIALS") == 3
    assert reasons.count("TOO_MANY_ATTEMPTS") == 9


async def test_registrations_of_one_address_are_limited(auth: auth_grpc.AuthServiceStub) -> None:
    async def register(number: int, address: str) -> Any:
        request = auth_pb.RegisterRequest(email=f"u{number}@example.test", password=PASSWORD)
        return await auth.Register(request, metadata=(("x-forwarded-for", address),))

    for number in range(20):
        await register(number, "198.51.100.7")
    found = await failure(register(20, "198.51.100.7"))
    assert (found.code, found.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_REGISTRATIONS")
    assert 0 < found.retry_after_s <= 180
    assert await register(21, "198.51.100.8")
