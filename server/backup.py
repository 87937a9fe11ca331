"""`healthguard backup`: one file that holds the database at one instant, every picture it shows, and the installation's key.

Pictures are copied before the database is and again after it: what the first round takes cannot be removed any more, and
what came in between is younger than anything that is ever removed.
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from sqlmodel import Session

from server import clock, program, secret
from server.archive import ArchiveWriter, Manifest, write
from server.config import Settings
from server.errors import StartupFault
from server.store import dump, images, integrity
from server.store.blobs import BlobStore, open_blobs
from server.store.engine import Engine
from server.store.images import Blob
from server.store.migrate import SchemaState, schema_state

AT_ONCE = 1_000

DATABASE, BLOBS, SECRETS = "database/", "blobs/", "secrets/"
"""Where an archive keeps what."""


def backup(settings: Settings, target: Path) -> str:
    """Write the archive while the program serves, and say in one line what is in it. Raises StartupFault."""
    if target.exists():
        raise StartupFault(f"{target} is there already; a backup never overwrites one")
    if not target.absolute().parent.is_dir():
        raise StartupFault(f"{target.parent} is not there")
    if settings.blobs.startswith("memory:"):
        raise StartupFault("--blob-url (HEALTHGUARD_BLOB_URL): pictures in memory can be read by their server alone")
    if settings.sqlite_file is not None and not settings.sqlite_file.exists():
        raise StartupFault(f"there is no database at {settings.sqlite_file}")
    engine = Engine(settings.database)
    try:
        if schema_state(engine) is SchemaState.EMPTY:
            raise StartupFault("the database is empty; there is nothing to back up")
        manifest = Manifest("sqlite" if engine.is_sqlite else "postgresql", "", program.version(), clock.now_ms())
        with write(target, manifest) as archive:
            _add_secrets(settings, archive)
            asyncio.run(_fill(engine, open_blobs(settings.blobs), archive))
    finally:
        engine.close()
    return _summary(target, manifest)


async def _fill(engine: Engine, blobs: BlobStore, archive: ArchiveWriter) -> None:
    copied: set[Blob] = set()
    after: Blob | None = None
    while found := await engine.read(images.stored_after, after, AT_ONCE):
        after = found[-1]
        await _add_blobs(blobs, archive, found, copied)
    shown = await engine.read(_add_database, archive)
    archive.manifest.missing_blobs = await _add_blobs(blobs, archive, shown, copied)


async def _add_blobs(blobs: BlobStore, archive: ArchiveWriter, wanted: Iterable[Blob], copied: set[Blob]) -> int:
    """Add the pictures that are not in the archive yet; how many there are none of."""
    missing = 0
    for blob in wanted:
        if blob in copied:
            continue
        data = await blobs.get(blob.key)
        if data is None:
            missing += 1
        else:
            archive.add_bytes(BLOBS + blob.key, data)
            copied.add(blob)
    return missing


def _add_database(session: Session, archive: ArchiveWriter) -> list[Blob]:
    """Add the database as it is at this instant; the pictures that it shows."""
    archive.manifest.revision = dump.freeze(session)
    room = Path(tempfile.mkdtemp(prefix="healthguard-backup-", dir=archive.directory))
    try:
        for dumped in dump.dump(session, room):
            if not dumped.table and (found := integrity.damage(dumped.path)):
                raise StartupFault(f"the database is damaged ({found}); no backup was made")
            archive.add_file(DATABASE + dumped.path.name, dumped.path)
            archive.manifest.tables |= {dumped.table: dumped.columns} if dumped.table else {}
    finally:
        shutil.rmtree(room)
    return images.stored_after(session, None, limit=sys.maxsize)


def _add_secrets(settings: Settings, archive: ArchiveWriter) -> None:
    for name in (secret.FILE, secret.PREVIOUS_FILE):
        path = settings.data_dir / name
        if path.exists():
            archive.add_file(SECRETS + name, path)


def _summary(target: Path, manifest: Manifest) -> str:
    pictures = sum(name.startswith(BLOBS) for name in manifest.members)
    size = f"{target.stat().st_size / 1_048_576:,.1f} MiB"
    missing = f"; {manifest.missing_blobs} pictures were not in the blob store" if manifest.missing_blobs else ""
    return f"{target}: {manifest.engine} at {manifest.revision}, {pictures} pictures, {size}{missing}"
