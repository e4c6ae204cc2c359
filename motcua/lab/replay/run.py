"""Plays a planned log through a centre of its own, verifies it, and tells what it came to.

The centre lies below MOTCUA_HOME and is told apart by what is played and by its own data: the same log again, in
whichever form, goes on with it and changes nothing.
"""

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from motcua.lab.event_log.plan import Plan
from motcua.lab.player import Played, PlayError, play
from motcua.lab.replay.reading import told
from motcua.lab.replay.report import report
from motcua.lab.replay.standing import Events, clocks, events
from motcua.local.centre import LocalCentre, ProcessEndedError, StopRequestedError, isolated_settings
from motcua.local.database import VERIFY
from motcua.local.keys import TOKENS_FILE
from motcua.local.processes import PROCESSES, SERVICES
from motcua.local.quiescence import NotQuiescentError
from motcua.local.settings import MotcuaSettings
from motcua.local.up import page_hint, stop_on_signals
from motcua.verification.command import run_verify
from shared.catalogue import load_centre
from shared.kernel.centre import Centre

_WINDOWS = 60
"""About so many in a log, however long it is: every window costs two barriers, and none changes what comes of it."""
_SHOWN = 20


def home_of(found: Plan, centre: Centre) -> str:
    """The name of the folder that this log has at this centre."""
    digest = hashlib.sha256(f"{found.digest} {centre.catalogue_version}".encode()).hexdigest()
    return f"replay-{found.system}-{digest[:12]}"


def run_replay(
    settings: MotcuaSettings, console: Console, found: Plan, file: Path, folder: Path, *, ops: bool = False
) -> int:
    """Play it to its end at the centre in `folder`. Exit status: 0 if intake took every act and every check holds.

    Raises StartError when the centre cannot start, PlayError when the acts cannot be played on. Nothing is left
    running; the centre's own folder stays, and the same command goes on with it.
    """
    started = time.monotonic()

    def say(sentence: str) -> None:
        console.print(sentence, markup=False, soft_wrap=True)

    broke_off = ""
    name = home_of(found, load_centre(folder))
    own = isolated_settings(settings, home=settings.home / name).model_copy(
        update={"centre": folder, "clock": "simulated", "clock_starts_at": found.starts_at}
    )
    with stop_on_signals() as stop:
        local = LocalCentre(own, jars_home=settings.home, progress=say, stop_requested=stop.is_set)
        try:
            local.start(PROCESSES if ops else SERVICES)
            if ops:
                say(f"{page_hint(local)} Keys: {local.home / TOKENS_FILE}")
            verify_url = local.site.databases[VERIFY]
            before = events(verify_url)
            played = _played(local, found, console, stop)
            after = events(verify_url)
            wrong = run_verify(verify_url, local.site.kafka, local.centre, console)
            standing = clocks(verify_url, found.worktime)
        except (StopRequestedError, NotQuiescentError, ProcessEndedError) as reason:
            broke_off = str(reason) or "Stopped, as asked."
        finally:
            local.stop()
    if broke_off:
        say(broke_off)
        say(f"The same command goes on from here, with {local.home}.")
        return 1
    for sentence in (*report(found, standing), *told(found, file)):
        say(sentence)
    for refusal in played.refusals[:_SHOWN]:
        say(f"REFUSED {refusal.key}: {refusal.status} {refusal.problem.get('detail')}")
    say(changed(before, after))
    say(f"{time.monotonic() - started:.0f} seconds. The centre's data and logs stay in {local.home}.")
    return 1 if played.refusals or wrong else 0


def changed(before: Events, after: Events) -> str:
    """What a replay added to what was there."""
    if before == after:
        return f"Nothing changed: the {after.count} events of before, with their sequences, to the byte."
    return f"{after.count - before.count} events were added to {before.count}."


def window_of(found: Plan) -> timedelta:
    """Working time of a window, half a day or more. Its length changes nothing but how long the replay takes."""
    whole = found.worktime.elapsed(found.starts_at, min(found.ends_at, found.worktime.ends_at))
    return max(timedelta(hours=4), whole / _WINDOWS)


def _played(local: LocalCentre, found: Plan, console: Console, stop: threading.Event) -> Played:
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("Playing", total=len(found.acts))

        def advance(played: Played) -> None:
            if played.until is not None:
                day = found.worktime.local_date(played.until - datetime.resolution)  # 24:00 is the day before's
                progress.update(bar, completed=played.acts, description=f"Played to {day}")

        try:
            played = asyncio.run(_play(local, found, advance, lambda: stop.is_set() or local.ended() is not None))
        except PlayError:
            local.require_running()  # a process that ended says more
            raise
    local.require_running()
    if stop.is_set():
        raise StopRequestedError
    return played


async def _play(
    local: LocalCentre, found: Plan, advance: Callable[[Played], None], stop_asked: Callable[[], bool]
) -> Played:
    return await play(
        (act.members() for act in found.acts),
        local.site,
        local.centre,
        importer=local.tokens["importer"],
        ops=local.tokens["ops"],
        window=window_of(found),
        until=found.ends_at,
        progress=advance,
        stop_asked=stop_asked,
    )
