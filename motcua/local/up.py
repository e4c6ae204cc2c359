"""`motcua up`: the whole centre in the foreground, its state live, until Ctrl-C or SIGTERM."""

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

from motcua.local.centre import LocalCentre, StopAskedError
from motcua.local.database import OPS, SERVICES
from motcua.local.keys import TOKENS_FILE
from motcua.local.processes import PROCESSES
from motcua.local.settings import MotcuaSettings
from shared.kernel.words import number_of
from shared.messaging.quarantine import NEEDS_DECISION

_LOOK_SECONDS = 1.0
_HELD_SECONDS = 5.0
_QUARANTINED = " union all ".join(
    f"select '{service}', count(*) from {service}.quarantined_records where {NEEDS_DECISION}" for service in SERVICES
)
_HEARD = b"\nAsked to stop: ending in order.\n"


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """While inside, Ctrl-C and SIGTERM set the event instead of ending the process. Main thread only.

    The first one is answered at once on stderr: a step of the start may take seconds until it can end.
    """
    asked = threading.Event()

    def ask(*_: object) -> None:
        if not asked.is_set():
            asked.set()
            with suppress(OSError):
                os.write(2, _HEARD)  # not print: the signal may have come in the middle of one

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_up(settings: MotcuaSettings, console: Console) -> int:
    """Start, watch, stop in order; the exit status: 0 after a stop that was asked for, 1 if a process ended by itself.

    Raises StartError when it cannot start; nothing is left running then either.
    """
    say = partial(console.print, markup=False, soft_wrap=True)
    with stop_on_signals() as stop:
        local = LocalCentre(settings, progress=say, stop_asked=stop.is_set)
        try:
            local.start(PROCESSES)
            say(f"{local.centre.name_en} is up. Keys: {local.home / TOKENS_FILE}. Ctrl-C stops it.")
            say(watching(local))
            return _watch(local, stop, console)
        except StopAskedError:
            return 0
        finally:
            local.stop()


def watching(local: LocalCentre) -> str:
    """Where the chain can be seen, and with which key."""
    return f"See it flow: {local.site.url(OPS)}/ (sign in with the key OPS of that file)."


def _watch(local: LocalCentre, stop: threading.Event, console: Console) -> int:
    told: dict[str, str | None] = {}
    quarantined = QuarantineNews(local.site.databases[OPS])
    looked_at = 0.0
    with Live(_table(local, told), console=console, auto_refresh=False, transient=True) as live:
        while not stop.wait(_LOOK_SECONDS):
            if ended := local.ended():
                live.stop()
                console.print(str(ended), markup=False, soft_wrap=True)
                console.print("Nothing is restarted in silence: the rest is stopped, too.")
                return 1
            for name in local.parts:
                reason = local.not_ready(name)
                if told.get(name) != reason:
                    live.console.print(f"{name}: {reason or 'ready again'}", markup=False, soft_wrap=True)
                    told[name] = reason
            if time.monotonic() - looked_at >= _HELD_SECONDS:
                looked_at = time.monotonic()
                for sentence in quarantined.news():
                    live.console.print(sentence, markup=False, soft_wrap=True)
            live.update(_table(local, told), refresh=console.is_terminal)
    return 0


class QuarantineNews:
    """Records that wait for an operator's word, as the role that only watches counts them."""

    def __init__(self, ops_url: str) -> None:
        self._url = ops_url
        self._told: dict[str, int] = {}

    def news(self) -> list[str]:
        """A sentence for each service where their number has changed since the last look. Blocks; none while the
        database is away, which its own part says."""
        try:
            with psycopg.connect(self._url, connect_timeout=2) as connection:
                found: dict[str, int] = dict(connection.execute(_QUARANTINED).fetchall())
        except psycopg.OperationalError:
            return []
        changed = {service: count for service, count in found.items() if count != self._told.get(service, 0)}
        self._told = found
        return [
            f"{service}: {number_of(count, 'record waits', 'records wait')} for your word (`motcua parked list`)"
            if count
            else f"{service}: no record waits for your word any more"
            for service, count in changed.items()
        ]


def _table(local: LocalCentre, reasons: dict[str, str | None]) -> Table:
    table = Table(box=None)
    for title in ("part", "pid", "where", "state"):
        table.add_column(title)
    for name, child in local.parts.items():
        reason = reasons.get(name)
        state = Text("ready", style="green") if reason is None else Text(reason, style="yellow")
        table.add_row(name, str(child.pid), local.address(name), state)
    return table
