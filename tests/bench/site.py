"""The collector as a user would run it, on one engine, with an account and apps to work with."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from tests import postgres as pg
from tests.bench.database import Database, Postgresql, Sqlite
from tests.client import Account, Rest
from tests.collector import Collector, run

ENGINES = ("sqlite", "postgresql")


class BenchFault(Exception):
    """Why the bench cannot run here, in one line."""


class DurablePostgres(pg.PrivateServer):
    """The private PostgreSQL of the tests with its durability left on: a commit reaches the disk."""

    def start(self) -> None:
        options = f"-k {self._home} -c listen_addresses='' -c max_connections=200"
        self._call("pg_ctl", "-D", str(self._data), "-w", "-l", str(self._home / "log"), "-o", options, "start")

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])


class Engine:
    """Makes empty databases of one engine, their schema in place."""

    def __init__(self, name: str, directory: Path, stack: ExitStack) -> None:
        self.name = name
        self.directory = directory
        self._databases: pg.Databases | None = None
        self._postmaster: int | None = None
        if name == "postgresql":
            self._open_postgres(stack)

    def _open_postgres(self, stack: ExitStack) -> None:
        named = os.environ.get(pg.DSN_VARIABLE)
        if named:
            self._databases = pg.Databases(make_url(named))
        else:
            try:
                server = DurablePostgres()
            except pg.PostgresMissing as missing:
                raise BenchFault(str(missing)) from missing
            stack.callback(server.remove)
            self._postmaster = server.pid
            self._databases = pg.Databases(server.url)
        stack.callback(self._databases.drop_all)

    def create(self) -> Database:
        """An empty database at the newest schema."""
        database: Database
        if self._databases is None:
            database = Sqlite(f"sqlite:///{tempfile.mkdtemp(dir=self.directory)}/healthguard.db")
        else:
            database = Postgresql(self._databases.create(), self._postmaster)
        migration = run("migrate", "--database-url", database.url)
        if migration.returncode:
            raise BenchFault(f"healthguard migrate failed: {migration.stderr.strip()}")
        return database


class Site:
    """A running collector, its database, and one account that owns every app."""

    def __init__(self, collector: Collector, database: Database, rest: Rest) -> None:
        self.collector = collector
        self.database = database
        self.rest = rest
        self.account: Account = rest.register()

    @property
    def pid(self) -> int:
        return self.collector.process.pid

    def new_app(self, type: str = "web", **settings: Any) -> str:
        """The key of a new app."""
        app = self.rest.create_app(self.account, type)
        if settings:
            path, change = f"/api/apps/{app['id']}", {"settings": settings}
            self.rest.http.patch(path, json=change, headers=self.account.headers).raise_for_status()
        key: str = app["appKey"]
        return key


@contextmanager
def open_site(engine: Engine, workers: int = 1) -> Iterator[Site]:
    """Start the program on a fresh database; stop it in the end."""
    database = engine.create()
    data_dir = Path(tempfile.mkdtemp(dir=engine.directory))
    with Collector(data_dir, "serve", "--database-url", database.url, "--workers", str(workers)) as collector:
        with Rest(collector.rest) as rest:
            yield Site(collector, database, rest)
        collector.stop()
