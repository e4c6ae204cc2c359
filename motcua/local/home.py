"""The lock on a home folder: at most one running centre uses it."""

import fcntl
import os
from pathlib import Path

from shared.kernel.errors import StartError

LOCK_FILE = "running"


class HomeLock:
    """An exclusive lock (flock) on the home folder of a centre; released by the operating system when the process ends.

    Two centres in one folder would corrupt each other's Kafka log, even with different ports.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / LOCK_FILE
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Lock the folder, and create it if missing. Does not wait and does nothing if this object has the lock.

        Raises StartError if another process has the lock, or the folder cannot be written.
        """
        if self._descriptor is not None:
            return
        home = self._path.parent
        try:
            home.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StartError(
                f"The folder {home} cannot be written ({error.strerror}). Choose another with MOTCUA_HOME."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 20, 0).decode() or "unknown"
            os.close(descriptor)
            raise StartError(
                f"A centre already runs in {home} (process {holder}). Use that one, stop it with Ctrl-C in its "
                "terminal, or choose another folder with MOTCUA_HOME and other ports."
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock. Does nothing if this object does not have it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
