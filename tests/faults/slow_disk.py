"""A disk that takes its time: a small library, made with the system's compiler, that decides how long syncs take."""

import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
HOW_TO_GET_ONE = "no C compiler found: install gcc (on Debian: apt-get install gcc libc6-dev)"


class CompilerMissing(Exception):
    """There is no C compiler on this machine."""


class SlowDisk:
    """What programs started with `env` see of their disk; as fast as can be until told otherwise."""

    def __init__(self) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise CompilerMissing(HOW_TO_GET_ONE)
        self._home = Path(tempfile.mkdtemp(prefix="hgslow"))
        self._home.chmod(0o755)  # PostgreSQL runs as another user
        library, self._told = self._home / "slow_disk.so", self._home / "ms"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True)
        self.env = {"LD_PRELOAD": str(library), "SLOW_DISK": str(self._told)}
        self._waited = self._home / "ms.waited"
        self._waited.touch()
        self._waited.chmod(0o666)
        self.takes(0)

    def takes(self, milliseconds: int) -> None:
        """From now on each sync takes so much longer."""
        self._told.write_text(str(milliseconds))

    @property
    def waited(self) -> int:
        """How many syncs have been slow."""
        return self._waited.stat().st_size

    def remove(self) -> None:
        shutil.rmtree(self._home)
