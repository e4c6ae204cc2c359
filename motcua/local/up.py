"""`motcua up`: run a whole centre in the foreground, with a live table of its processes, until Ctrl-C or SIGTERM."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import psycopg
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from motcua.local.centre import LocalCentre, StopRequestedError
from motcua.local.database import OPS, SERVICES
from motcua.local.keys import TOKENS_FILE
from motcua.local.processes import PROCESSES
from motcua.local.settings import MotcuaSettings
from shared.kernel.words import number_of
from shared.messaging.quarantine import NEEDS_DECISION

_REFRESH_SECONDS = 1.0
_QUARANTINE_SECONDS = 5.0
_NEED_DECISION = " union all ".join(
    f"select '{service}', count(*) from {service}.quarantined_records where {NEEDS_DECISION}" for service in SERVICES
)
_STOPPING = b"\nStop requested: stopping all processes in order.\n"


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Context manager: until its exit, Ctrl-C and SIGTERM set the yielded event and do not end the process.

    Main thread only. The first signal is acknowledged on standard error at once, since a start step can take seconds.
    """
    requested = threading.Event()

    def request(*_: object) -> None:
        if not requested.is_set():
            requested.set()
            with suppress(OSError):
                os.write(2, _STOPPING)  # not print, which the signal may have interrupted

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, request) for number in numbers}
    try:
        yield requested
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_up(settings: MotcuaSettings, console: Console) -> int:
    """Start a local centre with all services, show their state until Ctrl-C, and stop all processes in order. Blocks.

    Return the exit status: 0 after a requested stop, 1 if a process ended unexpectedly. Raises StartError or
    ProcessEndedError if the start fails. No process continues to run in any case.
    """
    print_line = partial(console.print, markup=False, soft_wrap=True)
    with stop_on_signals() as stop:
        local = LocalCentre(settings, progress=print_line, stop_requested=stop.is_set)
        try:
            local.start(PROCESSES)
            print_line(f"{local.centre.name_en} is up. API keys: {local.home / TOKENS_FILE}. Stop with Ctrl-C.")
            print_line(page_hint(local))
            return _watch(local, stop, console)
        except StopRequestedError:
            return 0
        finally:
            local.stop()


def page_hint(local: LocalCentre) -> str:
    """Return a sentence with the URL of the operations page and the name of the API key to sign in with."""
    return f"Operations page: {local.site.url(OPS)}/ (sign in with the key OPS of that file)."


def _watch(local: LocalCentre, stop: threading.Event, console: Console) -> int:
    reasons: dict[str, str | None] = {}
    decisions = PendingDecisions(local.site.databases[OPS])
    checked_at = 0.0
    with Live(_table(local, reasons), console=console, auto_refresh=False, transient=True) as live:
        while not stop.wait(_REFRESH_SECONDS):
            if ended := local.ended():
                live.stop()
                console.print(str(ended), markup=False, soft_wrap=True)
                console.print("Stopping the other processes: none is restarted automatically.")
                return 1
            for name in local.parts:
                reason = local.reason_not_advancing(name)
                if reasons.get(name) != reason:
                    live.console.print(f"{name}: {reason or 'ready again'}", markup=False, soft_wrap=True)
                    reasons[name] = reason
            if time.monotonic() - checked_at >= _QUARANTINE_SECONDS:
                checked_at = time.monotonic()
                for sentence in decisions.changes():
                    live.console.print(sentence, markup=False, soft_wrap=True)
            live.update(_table(local, reasons), refresh=console.is_terminal)
    return 0


class PendingDecisions:
    """Reports changes in the number of quarantined records that need a decision, per service; reads with ops's role."""

    def __init__(self, ops_url: str) -> None:
        self._url = ops_url
        self._counts: dict[str, int] = {}

    def changes(self) -> list[str]:
        """Read the numbers; return one sentence for each service whose number has changed since the last call. Blocks.

        Empty if the database does not answer.
        """
        try:
            with psycopg.connect(self._url, connect_timeout=2) as connection:
                found: dict[str, int] = dict(connection.execute(_NEED_DECISION).fetchall())
        except psycopg.OperationalError:
            return []
        changed = {service: count for service, count in found.items() if count != self._counts.get(service, 0)}
        self._counts = found
        return [
            f"{service}: {number_of(count, 'record needs', 'records need')} a decision; see `motcua parked list`."
            if count
            else f"{service}: no record needs a decision any more."
            for service, count in changed.items()
        ]


def _table(local: LocalCentre, reasons: dict[str, str | None]) -> Table:
    table = Table(box=None)
    for title in ("process", "pid", "address", "state"):
        table.add_column(title)
    for name, child in local.parts.items():
        reason = reasons.get(name)
        state = Text("ready", style="green") if reason is None else Text(reason, style="yellow")
        table.add_row(name, str(child.pid), local.address(name), state)
    return table
