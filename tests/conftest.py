"""Fixtures that every kind of test shares: the engines, the running program, and the recordings."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import collector as programs, figures, postgres as pg
from tests.client import Rest
from tests.collector import ROOT, Collector, environment
from tests.forks import Forks

ENGINES = ("sqlite", "postgresql")
# Tests register more users from one address than a person would; the throttle has tests of its own.
UNTHROTTLED = {"HEALTHGUARD_REGISTRATIONS_PER_HOUR": "1000000"}
RECORDINGS = ROOT.parent / "shared" / "golden"
IN_CI = os.environ.get("CI") == "true"
FORKS = Forks(ROOT, environment(None))

StartCollector = Callable[..., Collector]


def pytest_configure() -> None:
    """A run that is cancelled ends the servers it started, as Ctrl-C does. A busy machine fails no property."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Programs are forks of one that has made their imports, but where a test is about how they begin or what they take."""
    programs.forks = None if item.get_closest_marker("real_start") else FORKS


def pytest_unconfigure() -> None:
    FORKS.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests counted while they ran."""
    for line in figures.lines():
        terminalreporter.write_line(line)


def unavailable(what: str) -> None:
    """Skip where somebody works on a machine without `what`; fail where the project is judged."""
    if IN_CI:
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    """The recordings, which lie beside the checkout."""
    if not RECORDINGS.is_dir():
        unavailable("no recordings: ../shared/golden is not there")
    return RECORDINGS


@pytest.fixture(scope="session")
def private_postgres() -> Iterator[pg.PrivateServer]:
    """A PostgreSQL server that the test may stop and start."""
    try:
        server = pg.PrivateServer()
    except pg.PostgresMissing as missing:
        unavailable(str(missing))
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[pg.Databases]:
    """Fresh PostgreSQL databases, on the server the environment names or on a private one."""
    named = os.environ.get(pg.DSN_VARIABLE)
    if not named:
        yield pg.Databases(request.getfixturevalue("private_postgres").url)
        return
    databases = pg.Databases(pg.make_url(named))
    yield databases
    databases.drop_all()


@pytest.fixture(scope="session")
def new_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Makes an empty database of the named engine and tells its URL; the schema is not in it yet."""

    def make(engine: str) -> str:
        if engine == "postgresql":
            url: str = request.getfixturevalue("postgres").create()
            return url
        return f"sqlite:///{tmp_path_factory.mktemp('sqlite')}/healthguard.db"

    return make


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of the engine under test: everything that asks for it runs on both."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with the schema in it and nobody's, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "healthguard.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_database(postgres: pg.Databases) -> str:
    """The name of a PostgreSQL database with the schema in it, to be copied."""
    url = postgres.create()
    migrate(url)
    return str(pg.make_url(url).database)


@pytest.fixture(scope="session")
def migrated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Makes a database of the named engine with the schema in it and tells its URL: to migrate once is enough."""

    def make(engine: str) -> str:
        if engine == "postgresql":
            like = request.getfixturevalue("migrated_database")
            url: str = request.getfixturevalue("postgres").create(like=like)
            return url
        file = tmp_path_factory.mktemp("sqlite") / "healthguard.db"
        shutil.copyfile(request.getfixturevalue("migrated_file"), file)
        return f"sqlite:///{file}"

    return make


def migrate(url: str) -> None:
    """Bring a database to the schema, as `healthguard migrate` does."""
    # Half a second of imports, which tests without a database need not wait for.
    from server.store.engine import Engine  # noqa: PLC0415
    from server.store.migrate import upgrade  # noqa: PLC0415

    with closing(Engine(url)) as store:
        upgrade(store)


@pytest.fixture(scope="session")
def start_on(migrated: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> StartCollector:
    """Starts the program on a fresh database of the named engine, or on the one at `url`. The caller closes it."""

    def start(
        engine: str, *options: str, command: str = "serve", url: str = "", env: dict[str, str] | None = None
    ) -> Collector:
        if engine == "postgresql" and url:
            migrate(url)
        url = url or migrated(engine)
        data_dir = tmp_path_factory.mktemp("data")
        collector = Collector(data_dir, command, "--database-url", url, *options, env=env)
        collector.database_url = url
        return collector

    return start


@pytest.fixture
def start_collector(start_on: StartCollector) -> Iterator[StartCollector]:
    """Like `start_on`, and closes whatever is still running when the test ends."""
    with ExitStack() as running:
        yield lambda *args, **options: running.enter_context(start_on(*args, **options))


@pytest.fixture(scope="session")
def shared_sqlite(start_on: StartCollector) -> Iterator[Collector]:
    """One collector on SQLite for all tests that only add users of their own."""
    with start_on("sqlite", env=UNTHROTTLED) as collector:
        yield collector


@pytest.fixture(scope="session")
def shared_postgresql(start_on: StartCollector) -> Iterator[Collector]:
    """One collector on PostgreSQL for all tests that only add users of their own."""
    with start_on("postgresql", env=UNTHROTTLED) as collector:
        yield collector


@pytest.fixture
def collector(engine: str, request: pytest.FixtureRequest) -> Collector:
    """The shared collector of the engine under test."""
    shared: Collector = request.getfixturevalue(f"shared_{engine}")
    return shared


@pytest.fixture
def connect() -> Iterator[Callable[[str], Rest]]:
    """Makes clients of REST doors, which are closed when the test ends."""
    with ExitStack() as clients:
        yield lambda base: clients.enter_context(Rest(base))


@pytest.fixture
def rest(collector: Collector, connect: Callable[[str], Rest]) -> Rest:
    """A client of the shared collector's REST door."""
    return connect(collector.rest)
