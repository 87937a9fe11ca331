"""`healthguard user`: what whoever runs the server does for users who lost their password."""

import asyncio
import secrets

import typer

from server.cli_options import DatabaseUrl, DataDir, faults_in_one_line
from server.config import Settings
from server.errors import UserNotFound
from server.opened import opened
from server.passwords import Passwords
from server.services.auth import normalised
from server.store import users

app = typer.Typer(help="Accounts, and the data of end users.", no_args_is_help=True)


@app.command()
def reset(email: str, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Give a user a new random password, print it this once, and end all their sessions."""
    with faults_in_one_line():
        settings = Settings.load(data_dir=data_dir, database_url=database_url)
        password = secrets.token_urlsafe(15)
        ended = asyncio.run(_reset(settings, normalised(email), password))
        typer.echo(f"sessions ended: {ended}", err=True)
        typer.echo(password)


async def _reset(settings: Settings, email: str, password: str) -> int:
    hashed = await Passwords().hash(password)
    async with opened(settings) as engine:
        ended = await engine.write(users.reset_password, email, hashed)
    if ended is None:
        raise UserNotFound
    return ended
