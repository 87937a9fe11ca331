"""PostgreSQL for tests: the server that an environment variable names, or a private one that lives as long as the run."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

DSN_VARIABLE = "HEALTHGUARD_TEST_POSTGRES"
HOW_TO_GET_ONE = f"install PostgreSQL (on Debian: apt-get install postgresql), or name a server in {DSN_VARIABLE}"


class PostgresMissing(Exception):
    """There is no server to be had on this machine."""


class Databases:
    """Makes fresh databases on the server behind `url`, and drops them all in the end."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._made: list[str] = []

    def create(self, like: str = "template1") -> str:
        """The SQLAlchemy URL of a new database: empty, or a copy of the one named `like`, which nobody may have open."""
        name = f"healthguard_test_{uuid4().hex[:16]}"
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(like)))
        self._made.append(name)
        return self._url.set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)

    def drop_all(self) -> None:
        for name in self._made:
            self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(_dsn(self._url), autocommit=True) as connection:
            connection.execute(statement)


class PrivateServer:
    """A PostgreSQL of our own on a Unix socket in a temporary directory; no port, so nothing to collide with."""

    def __init__(
        self, max_connections: int = 200, *, fsync: bool = False, env: Mapping[str, str] | None = None
    ) -> None:
        """`fsync` is off for most: these tests kill the collector, never the machine. `env` is added to the server's."""
        self._options = f"-c max_connections={max_connections} -c fsync={'on' if fsync else 'off'}"
        self._env = os.environ | (env or {})
        self._bin = _binaries()
        # Directly below the temporary directory: a socket path longer than 107 bytes cannot be bound.
        self._home = Path(tempfile.mkdtemp(prefix="hgpg"))
        self._data = self._home / "data"
        self._as_owner: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self._home, "postgres", "postgres")
            self._as_owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        self._call("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()

    @property
    def url(self) -> URL:
        return make_url(f"postgresql+psycopg://postgres@/postgres?host={self._home}")

    def start(self) -> None:
        options = f"-k {self._home} -c listen_addresses='' {self._options}"
        self._call("pg_ctl", "-D", str(self._data), "-w", "-l", str(self._home / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop at once, cutting every connection; what was committed stays."""
        self._call("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._home)

    def _call(self, program: str, *arguments: str) -> None:
        # Output to a file, not a pipe: the server inherits it and would keep a pipe open for ever.
        with (self._home / "calls").open("ab") as output:
            command = [*self._as_owner, self._bin / program, *arguments]
            subprocess.run(command, cwd="/", stdout=output, stderr=output, env=self._env, check=True)


def _dsn(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _binaries() -> Path:
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    on_path = shutil.which("initdb")
    if newest is None and on_path is None:
        raise PostgresMissing(f"no PostgreSQL server programs found: {HOW_TO_GET_ONE}")
    return (newest or Path(str(on_path))).parent
