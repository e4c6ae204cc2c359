"""A service as a process of its own, as a centre runs it: started, asked, killed, started again."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support.asking import ask
from tests.support.waiting import eventually_sync

ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class ServiceProcess:
    """`python -m services.<service> run` with exactly these settings; its output goes to `log`."""

    service: str
    settings: Mapping[str, str]
    log: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """The base of its HTTP API."""
        return f"http://127.0.0.1:{self.settings[f'{self.service.upper()}_PORT']}"

    @property
    def pid(self) -> int:
        """Its process id, while it runs."""
        assert self._process is not None
        return self._process.pid

    def launch(self) -> None:
        """Start it without waiting."""
        stored = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}  # noqa: TID251 - a child needs its PATH
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"services.{self.service}", "run"],
                cwd=ROOT,
                env={**stored, **self.settings},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def start(self) -> None:
        """Start it and wait until it is ready. Fails with the end of its output if it ends instead."""
        self.launch()
        eventually_sync(self.ready, within=120)

    def ready(self) -> bool:
        """Whether `/readyz` reports ready."""
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()[-2000:]
        try:
            return ask(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to stop and wait; gives its exit status. Does nothing if it does not run."""
        return self._end(signal.SIGTERM)

    def wait(self) -> int:
        """Wait until it ends by itself; gives its exit status."""
        assert self._process is not None
        return self._process.wait(timeout=30)

    def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(how)
        status = self._process.wait(timeout=30)
        self._process = None
        return status
