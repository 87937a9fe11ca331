"""`healthguard restore`: brings a backup back into an empty place, all of it or, as far as the database goes, nothing."""

import asyncio
import os
import re
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from sqlmodel import Session

from server import data_dir
from server.archive import Manifest, UnreadableArchive, entries, sync_directory, verified
from server.backup import BLOBS, DATABASE, SECRETS
from server.config import Settings
from server.errors import StartupFault
from server.secret import FILE, PREVIOUS_FILE
from server.store import dump, integrity
from server.store.blobs import BlobStore, open_blobs
from server.store.engine import Engine
from server.store.migrate import SchemaState, knows, schema_state, upgrade, upgrade_on

_BLOB_KEY = re.compile(r"[0-9]{1,19}/[0-9a-f]{2}/[0-9a-f]{64}")

LoadDatabase = Callable[[str, IO[bytes]], None]


def restore(settings: Settings, source: Path) -> str:
    """Verify the archive, bring everything back, and say in one line what came. Raises StartupFault."""
    if not source.is_file():
        raise StartupFault(f"there is no backup at {source}")
    manifest = verified(source)
    _refuse_foreign(settings, manifest)
    data_dir.prepare(settings.data_dir)
    blobs = open_blobs(settings.blobs)
    if settings.sqlite_file is not None:
        _into_sqlite(settings, source, blobs, settings.sqlite_file)
    else:
        _into_postgresql(settings, source, blobs, manifest)
    pictures = sum(name.startswith(BLOBS) for name in manifest.members)
    return f"restored {source}: {manifest.engine} at {manifest.revision}, {pictures} pictures"


def _refuse_foreign(settings: Settings, manifest: Manifest) -> None:
    engine = "sqlite" if settings.uses_sqlite else "postgresql"
    if manifest.engine != engine:
        raise StartupFault(f"--database-url: this is a backup of {manifest.engine}, which {engine} cannot take in")
    if not knows(manifest.revision):
        raise StartupFault(f"the backup has the newer schema {manifest.revision}; upgrade this program")


def _into_sqlite(settings: Settings, source: Path, blobs: BlobStore, file: Path) -> None:
    draft = file.with_name(f"{file.name}.restored")

    def load(_name: str, content: IO[bytes]) -> None:
        _write(draft, content)

    with ExitStack() as stack:
        stack.enter_context(integrity.sole_user(file))
        if file.exists():
            raise StartupFault(f"{file} is there already; move it away, or give a --data-dir of its own")
        stack.callback(draft.unlink, missing_ok=True)
        asyncio.run(_unpack(settings, source, blobs, load))
        if found := integrity.damage(draft):
            raise UnreadableArchive(f"the database in {source} is damaged ({found})")
        draft.rename(file)
        sync_directory(file.parent)


def _into_postgresql(settings: Settings, source: Path, blobs: BlobStore, manifest: Manifest) -> None:
    engine = Engine(settings.database)
    try:
        if schema_state(engine) is not SchemaState.EMPTY:
            raise StartupFault("the database is not empty; make a new one and name it by --database-url")
        with Session(engine.sync_engine()) as session, session.begin():
            upgrade_on(session.connection(), manifest.revision)
            if dump.tables_of(session) != set(manifest.tables):
                raise UnreadableArchive(f"{source} does not hold the tables of schema {manifest.revision}")

            def load(table: str, content: IO[bytes]) -> None:
                dump.load_table(session, table, manifest.tables[table], content)

            asyncio.run(_unpack(settings, source, blobs, load))
            dump.continue_sequences(session)
        upgrade(engine)
    finally:
        engine.close()


async def _unpack(settings: Settings, source: Path, blobs: BlobStore, load: LoadDatabase) -> None:
    for name, content in entries(source):
        kind, rest = name.partition("/")[0] + "/", name.partition("/")[2]
        if kind == BLOBS and _BLOB_KEY.fullmatch(rest):
            await blobs.put(rest, content.read())
        elif kind == DATABASE and "/" not in rest:
            load(rest, content)
        elif kind == SECRETS and rest in {FILE, PREVIOUS_FILE}:
            if not (settings.data_dir / rest).exists():
                _write(settings.data_dir / rest, content)
        else:
            raise UnreadableArchive(f"{source} holds {name!r}, which no backup does")


def _write(path: Path, content: IO[bytes]) -> None:
    with path.open("wb") as file:
        shutil.copyfileobj(content, file)
        file.flush()
        os.fsync(file.fileno())
