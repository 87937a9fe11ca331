"""The contract keeps its own rules: every RPC says who may call it, and the files pass buf."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import FileDescriptor, MethodDescriptor
from google.protobuf.descriptor_pool import Default
from healthguard.v1 import options_pb2 as options_pb

from tests.collector import ROOT

PROTOS = sorted(str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto").rglob("*.proto"))
BUF = Path(sys.executable).parent / "buf"


def methods() -> Iterator[MethodDescriptor]:
    for path in PROTOS:
        module = path.removesuffix(".proto").replace("/", ".") + "_pb2"
        __import__(module)
        file: FileDescriptor = Default().FindFileByName(path)
        for service in file.services_by_name.values():
            yield from service.methods


def test_every_rpc_says_who_may_call_it() -> None:
    silent = [
        method.full_name
        for method in methods()
        if method.GetOptions().Extensions[options_pb.auth] == options_pb.AUTH_REQUIREMENT_UNSPECIFIED
    ]
    assert silent == []


def test_every_rpc_for_users_says_what_a_service_needs_but_those_about_the_account() -> None:
    closed = {
        method.full_name
        for method in methods()
        if method.GetOptions().Extensions[options_pb.auth] == options_pb.AUTH_REQUIREMENT_USER
        and method.GetOptions().Extensions[options_pb.scope] == options_pb.SERVICE_SCOPE_UNSPECIFIED
    }
    account = ("Logout", "ListLoginSessions", "RevokeLoginSession", "RevokeOtherLoginSessions", "ChangePassword")
    assert closed == {f"healthguard.v1.AuthService.{name}" for name in account}


def test_only_signing_in_and_up_and_what_holds_no_data_is_public() -> None:
    public = {
        m.full_name
        for m in methods()
        if m.GetOptions().Extensions[options_pb.auth] == options_pb.AUTH_REQUIREMENT_PUBLIC
    }
    assert public == {
        "healthguard.v1.AuthService.Register",
        "healthguard.v1.AuthService.Login",
        "healthguard.v1.MobileSessionService.GetConditions",
    }


@pytest.mark.parametrize("arguments", [("lint",), ("format", "--diff", "--exit-code")], ids=["lint", "format"])
def test_buf_finds_nothing(arguments: tuple[str, ...]) -> None:
    found = subprocess.run([BUF, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
