"""`healthguard token`: tokens by which other services act for a user."""

import asyncio
import time
from typing import Annotated

import typer

from server import clock, contract
from server.cli_options import DatabaseUrl, DataDir, faults_in_one_line
from server.config import Settings
from server.errors import StartupFault
from server.ids import new_id, token_hash
from server.interceptors.auth import SERVICE_PREFIX
from server.opened import opened
from server.services.auth import normalised
from server.store import service_tokens
from server.store.service_tokens import NewServiceToken, ServiceToken

LONGEST_NAME = 100
DAY_MS = 86_400_000

app = typer.Typer(help="Tokens by which other services act for a user.", no_args_is_help=True)


@app.command()
def create(
    user: Annotated[str, typer.Option("--user", metavar="EMAIL", help="The user it acts for.")],
    name: Annotated[str, typer.Option("--name", help="What it is called in the list.")],
    scope: Annotated[list[str], typer.Option("--scope", help="read, write (issues) or admin (apps); may be repeated.")],
    days: Annotated[int | None, typer.Option("--days", min=1, max=3_650, help="Its life (default: no end).")] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a service token and print it, this once."""
    with faults_in_one_line():
        settings = Settings.load(data_dir=data_dir, database_url=database_url)
        typer.echo(asyncio.run(_create(settings, user, name, scope, days)))


@app.command("list")
def list_all(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """All service tokens, one a line: id, user, scopes, end, name."""
    with faults_in_one_line():
        for found in asyncio.run(_every(Settings.load(data_dir=data_dir, database_url=database_url))):
            ends = "-" if found.expires_ms is None else time.strftime("%Y-%m-%d", time.gmtime(found.expires_ms / 1_000))
            typer.echo(f"{found.public_id}  {found.email}  {','.join(found.scopes)}  {ends}  {found.name}")


@app.command()
def revoke(id: str, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Make a service token worthless, at once."""
    with faults_in_one_line():
        if not asyncio.run(_revoke(Settings.load(data_dir=data_dir, database_url=database_url), id)):
            raise StartupFault(f"there is no service token {id}; `token list` shows all")
        typer.echo(f"{id} is revoked")


async def _create(settings: Settings, email: str, name: str, scopes: list[str], days: int | None) -> str:
    unknown = sorted(set(scopes) - set(contract.SCOPES))
    if unknown:
        raise StartupFault(f"--scope: {unknown[0]!r} is none of {', '.join(contract.SCOPES)}")
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise StartupFault(f"--name: needs 1 to {LONGEST_NAME} printable characters")
    token, now_ms = new_id(SERVICE_PREFIX.rstrip("_")), clock.now_ms()
    new = NewServiceToken(
        public_id=new_id("service-token"),
        token_hash=token_hash(token),
        name=name,
        scopes=tuple(scope for scope in contract.SCOPES if scope in scopes),
        created_ms=now_ms,
        expires_ms=None if days is None else now_ms + days * DAY_MS,
    )
    async with opened(settings) as engine:
        await engine.write(service_tokens.create, normalised(email), new)
    return token


async def _every(settings: Settings) -> list[ServiceToken]:
    async with opened(settings) as engine:
        return await engine.read(service_tokens.every)


async def _revoke(settings: Settings, public_id: str) -> bool:
    async with opened(settings) as engine:
        return await engine.write(service_tokens.revoke, public_id)
