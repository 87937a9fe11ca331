"""What several commands share: their flags, and how they tell faults."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError

from server.config import InvalidSettings
from server.errors import DomainError, StartupFault


def flag(name: str, metavar: str, text: str, default: str) -> typer.models.OptionInfo:
    """An option of the command line; its default is only told here."""
    # Settings holds the defaults, because a flag that is not given must not hide its variable.
    option: typer.models.OptionInfo = typer.Option(name, metavar=metavar, help=f"{text} (default: {default})")
    return option


DataDir = Annotated[Path | None, flag("--data-dir", "DIR", "Where everything is kept.", "./healthguard-data")]
DatabaseUrl = Annotated[
    str | None,
    flag("--database-url", "URL", "SQLite or PostgreSQL (postgresql+psycopg://...).", "a file in the data directory"),
]
BlobUrl = Annotated[
    str | None, flag("--blob-url", "URL", "file://, s3:// or memory://", "a folder of the data directory")
]


@contextmanager
def faults_in_one_line() -> Iterator[None]:
    """Tell faults in one line each, never as a traceback, and exit with 1."""
    try:
        yield
    except InvalidSettings as error:
        _fail(*error.lines)
    except (StartupFault, DomainError, OSError) as error:
        _fail(str(error))
    except DBAPIError as error:
        _fail(f"--database-url (HEALTHGUARD_DATABASE_URL): {_first_line(error.orig or error)}")


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0]


def _fail(*lines: str) -> None:
    for line in lines:
        typer.echo(f"healthguard: {line}", err=True)
    raise typer.Exit(1)
