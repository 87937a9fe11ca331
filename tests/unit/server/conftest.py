"""A real grpc.aio server on an ephemeral port, behind all interceptors, over SQLite in a temporary folder."""

import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio
import pytest
import structlog
from healthguard.v1 import app_service_pb2_grpc, auth_service_pb2_grpc

from rest_facade import log_fields
from server import logs
from server.config import Settings
from server.interceptors import (
    AccessLogInterceptor,
    AuthInterceptor,
    Chain,
    ErrorsInterceptor,
    MetricsInterceptor,
    RequestIdInterceptor,
)
from server.mobile.token import TokenSigner
from server.paging import PageTokens
from server.services.app import AppService
from server.services.auth import AuthService
from server.store.engine import Engine

NOW_MS = 1_800_000_000_000


@dataclass
class Clock:
    """A wall clock that stands still until a test moves it."""

    ms: int = NOW_MS

    def now_ms(self) -> int:
        return self.ms


@dataclass
class Door:
    """The server under test, as a client sees it, and what it is made of."""

    channel: grpc.aio.Channel
    engine: Engine
    clock: Clock
    forgotten: list[tuple[int, str]] = field(default_factory=list)


@pytest.fixture(autouse=True)
def restore_logging() -> Iterator[None]:
    """What a test configures must not reach the next one, whose streams are others."""
    root = logging.getLogger()
    handlers, level, settings = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**settings)
    logs.clear()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path, trusted_proxies="127.0.0.1,::1", login_free_attempts=3, registrations_per_hour=20
    )


@pytest.fixture
def store(settings: Settings, migrated_file: Path) -> Iterator[Engine]:
    shutil.copyfile(migrated_file, settings.data_dir / migrated_file.name)
    with closing(Engine(settings.database)) as engine:
        yield engine


@pytest.fixture
async def door(store: Engine, settings: Settings, clock: Clock) -> AsyncIterator[Door]:
    trusted = settings.trusted_proxy_list
    server = grpc.aio.server(
        interceptors=[
            Chain(
                [
                    RequestIdInterceptor(trusted),
                    AccessLogInterceptor(),
                    MetricsInterceptor(),
                    ErrorsInterceptor(),
                ],
                AuthInterceptor(store, TokenSigner([b"k" * 32], late_age_ms=0), clock.now_ms),
            )
        ]
    )
    forgotten: list[tuple[int, str]] = []
    auth = AuthService(store, settings, clock.now_ms)
    auth_service_pb2_grpc.add_AuthServiceServicer_to_server(auth, server)
    page_tokens = PageTokens.load(settings)
    apps = AppService(store, page_tokens, lambda *app: forgotten.append(app), key_grace_days=7, now_ms=clock.now_ms)
    app_service_pb2_grpc.add_AppServiceServicer_to_server(apps, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Door(channel, store, clock, forgotten)
    await server.stop(None)


@pytest.fixture
def lines() -> Iterator[list[structlog.typing.EventDict]]:
    """What is logged meanwhile, one dictionary a line."""
    with structlog.testing.capture_logs(processors=[log_fields.merge]) as captured:
        yield captured
