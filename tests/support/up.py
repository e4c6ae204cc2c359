"""`motcua up` as a person runs it: a process in the foreground with its own folder and ports."""

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
    """One installation; `start` and `stop` may alternate on the same folder."""

    home: Path
    environment: dict[str, str]
    http_port: int
    log: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @classmethod
    def on_free_ports(cls, home: Path, toolchain: kafka.Toolchain) -> "Up":
        """A folder of its own, with the same cache of jars as the other tests."""
        http_port = free_port(span=6)
        ports = {
            "MOTCUA_KAFKA_PORT": free_port(span=2),
            "MOTCUA_DATABASE_PORT": free_port(),
            "MOTCUA_HTTP_PORT": http_port,
            "MOTCUA_SMTP_PORT": free_port(),
            "MOTCUA_SMTP_CONTROL_PORT": free_port(),
            "MOTCUA_SMS_PORT": free_port(),
        }
        environment = {**os.environ, "MOTCUA_HOME": str(home)}  # noqa: TID251 - a person's shell hands it on
        environment["MOTCUA_CACHE"] = str(toolchain.jars.parent)
        environment |= {name: str(port) for name, port in ports.items()}
        return cls(home, environment, http_port, home / "up.log")

    @property
    def output(self) -> str:
        """Everything it printed since the last start."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def launch(self) -> None:
        """Start it and do not wait."""
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "motcua", "up"], env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )

    def start(self) -> None:
        """Start it and wait until it prints that it is up."""
        self.launch()
        eventually_sync(lambda: IS_UP in " ".join(self.output.split()) or self.exit_code is not None, within=120)
        assert self.exit_code is None, self.output

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll() if self._process else None

    def signal(self, number: signal.Signals) -> None:
        """What Ctrl-C or an init system sends."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, *, within: float = 60.0) -> int:
        """Its exit status."""
        assert self._process is not None
        return self._process.wait(within)

    def processes(self) -> list[psutil.Process]:
        """Everything that it has started and that lives."""
        assert self._process is not None
        try:
            return psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def pid_of(self, service: str) -> int:
        """The process of one service."""
        wanted = f"services.{service}"
        return next(process.pid for process in self.processes() if wanted in process.cmdline())

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Another `motcua` command in the same environment."""
        arguments = [sys.executable, "-m", "motcua", *command]
        return subprocess.run(arguments, env=self.environment, capture_output=True, text=True, timeout=60, check=False)

    def client(self, service: str, key: str) -> httpx.Client:
        """Calls a service as the key of that variable (`CLERK_41`)."""
        offset = ("desk", "intake", "routing", "sla", "notify", "ops").index(service)
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.http_port + offset}",
            headers={"Authorization": f"Bearer {read_tokens(self.home)[key]}"},
            timeout=20.0,
            trust_env=False,
        )

    def end(self) -> None:
        """For certain: SIGTERM, and SIGKILL if that does not help."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


@contextmanager
def installed(home: Path, toolchain: kafka.Toolchain) -> Iterator[Up]:
    """An installation that is ended on exit."""
    up = Up.on_free_ports(home, toolchain)
    try:
        yield up
    finally:
        up.end()
