"""`motcua up` as a user runs it: a foreground process with its own folder and ports."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from motcua.local.embedded import kafka
from motcua.local.embedded.ports import free_port
from motcua.local.keys import read_tokens
from tests.support.waiting import eventually_sync

IS_UP = " is up. "


@dataclass(slots=True)
class Up:
    """One installation, which can be started and stopped repeatedly in the same folder."""

    home: Path
    environment: dict[str, str]
    http_port: int
    log: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @classmethod
    def on_free_ports(cls, home: Path, toolchain: kafka.Toolchain) -> "Up":
        """An installation in `home` on free ports, with the jar cache of the other tests."""
        http_port = free_port(span=6)
        ports = {
            "MOTCUA_KAFKA_PORT": free_port(span=2),
            "MOTCUA_DATABASE_PORT": free_port(),
            "MOTCUA_HTTP_PORT": http_port,
            "MOTCUA_SMTP_PORT": free_port(),
            "MOTCUA_SMTP_CONTROL_PORT": free_port(),
            "MOTCUA_SMS_PORT": free_port(),
        }
        environment = {**os.environ, "MOTCUA_HOME": str(home)}  # noqa: TID251 - the command inherits the environment, as from a shell
        environment["MOTCUA_CACHE"] = str(toolchain.jars.parent)
        environment |= {name: str(port) for name, port in ports.items()}
        return cls(home, environment, http_port, home / "up.log")

    @property
    def output(self) -> str:
        """The output since the last start."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def launch(self) -> None:
        """Start the process without waiting."""
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "motcua", "up"], env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )

    def start(self) -> None:
        """Start the process and wait until it prints that the centre is up."""
        self.launch()
        eventually_sync(lambda: IS_UP in " ".join(self.output.split()) or self.exit_code is not None, within=120)
        assert self.exit_code is None, self.output

    @property
    def exit_code(self) -> int | None:
        """The exit status; None while the process runs."""
        return self._process.poll() if self._process else None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, as Ctrl-C or an init system does."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, *, within: float = 60.0) -> int:
        """Wait for the end of the process; returns the exit status."""
        assert self._process is not None
        return self._process.wait(within)

    def processes(self) -> list[psutil.Process]:
        """The running processes that it has started, at any depth."""
        assert self._process is not None
        try:
            return psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def pid_of(self, service: str) -> int:
        """The process id of one service."""
        wanted = f"services.{service}"
        return next(process.pid for process in self.processes() if wanted in process.cmdline())

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run another `motcua` command in the same environment."""
        arguments = [sys.executable, "-m", "motcua", *command]
        return subprocess.run(arguments, env=self.environment, capture_output=True, text=True, timeout=60, check=False)

    def client(self, service: str, key: str) -> httpx.Client:
        """A client of a service with the API key of that variable, for example `CLERK_41`."""
        offset = ("desk", "intake", "routing", "sla", "notify", "ops").index(service)
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.http_port + offset}",
            headers={"Authorization": f"Bearer {read_tokens(self.home)[key]}"},
            timeout=20.0,
            trust_env=False,
        )

    def end(self) -> None:
        """End the process with SIGTERM, and with SIGKILL after a minute."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


@contextmanager
def installed(home: Path, toolchain: kafka.Toolchain) -> Iterator[Up]:
    """An installation that is ended at the end of the context."""
    up = Up.on_free_ports(home, toolchain)
    try:
        yield up
    finally:
        up.end()
