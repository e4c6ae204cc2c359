"""A child process that ends with its parent and writes its output to a file."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from shared.kernel.errors import StartError

_WATCH = 'read _; kill -s "$1" "$2" 2>/dev/null'


class Child:
    """A child process, started by the constructor; its output is appended to the file `log`.

    It runs in its own session, so that Ctrl-C reaches only the parent, which then stops the child in order. A helper
    shell reads from a pipe of the parent: when the parent ends for any reason, the pipe closes and the shell sends
    `stop_signal` to the child.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: int | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        self._stop_signal = stop_signal
        self.log_start = log.stat().st_size if log.exists() else 0
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                start_new_session=True,
            )
        self._watch = subprocess.Popen(
            ["sh", "-c", _WATCH, "watch", stop_signal.name.removeprefix("SIG"), str(self.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The process id of the command, not of the helper shell."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code; negative signal number if a signal ended the process, None while it runs. Does not block."""
        code = self._process.poll()
        if code is not None:
            self._unwatch()
        return code

    def wait(self, *, timeout_seconds: float) -> int | None:
        """Block until the process ends; return its exit code, or None if it still runs after `timeout_seconds`."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_seconds)
        return self.exit_code

    def stop(self, sig: signal.Signals | None = None, *, timeout_seconds: float = 30.0) -> int:
        """Send `sig`, or by default the stop signal, and wait; kill the process after the timeout.

        Blocks; returns the exit code. Sends nothing to a process that has ended.
        """
        if self.exit_code is None:
            self._process.send_signal(sig or self._stop_signal)
        code = self.wait(timeout_seconds=timeout_seconds)
        return self.kill() if code is None else code

    def kill(self) -> int:
        """Send SIGKILL if the process runs. Blocks until it has ended; returns the exit code."""
        if self.exit_code is None:
            self._process.kill()
        code = self._process.wait()
        self._unwatch()
        return code

    def output(self) -> str:
        """Return what the process has written so far, without the output of earlier processes in the same log file."""
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            return log.read().decode(errors="replace")

    def last_lines(self, count: int = 15) -> str:
        """Return the last `count` lines of the process's output, for error messages."""
        return "\n".join(self.output().splitlines()[-count:])

    def _unwatch(self) -> None:
        if self._watch.returncode is None:
            self._watch.kill()
            self._watch.wait()
            if self._watch.stdin is not None:
                self._watch.stdin.close()


def require_free_port(port: int, *, purpose: str, setting: str) -> None:
    """Raise StartError if `port` of 127.0.0.1 is not free; the message names `purpose` and the `setting` to change."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StartError(
                f"Port {port} for {purpose} cannot be used ({os.strerror(error.errno or 0)}). "
                f"Stop the process that uses it, or choose another port with {setting}."
            ) from error


def failure(error: Exception) -> str:
    """Describe in one line why running a command failed.

    For an exit status other than 0, contains the first line of the output with the word "error", or the last line.
    """
    if isinstance(error, subprocess.CalledProcessError):
        lines = f"{error.stdout}\n{error.stderr}".split("\n")
        output = next((line for line in lines if "ERROR" in line or "error" in line.lower()), lines[-1])
        return f"exit status {error.returncode}: {output.strip()[:300]}"
    if isinstance(error, FileNotFoundError):
        return "not found"
    return str(error)
