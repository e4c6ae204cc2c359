"""A service in its own process, as in a centre: tests start, query, kill and restart it."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support.http import get
from tests.support.waiting import eventually_sync

ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class ServiceProcess:
    """`python -m services.<service> run` with exactly these settings; the output is appended to `log`."""

    service: str
    settings: Mapping[str, str]
    log: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """The base URL of the HTTP API."""
        return f"http://127.0.0.1:{self.settings[f'{self.service.upper()}_PORT']}"

    @property
    def pid(self) -> int:
        """The process id while the process runs."""
        assert self._process is not None
        return self._process.pid

    def launch(self) -> None:
        """Start the process without waiting."""
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
        """Start the process and wait until every part makes progress.

        If it ends instead, the test fails with its last output.
        """
        self.launch()
        eventually_sync(self.advances, within=120)

    def advances(self) -> bool:
        """Whether `/progress` reports that every part makes progress."""
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()[-2000:]
        try:
            return get(f"{self.url}/progress", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Stop the process with SIGTERM and wait; returns the exit status, or 0 if it does not run."""
        return self._end(signal.SIGTERM)

    def wait(self) -> int:
        """Wait until the process ends by itself; returns the exit status."""
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
