"""The installation's secret, by which it recognises what it signed itself."""

import os
import secrets
from pathlib import Path

from server.config import Settings
from server.errors import StartupFault

FILE = "secret.key"
PREVIOUS_FILE = "secret.key.previous"
"""Where an operator leaves the key file that was in force before, until nothing signed with it is out any more."""

_BYTES = 32


def load(settings: Settings) -> bytes:
    """HEALTHGUARD_SECRET, else the key file of the data directory, made on first use for its owner's eyes only.

    Machines that share a database need the same secret, or a list begun on one cannot be continued on another.
    Raises StartupFault when the file cannot be read or made.
    """
    given = settings.secret.get_secret_value()
    if given:
        return given.encode()
    path = settings.data_dir / FILE
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _create(path)
        key = path.read_bytes()
    except OSError as error:
        raise StartupFault(f"--data-dir: cannot keep {path}: {error.strerror}") from error
    if len(key) < _BYTES:
        raise StartupFault(f"--data-dir: {path} is damaged; delete it to get a new one (open page tokens end)")
    return key


def load_all(settings: Settings) -> list[bytes]:
    """The secret in force and then those that were before: HEALTHGUARD_PREVIOUS_SECRETS and the previous key file.

    Raises StartupFault as `load` does.
    """
    secrets_in_force = [load(settings), *(previous.encode() for previous in settings.previous_secret_list)]
    path = settings.data_dir / PREVIOUS_FILE
    try:
        if path.exists():
            secrets_in_force.append(path.read_bytes())
    except OSError as error:
        raise StartupFault(f"--data-dir: cannot read {path}: {error.strerror}") from error
    return secrets_in_force


def _create(path: Path) -> None:
    """Write a whole new key and put it in place at once; of several workers the first wins and all read its key."""
    draft = path.with_name(f"{FILE}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
