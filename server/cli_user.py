"""`healthguard user`: what whoever runs the server does for users who lost their password, and for end users' rights."""

import asyncio
import os
import secrets
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import orjson
import typer

from server import end_user
from server.cli_options import BlobUrl, DatabaseUrl, DataDir, faults_in_one_line
from server.config import Settings
from server.end_user import EndUser, Found
from server.errors import StartupFault, UserNotFound
from server.opened import opened
from server.passwords import Passwords
from server.services.auth import normalised
from server.store import users
from server.store.blobs import open_blobs

app = typer.Typer(help="Accounts, and the data of end users.", no_args_is_help=True)

AppKey = Annotated[str, typer.Option("--app", metavar="KEY", help="The app whose end user it is.")]
UserId = Annotated[str, typer.Option("--user-id", metavar="ID", help="The end user, as the app calls them.")]
AnonymousId = Annotated[str, typer.Option("--anonymous-id", metavar="ID", help="The end user, as the SDK calls them.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where to write (default: standard output).")]


@app.command()
def reset(email: str, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Give a user a new random password, print it this once, and end all their sessions."""
    with faults_in_one_line():
        settings = Settings.load(data_dir=data_dir, database_url=database_url)
        password = secrets.token_urlsafe(15)
        ended = asyncio.run(_reset(settings, normalised(email), password))
        typer.echo(f"sessions ended: {ended}", err=True)
        typer.echo(password)


def _whom(user_id: str, anonymous_id: str) -> EndUser:
    if not user_id and not anonymous_id:
        raise StartupFault("name the end user by --user-id, --anonymous-id or both")
    return EndUser(user_id, anonymous_id)


def _told(found: Found) -> str:
    return f"{found.events} events and {found.sessions} recorded sessions"


def _opened_file(out: Path | None) -> BinaryIO:
    """Standard output, or a new file for its owner alone; one that is there is no place for somebody's data."""
    if out is None:
        return os.fdopen(os.dup(1), "wb")
    return os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _put(file: BinaryIO, one: dict[str, Any]) -> None:
    file.write(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE))


async def _export(settings: Settings, app_key: str, whom: EndUser, write: end_user.Write) -> Found:
    async with opened(settings) as engine:
        return await end_user.export(engine, open_blobs(settings.blobs), app_key, whom, write)


async def _forget(settings: Settings, app_key: str, whom: EndUser) -> Found:
    async with opened(settings) as engine:
        return await end_user.forget(engine, app_key, whom)


async def _reset(settings: Settings, email: str, password: str) -> int:
    hashed = await Passwords().hash(password)
    async with opened(settings) as engine:
        ended = await engine.write(users.reset_password, email, hashed)
    if ended is None:
        raise UserNotFound
    return ended


@app.command()
def export(
    app_key: AppKey,
    user_id: UserId = "",
    anonymous_id: AnonymousId = "",
    out: Out = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    blob_url: BlobUrl = None,
) -> None:
    """Write all events and recorded sessions of one end user, an object of JSON a line."""
    with faults_in_one_line():
        settings = Settings.load(data_dir=data_dir, database_url=database_url, blob_url=blob_url)
        whom = _whom(user_id, anonymous_id)
        with _opened_file(out) as file:
            found = asyncio.run(_export(settings, app_key, whom, lambda one: _put(file, one)))
        typer.echo(f"{_told(found)} written", err=True)


@app.command()
def forget(
    app_key: AppKey,
    user_id: UserId = "",
    anonymous_id: AnonymousId = "",
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Remove all events and recorded sessions of one end user. Counters go on counting what was seen."""
    with faults_in_one_line():
        settings = Settings.load(data_dir=data_dir, database_url=database_url)
        found = asyncio.run(_forget(settings, app_key, _whom(user_id, anonymous_id)))
        typer.echo(f"{_told(found)} removed; their pictures follow within half an hour")
