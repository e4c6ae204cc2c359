"""The folder below which a local centre keeps what it writes: at most one running centre has it."""

import fcntl
import os
from pathlib import Path

from shared.kernel.errors import StartError

LOCK_FILE = "running"


class HomeLock:
    """Held from start to stop, and let go by the system however the process ends.

    Two centres on one folder would write each other's Kafka log to pieces, whichever ports they have.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / LOCK_FILE
        self._descriptor: int | None = None

    def take(self) -> None:
        """Make the folder if need be. Raises StartError if another process has it, or nothing can be written there."""
        if self._descriptor is not None:
            return
        home = self._path.parent
        try:
            home.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StartError(
                f"The folder {home} cannot be written ({error.strerror}): choose another with MOTCUA_HOME."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 20, 0).decode() or "another"
            os.close(descriptor)
            raise StartError(
                f"A centre already runs on {home} (process {holder}): use that one, end it with Ctrl-C in its "
                "terminal, or choose another folder with MOTCUA_HOME and ports of its own."
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor

    def give_back(self) -> None:
        """Let another centre have the folder. Does nothing if it was not taken."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
