"""`healthguard doctor`: what an operator would check by hand before or while serving, one line each."""

import asyncio
import json
import secrets
import shutil
import ssl
import stat
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from server import disk_budget, program, tls
from server.address import Address, listen
from server.config import InvalidSettings, Settings
from server.errors import BlobsUnavailable, DomainError, StartupFault
from server.store import integrity, ledger
from server.store.blobs import BlobStore, directory_of, open_blobs
from server.store.engine import Engine
from server.store.migrate import SchemaState, schema_state
from server.store.space import Usage, usage

BUILT_S = 1_793_491_200
"""1 November 2026, when this program was made: an earlier clock is wrong."""

LARGEST_JUMP_S = 0.5
TIMEOUT_S = 2.0

LEDGER_FAULTS_TOLD = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    ok: bool
    name: str
    detail: str
    warns: bool = False
    """Nothing is wrong, but something is coming."""

    def __str__(self) -> str:
        sign = "FAULT" if not self.ok else "WARN " if self.warns else "ok   "
        return f"{sign} {self.name:<9} {self.detail}"


def examine(flags: Mapping[str, Any]) -> list[Finding]:
    """Every check, in the order in which their faults would show at start."""
    try:
        settings = Settings.load(**flags)
    except InvalidSettings as error:
        return [Finding(False, "settings", line) for line in error.lines]
    return [Finding(True, "settings", "valid"), *_checks(settings)]


def _checks(settings: Settings) -> Iterator[Finding]:
    if settings.tls_cert:
        yield _certificate(settings)
    yield _data_dir(settings.data_dir)
    yield _disk("disk", settings.data_dir, settings.disk_floor_bytes)
    yield from asyncio.run(_database(settings))
    yield from asyncio.run(_blobs(settings))
    yield clock(time.time, time.monotonic, time.sleep)
    ours = (_shows(settings.tls_cert),) * 2 if settings.tls_cert else (_answers_rest, _answers_grpc)
    yield _port("rest port", settings.rest_address, "--rest", ours[0])
    yield _port("grpc port", settings.grpc_address, "--grpc", ours[1])


def _certificate(settings: Settings) -> Finding:
    try:
        tls.certificates(settings)
    except StartupFault as error:
        return Finding(False, "tls", str(error))
    return Finding(True, "tls", f"{settings.tls_cert} and its key fit together")


def _data_dir(path: Path) -> Finding:
    there = _nearest(path)
    try:
        with TemporaryFile(dir=there):
            pass
    except OSError as error:
        return Finding(False, "data dir", f"cannot write to {there}: {error.strerror}")
    if there != path:
        return Finding(True, "data dir", f"{path} will be made at the first start")
    mode = path.stat().st_mode
    if mode & stat.S_IWOTH:
        return Finding(
            False, "data dir", f"{path} ({stat.filemode(mode)}) is open to everybody's writing; chmod 700 it"
        )
    return Finding(True, "data dir", f"{path} ({stat.filemode(mode)})")


def _disk(name: str, directory: Path, floor_bytes: int) -> Finding:
    free = shutil.disk_usage(_nearest(directory)).free
    detail = f"{_mib(free)} free; events are refused below {_mib(floor_bytes)} (HEALTHGUARD_DISK_FLOOR_BYTES)"
    return Finding(free > floor_bytes, name, detail)


async def _database(settings: Settings) -> list[Finding]:
    file = settings.sqlite_file
    if file is not None and not file.exists():
        made = "will be made at the first start"
        return [Finding(True, "database", f"{settings.database} {made}"), Finding(True, "schema", made)]
    if file is not None and (found := await asyncio.to_thread(integrity.damage, file)):
        return [Finding(False, "database", f"{file} is damaged ({found}); bring back a backup")]
    engine = Engine(settings.database)
    try:
        return await _open_database(settings, engine)
    except (DomainError, DBAPIError) as error:
        cause = error.__cause__ or error
        return [Finding(False, "database", f"{engine.display_url()}: {str(cause).strip().splitlines()[0]}")]
    finally:
        engine.close()


async def _open_database(settings: Settings, engine: Engine) -> list[Finding]:
    await engine.read(_ping)
    state = await asyncio.to_thread(schema_state, engine)
    found = [Finding(True, "database", engine.display_url()), _schema(state, engine.is_sqlite)]
    if state is SchemaState.CURRENT:
        local = settings.blobs.startswith("file:")
        found.append(_budget(await engine.read(usage, with_blobs=local), settings.disk_budget_bytes))
        found.append(_ledger(await engine.read(ledger.unbalanced, LEDGER_FAULTS_TOLD + 1)))
    return found


async def _blobs(settings: Settings) -> list[Finding]:
    """Whether a picture can be written, read and removed, and where it goes to a disk of its own, the room on that."""
    local = settings.blobs.startswith("file:")
    if local and not directory_of(settings.blobs).exists():
        return [Finding(True, "blobs", f"{settings.blobs} will be made at the first start")]
    try:
        store = open_blobs(settings.blobs)
        await _try(store)
    except (StartupFault, DomainError) as error:
        return [Finding(False, "blobs", f"{settings.blobs}: {error.__cause__ or error}".splitlines()[0])]
    in_memory = settings.blobs.startswith("memory:")
    found = [Finding(True, "blobs", settings.blobs + (": lost when the program ends" if in_memory else ""), in_memory)]
    if store.directory is not None and _device(store.directory) != _device(_nearest(settings.data_dir)):
        found.append(_disk("blob disk", store.directory, settings.disk_floor_bytes))
    return found


async def _try(store: BlobStore) -> None:
    key = f"doctor-{secrets.token_hex(8)}"
    try:
        await store.put(key, b"doctor")
        if await store.get(key) != b"doctor":
            raise BlobsUnavailable
    finally:
        await store.delete([key])


def _device(directory: Path) -> int:
    return directory.stat().st_dev


def _schema(state: SchemaState, is_sqlite: bool) -> Finding:
    if state is SchemaState.CURRENT:
        return Finding(True, "schema", "current")
    if state is SchemaState.NEWER:
        return Finding(False, "schema", "made by a newer HealthGuard Collector; upgrade this program")
    if is_sqlite:
        return Finding(True, "schema", f"{state.value}; brought up to date at the next start")
    return Finding(False, "schema", f"{state.value}; run: {program.command()} migrate")


def _budget(measured: Usage, limit_bytes: int) -> Finding:
    if not limit_bytes:
        return Finding(True, "budget", f"data takes {_mib(measured.used_bytes)}; no budget is set")
    warning = disk_budget.warning(measured, limit_bytes)
    detail = warning or f"data takes {_mib(measured.used_bytes)}"
    return Finding(
        True, "budget", f"{detail}; the budget is {_mib(limit_bytes)} (HEALTHGUARD_DISK_BUDGET_BYTES)", bool(warning)
    )


def _ledger(unbalanced: list[tuple[int, int]]) -> Finding:
    if not unbalanced:
        return Finding(True, "ledger", "received = stored + duplicate + rejected + limited, for each app and minute")
    told = ", ".join(f"app {app_id} at {_minute(minute)}" for app_id, minute in unbalanced[:LEDGER_FAULTS_TOLD])
    more = " and more" if len(unbalanced) > LEDGER_FAULTS_TOLD else ""
    return Finding(False, "ledger", f"received is not what became of it: {told}{more}")


def clock(wall: Callable[[], float], steady: Callable[[], float], sleep: Callable[[float], None]) -> Finding:
    """Whether the wall clock is past this program's making and moves as fast as time does."""
    wall_before, steady_before = wall(), steady()
    sleep(0.1)
    jump_s = (wall() - wall_before) - (steady() - steady_before)
    if wall_before < BUILT_S:
        return Finding(
            False, "clock", f"says {time.strftime('%Y-%m-%d', time.gmtime(wall_before))}, which is past already"
        )
    if abs(jump_s) > LARGEST_JUMP_S:
        return Finding(False, "clock", f"jumped by {jump_s:.1f} s while we looked; is it being set by two services?")
    return Finding(True, "clock", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(wall_before)))


def _port(name: str, address: Address, flag: str, is_ours: Callable[[Address], bool]) -> Finding:
    if address.port == 0:
        return Finding(True, name, f"{address}: the system picks a free port")
    try:
        listen(address, flag).close()
    except StartupFault as error:
        return Finding(True, name, f"{address} answers") if is_ours(address) else Finding(False, name, str(error))
    return Finding(True, name, f"{address} is free")


def _shows(certificate: str) -> Callable[[Address], bool]:
    """Asks whether what answers at an address shows our certificate."""

    def shows(address: Address) -> bool:
        try:
            shown = ssl.get_server_certificate(address, timeout=TIMEOUT_S)
            return "".join(shown.split()) in "".join(Path(certificate).read_text().split())
        except (OSError, ValueError):
            return False

    return shows


def _answers_rest(address: Address) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy would answer for others
    try:
        with direct.open(f"http://{address}/health", timeout=TIMEOUT_S) as answer:
            body = json.loads(answer.read(1_000))
    except (OSError, ValueError):
        return False
    return isinstance(body, dict) and body.get("service") == "healthguard-server"


def _answers_grpc(address: Address) -> bool:
    with grpc.insecure_channel(str(address), [("grpc.enable_http_proxy", 0)]) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def _nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def _ping(session: Session) -> None:
    session.connection().execute(text("SELECT 1"))


def _minute(minute: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(minute * 60))


def _mib(size: int) -> str:
    return f"{size / 1_048_576:,.0f} MiB"
