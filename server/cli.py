"""The command line: every subcommand and its flags. Faults are told in one line each, never as a traceback."""

import warnings
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer
import uvloop

import server.backup
import server.data_dir
import server.demo
import server.demo_client
import server.doctor
import server.migrate
import server.restore
import server.workers
from server import cli_token, cli_user, logs
from server.address import Addresses
from server.banner import banner
from server.cli_options import BlobUrl, DatabaseUrl, DataDir, faults_in_one_line, flag
from server.config import Settings
from server.errors import StartupFault
from server.store.commit_process import CommitProcess

Rest = Annotated[str | None, flag("--rest", "HOST:PORT", "Where REST listens.", "127.0.0.1:3100")]
Grpc = Annotated[str | None, flag("--grpc", "HOST:PORT", "Where gRPC listens.", "127.0.0.1:3101")]
Archive = Annotated[Path, typer.Argument(metavar="FILE", help="The backup, say shop.tar.zst.")]
Workers = Annotated[int | None, flag("--workers", "N", "Processes that share the ports; SQLite allows one.", "1")]
Target = Annotated[str | None, flag("--target", "HOST:PORT", "The gRPC server that REST talks to.", "none, and needed")]

Days = Annotated[
    int,
    typer.Option("--days", metavar="N", min=0, max=29, help="Fill three apps with so many days of traffic instead."),
]

app = typer.Typer(
    name="healthguard",
    help="HealthGuard Collector takes errors, requests and performance events from your clients and groups them into issues.",
    epilog="Every flag has a variable: --data-dir is HEALTHGUARD_DATA_DIR. A flag wins over its variable.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(cli_token.app, name="token")
app.add_typer(cli_user.app, name="user")


def main() -> None:
    """Run the command line."""
    app(prog_name="healthguard")


@app.command()
def serve(
    rest: Rest = None,
    grpc: Grpc = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    blob_url: BlobUrl = None,
    workers: Workers = None,
) -> None:
    """Serve REST and gRPC."""
    with faults_in_one_line():
        settings = Settings.load(
            rest=rest, grpc=grpc, data_dir=data_dir, database_url=database_url, blob_url=blob_url, workers=workers
        )
        _run("serve", settings)


@app.command("serve-grpc")
def serve_grpc(
    grpc: Grpc = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    blob_url: BlobUrl = None,
    workers: Workers = None,
) -> None:
    """Serve gRPC alone; REST may run elsewhere by serve-rest."""
    with faults_in_one_line():
        settings = Settings.load(
            grpc=grpc, data_dir=data_dir, database_url=database_url, blob_url=blob_url, workers=workers
        )
        _run("serve-grpc", settings)


@app.command("serve-rest")
def serve_rest(target: Target = None, rest: Rest = None, data_dir: DataDir = None, workers: Workers = None) -> None:
    """Serve REST alone, in front of a gRPC server that runs elsewhere."""
    with faults_in_one_line():
        settings = Settings.load(with_store=False, target=target, rest=rest, data_dir=data_dir, workers=workers)
        if not settings.target:
            raise StartupFault("--target (HEALTHGUARD_TARGET): serve-rest needs the HOST:PORT of a gRPC server")
        _run("serve-rest", settings)


@app.command()
def migrate(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Bring the database to the schema of this program. SQLite does so by itself at start, PostgreSQL never."""
    with faults_in_one_line():
        settings = Settings.load(data_dir=data_dir, database_url=database_url)
        _configure_logs(settings)
        typer.echo(server.migrate.migrate(settings))


@app.command()
def backup(file: Archive, data_dir: DataDir = None, database_url: DatabaseUrl = None, blob_url: BlobUrl = None) -> None:
    """Write database, pictures and key into one file, while the program serves."""
    with faults_in_one_line():
        settings = Settings.load(data_dir=data_dir, database_url=database_url, blob_url=blob_url)
        _configure_logs(settings)
        typer.echo(server.backup.backup(settings, file))


@app.command()
def restore(
    file: Archive, data_dir: DataDir = None, database_url: DatabaseUrl = None, blob_url: BlobUrl = None
) -> None:
    """Bring a backup back into an empty data directory or database."""
    with faults_in_one_line():
        settings = Settings.load(data_dir=data_dir, database_url=database_url, blob_url=blob_url)
        _configure_logs(settings)
        typer.echo(server.restore.restore(settings, file))


@app.command()
def doctor(
    rest: Rest = None,
    grpc: Grpc = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    blob_url: BlobUrl = None,
) -> None:
    """Check settings, data directory, disk, database, schema, budget, ledger, blobs, clock and ports; exit 1 on a fault."""
    flags = {"rest": rest, "grpc": grpc, "data_dir": data_dir, "database_url": database_url, "blob_url": blob_url}
    findings = server.doctor.examine(flags)
    for finding in findings:
        typer.echo(str(finding))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def demo(rest: Rest = None, days: Days = 0) -> None:
    """Send sample events of a new user to the running collector and show where to look."""
    with faults_in_one_line():
        settings = Settings.load(with_store=False, rest=rest)
        client = server.demo_client.Client(settings.rest_address, settings.tls_cert)
        if days:
            server.demo.fill(client, days, typer.echo)
        else:
            server.demo.play(client, typer.echo)


def _run(command: str, settings: Settings) -> None:
    _configure_logs(settings)
    if command != "serve-rest":
        server.data_dir.prepare(settings.data_dir)
    if settings.workers > 1:
        if not uvloop.run(server.workers.supervise(settings, command, lambda at: _tell(settings, at))):
            raise typer.Exit(1)
        return
    has_store = command != "serve-rest"
    with ExitStack() as stack:
        commits = stack.enter_context(closing(CommitProcess(settings.database))) if has_store else None
        if settings.worker is not None:
            server.workers.follow_parent()
        # Connexion imports Starlette's test client, which warns whoever starts the program.
        warnings.filterwarnings("ignore", message=".*starlette.testclient")
        from server.app import serve as serve_doors  # noqa: PLC0415 -- a second of imports that nothing before needs

        doors = {"rest_door": command != "serve-grpc", "grpc_door": has_store}
        uvloop.run(serve_doors(settings, **doors, commits=commits, ready=lambda at: _tell(settings, at)))


def _tell(settings: Settings, addresses: Addresses) -> None:
    """Say that everything listens: to a person, or to the parent of several workers."""
    print(banner(settings, addresses) if settings.worker is None else server.workers.READY, flush=True)  # noqa: T201


def _configure_logs(settings: Settings) -> None:
    logs.configure(settings.log_format, settings.log_level)
