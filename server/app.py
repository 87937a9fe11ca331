"""The composition root: builds the store, the services and the doors from the settings, runs them, and stops them."""

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import grpc
import uvicorn
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from healthguard.v1 import (
    app_service_pb2_grpc,
    auth_service_pb2_grpc,
    event_service_pb2_grpc,
    issue_service_pb2_grpc,
    ledger_service_pb2_grpc,
    mobile_session_service_pb2_grpc,
    performance_service_pb2_grpc,
    replay_service_pb2_grpc,
)
from starlette.types import ASGIApp

from rest_facade.app import create_app
from rest_facade.forwarded import Proxies
from rest_facade.inprocess import InProcessChannel, InProcessServer
from rest_facade.settings import FacadeSettings
from rest_facade.transcoder import Gate
from server import contract, metrics, program, secret, status, tls
from server.address import Address, Addresses, bound, listen
from server.address_limits import AddressLimits
from server.config import Settings
from server.disk_budget import DiskBudget
from server.eraser import Eraser
from server.errors import StartupFault
from server.health import StoreHealth
from server.http_door import Bounded, Connections, allowed_connections
from server.ingest.admission import Admission
from server.ingest.gate import IngestGate
from server.ingest.image_line import ImageLine
from server.ingest.line import IngestLine
from server.ingest.resolve import AppResolver
from server.ingest.session_line import SessionLine
from server.ingest.session_resolve import SessionResolver
from server.ingest.session_writer import SessionWriter, in_thread as sessions_in_thread
from server.ingest.upkeep import Upkeep
from server.ingest.writer import IngestWriter, in_thread
from server.interceptors import (
    AccessLogInterceptor,
    AddressInterceptor,
    AuthInterceptor,
    Chain,
    ErrorsInterceptor,
    MetricsInterceptor,
    RequestIdInterceptor,
)
from server.interceptors.base import Interceptor
from server.mobile.token import TokenSigner
from server.paging import PageTokens
from server.services.app import AppService
from server.services.auth import AuthService
from server.services.event import EventService
from server.services.issue import IssueService
from server.services.ledger import LedgerService
from server.services.mobile_session import MobileSessionService
from server.services.performance import PerformanceService
from server.services.replay import ReplayService
from server.store import integrity
from server.store.blobs import BlobStore, open_blobs
from server.store.commit_process import CommitProcess
from server.store.engine import Engine
from server.store.migrate import SchemaState, schema_state, upgrade
from server.sweeper import Sweeper
from server.traces import tracing

MAX_MESSAGE_BYTES = 16 * 1_048_576
"""1,000 events of the longest kind a REST body can hold would be more; gRPC callers split those."""

MAX_ANSWER_BYTES = 64 * 1_048_576
"""50 events of an issue, each as large as one request may be, and room for the rest."""

GRACE_S = 4.0
"""Time that calls in flight get at each door, one after the other, so that the whole stop stays inside 10 s."""

KEEP_ALIVE_S = 75

MAX_STREAMS = 1_000
"""Calls at once on one gRPC connection; more wait at the client. grpc's own default is two thousand million."""

HANDSHAKE_MS = 20_000
"""For how long a connection may hold a place without speaking HTTP/2; grpc's own default is two minutes."""

IDLE_MS = 600_000
"""After so long without a call a gRPC connection is closed; clients open the next one by themselves."""


class _Registry(Protocol):
    """What `add_XServicer_to_server` needs: grpc.aio.Server and InProcessServer have it."""

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Any) -> None: ...  # noqa: ANN401 -- grpc's own signature
    def add_registered_method_handlers(self, service_name: str, method_handlers: Any) -> None: ...  # noqa: ANN401


SWITCH_INTERVAL_S = 0.0005
"""How long the event loop may keep the interpreter from the threads that wait for commits and read: a commit waits for it a few
times, and Python's own 5 ms would be as long as many a commit takes."""


GC_THRESHOLDS = (10_000, 20, 100)
"""How many objects are made and still there before the collector looks at the young, and how often at the others. Nearly all
that a request makes goes without a collector."""


async def serve(
    settings: Settings,
    *,
    grpc_door: bool,
    rest_door: bool,
    commits: CommitProcess | None,
    ready: Callable[[Addresses], None],
) -> None:
    """Run the asked-for doors until SIGTERM or SIGINT, then finish what is in flight, commit, and return.

    Without the gRPC door REST talks to `settings.target`. `ready` is told the addresses once everything listens; `commits`
    is the process that commits what comes in.
    Raises StartupFault when it cannot begin.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    stop = asyncio.Event()
    limits = AddressLimits(requests_per_s=settings.address_requests_per_s, at_once=settings.address_at_once)
    async with AsyncExitStack() as stack:
        stack.enter_context(_stop_signals(stop))
        with_store = grpc_door or not settings.target
        backend = await stack.enter_async_context(open_backend(settings, commits)) if with_store else None
        grpc_at = None
        if backend and grpc_door:
            grpc_at = await stack.enter_async_context(_grpc_server(settings, backend, limits))
        rest_at = None
        if rest_door:
            channel = InProcessChannel(backend.in_process()) if backend else _network_channel(settings)
            gates = backend.gates() if backend else {}
            facade = _facade(settings, channel, gates, limits)
            rest_at = await stack.enter_async_context(_rest_server(settings, facade, stop))
        _spare_what_stays()
        ready(Addresses(rest=rest_at, grpc=grpc_at))
        await stop.wait()


def _spare_what_stays() -> None:
    """Keep the garbage collector from what the start made, and from looking at requests that are about to end by themselves.

    At Python's own thresholds it took a twenty-fifth of the time of single events.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


@dataclass(frozen=True, slots=True)
class Stores:
    """What is open while the program serves."""

    engine: Engine
    blobs: BlobStore
    writer: IngestWriter
    session_writer: SessionWriter
    spans: Sequence[Interceptor]


def _network_channel(settings: Settings) -> grpc.aio.Channel:
    options = [
        ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.enable_http_proxy", 0),
    ]
    credentials = tls.target_credentials(settings)
    if credentials is None:
        return grpc.aio.insecure_channel(settings.target, options=options)
    return grpc.aio.secure_channel(settings.target, credentials, options=options)


class Backend:
    """The servicers over one open store, ready to be registered with any number of servers."""

    def __init__(self, settings: Settings, stores: Stores, health: StoreHealth) -> None:
        self._settings = settings
        engine = stores.engine
        self.health = health
        resolver = AppResolver(engine)
        admission = Admission(
            max_inflight_bytes=settings.max_inflight_bytes,
            disk_floor_bytes=settings.disk_floor_bytes,
            directories=_local(settings, stores.blobs),
            rate_per_s=settings.rate_limit_events_per_s,
        )
        page_tokens = PageTokens.load(settings)
        session_tokens = TokenSigner(secret.load_all(settings), late_age_ms=settings.late_max_age_ms)
        line = IngestLine(resolver, admission, stores.writer, max_age_ms=settings.event_max_age_ms)
        recorded = SessionResolver(engine)
        self._gate = IngestGate(resolver, admission, line)
        self.session_line = SessionLine(engine, admission, recorded, stores.session_writer, line)
        self._auth = AuthService(engine, settings)

        def forget(app_id: int, app_key: str) -> None:
            resolver.forget(app_id, app_key)
            recorded.forget(app_id, app_key)

        self._app = AppService(engine, page_tokens, forget, key_grace_days=settings.app_key_grace_days)
        self._event = EventService(line)
        self._issue = IssueService(engine, page_tokens)
        self._ledger = LedgerService(engine)
        pictures = ImageLine(engine, stores.blobs, admission)
        self._mobile = MobileSessionService(engine, settings, session_tokens, self.session_line, pictures)
        self._replay = ReplayService(engine, stores.blobs, page_tokens)
        self._performance = PerformanceService(engine)
        self._entry = (RequestIdInterceptor(settings.trusted_proxy_list), *stores.spans)
        self._boundary = (MetricsInterceptor(), ErrorsInterceptor())
        self._admission = AuthInterceptor(engine, session_tokens)

    def register(self, server: _Registry) -> None:
        """Add every service to a server."""
        auth_service_pb2_grpc.add_AuthServiceServicer_to_server(self._auth, server)
        app_service_pb2_grpc.add_AppServiceServicer_to_server(self._app, server)
        event_service_pb2_grpc.add_EventServiceServicer_to_server(self._event, server)
        issue_service_pb2_grpc.add_IssueServiceServicer_to_server(self._issue, server)
        ledger_service_pb2_grpc.add_LedgerServiceServicer_to_server(self._ledger, server)
        mobile_session_service_pb2_grpc.add_MobileSessionServiceServicer_to_server(self._mobile, server)
        replay_service_pb2_grpc.add_ReplayServiceServicer_to_server(self._replay, server)
        performance_service_pb2_grpc.add_PerformanceServiceServicer_to_server(self._performance, server)
        health_pb2_grpc.add_HealthServicer_to_server(self.health, server)

    def over_network(self, limits: AddressLimits) -> Chain:
        """What surrounds calls that arrive from other processes."""
        around = (*self._entry, AccessLogInterceptor(), *self._boundary, AddressInterceptor(limits))
        return Chain(around, self._admission)

    def in_process(self) -> InProcessServer:
        """The services without a socket, behind the interceptors but those whose work the REST door does: limits and log line."""
        server = InProcessServer([Chain((*self._entry, *self._boundary), self._admission)])
        self.register(server)
        return server

    def gates(self) -> dict[str, Gate]:
        """What stands before operations of a REST door in the same process."""
        return {"ingestEvents": self._ingest_refusal}

    def _ingest_refusal(self, body: bytes) -> grpc.Status | None:
        refusal = self._gate.refusal(body)
        return None if refusal is None else status.to_status(refusal)


@asynccontextmanager
async def open_backend(settings: Settings, commits: CommitProcess | None = None) -> AsyncIterator[Backend]:
    """The services over the database of the settings, which on SQLite no other server may have open.

    What comes in is committed by the process `commits`, or by this one where there is none.
    Raises StartupFault where one has, where the file is damaged, and where PostgreSQL's schema is not this program's.
    """
    with ExitStack() as stack:
        if settings.sqlite_file is not None:
            stack.enter_context(integrity.sole_user(settings.sqlite_file))
            await asyncio.to_thread(integrity.refuse_damaged, settings.sqlite_file)
        spans = stack.enter_context(tracing(settings.traces_url))
        async with _open_stores(settings, spans, commits) as backend:
            yield backend


@asynccontextmanager
async def _open_stores(
    settings: Settings, spans: Sequence[Interceptor], commits: CommitProcess | None
) -> AsyncIterator[Backend]:
    engine = Engine(settings.database)
    try:
        await asyncio.to_thread(prepare_schema, engine)
        blobs = open_blobs(settings.blobs)
        commit, receive = (
            (commits.commit, commits.receive) if commits else (in_thread(engine), sessions_in_thread(engine))
        )
        writer = IngestWriter(engine, commit, shard=settings.worker or 0)
        session_writer = SessionWriter(engine, receive, longest_ms=settings.recording_ttl_ms)
        eraser = Eraser(engine)
        budget = DiskBudget(engine, settings.disk_budget_bytes, with_blobs=blobs.directory is not None)
        sweeper = Sweeper(engine, budget, settings.retention_days)
        sweeper.start()
        health = StoreHealth(engine, budget)
        try:
            backend = Backend(settings, Stores(engine, blobs, writer, session_writer, spans), health)
            upkeep = Upkeep(engine, blobs, backend.session_line)
            try:
                yield backend
            finally:
                await upkeep.close()
        finally:
            await session_writer.close()
            await sweeper.close()
            await eraser.close()
            await writer.close()
    finally:
        engine.close()


def _local(settings: Settings, blobs: BlobStore) -> list[Path]:
    """The directories in which this machine keeps what comes in."""
    database = [settings.data_dir] if settings.uses_sqlite else []
    return database if blobs.directory is None else [*database, blobs.directory]


def prepare_schema(engine: Engine) -> None:
    """Bring SQLite to the schema; demand it of PostgreSQL. Raises StartupFault with the command that helps."""
    state = schema_state(engine)
    if state is SchemaState.NEWER:
        raise StartupFault("the database belongs to a newer HealthGuard Collector; upgrade this program")
    if state is SchemaState.CURRENT:
        return
    if not engine.is_sqlite:
        raise StartupFault(
            f"the database schema is {state.value}; run: {program.command()} migrate (with the same --database-url)"
        )
    upgrade(engine)


@asynccontextmanager
async def _grpc_server(settings: Settings, backend: Backend, limits: AddressLimits) -> AsyncIterator[Address]:
    options = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_ANSWER_BYTES),
        ("grpc.so_reuseport", int(settings.worker is not None)),
        ("grpc.max_concurrent_streams", MAX_STREAMS),
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS),
        ("grpc.max_connection_idle_ms", IDLE_MS),
    ]
    server = grpc.aio.server(interceptors=[backend.over_network(limits)], options=options)
    backend.register(server)
    reflection.enable_server_reflection(contract.SERVICE_NAMES, server)
    wanted = settings.grpc_address
    with listen(wanted, "--grpc", shared=settings.worker is not None) as probe:  # grpc's own error names no reason
        wanted = bound(probe)
        if settings.worker is None:
            probe.close()
        try:
            encryption = tls.certificates(settings)
            if encryption is None:
                port = server.add_insecure_port(str(wanted))
            else:
                port = server.add_secure_port(str(wanted), encryption.grpc_credentials())
        except RuntimeError as error:
            raise StartupFault(f"--grpc: cannot listen on {wanted}") from error
    await server.start()
    try:
        yield Address(wanted.host, port)
    finally:
        await backend.health.close()
        await server.stop(GRACE_S)


class _Uvicorn(uvicorn.Server):
    """uvicorn without its signal handlers: the composition root owns the signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _AddressGate:
    """The limits of addresses as the REST door asks for them, refusals counted like those of RPCs."""

    def __init__(self, limits: AddressLimits) -> None:
        self._limits = limits
        self.leave = limits.leave

    def enter(self, address: str) -> grpc.Status | None:
        refusal = self._limits.enter(address)
        if refusal is None:
            return None
        metrics.REFUSALS.labels(refusal.reason).inc()
        return status.to_status(refusal)


def _facade(
    settings: Settings,
    channel: Any,  # noqa: ANN401 -- grpc.aio.Channel, or what stands in for it in one process
    gates: dict[str, Gate],
    limits: AddressLimits,
) -> ASGIApp:
    facade_settings = FacadeSettings(
        cors_origins=settings.cors_origin_list,
        max_inflight_bytes=settings.max_inflight_bytes,
        trusted_proxies=settings.trusted_proxy_list,
    )
    return create_app(facade_settings, channel, gates, _AddressGate(limits))


@asynccontextmanager
async def _rest_server(settings: Settings, facade: ASGIApp, stop: asyncio.Event) -> AsyncIterator[Address]:
    listener = listen(settings.rest_address, "--rest", shared=settings.worker is not None)
    proxies = Proxies(settings.trusted_proxy_list)
    connections = Connections(allowed_connections(), settings.address_at_once, proxies.trusts)
    config = uvicorn.Config(
        facade,
        http=partial(Bounded, connections=connections),  # type: ignore[arg-type]  # all uvicorn does is call it
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(GRACE_S),
    )
    encryption = tls.certificates(settings)
    if encryption is not None:
        config.load()
        config.ssl = encryption.rest_context()
    server = _Uvicorn(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    watching = asyncio.create_task(connections.watch())
    running.add_done_callback(lambda _task: stop.set())
    while not server.started and not running.done():  # noqa: ASYNC110 -- uvicorn tells by this flag alone
        await asyncio.sleep(0.01)
    if running.done():
        running.result()
        raise StartupFault("--rest: the server ended while it started; the log says why")
    try:
        yield bound(listener)
    finally:
        watching.cancel()
        server.should_exit = True
        await running


@contextmanager
def _stop_signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
