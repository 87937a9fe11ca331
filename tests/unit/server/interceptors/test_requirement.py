"""The access rule of every method comes from the contract."""

import pytest

from server import contract
from server.errors import NotSignedIn
from server.interceptors.auth import AuthInterceptor
from server.interceptors.requirement import (
    APP_KEY,
    LATE_SESSION_TOKEN,
    PUBLIC,
    SESSION_TOKEN,
    USER,
    requirement_of,
)
from server.mobile.token import TokenSigner
from server.store.engine import Engine

KNOWN = {PUBLIC, USER, APP_KEY, SESSION_TOKEN, LATE_SESSION_TOKEN}


def test_every_method_of_the_contract_has_a_requirement() -> None:
    for service in contract.SERVICES:
        for method in service.methods:
            assert requirement_of(f"/{service.full_name}/{method.name}") in KNOWN, method.full_name


def test_standard_services_are_public_and_nothing_else_is_known() -> None:
    assert requirement_of("/grpc.health.v1.Health/Check") == PUBLIC
    assert requirement_of("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo") == PUBLIC
    assert requirement_of("/healthguard.v1.AuthService/Nonsense") is None


def test_a_method_without_a_rule_is_refused(store: Engine) -> None:
    guard = AuthInterceptor(store, TokenSigner([b"k" * 32], late_age_ms=0)).guard("/somebody.Else/Method")
    with pytest.raises(NotSignedIn):
        guard(None).enter()
