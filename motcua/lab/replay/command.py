"""The replay of a planned log: plays it through a centre of its own, verifies the centre and prints the reports.

The centre's folder is below MOTCUA_HOME. Its name depends on the acts and on the centre's data, so a second replay of
the same log, in any file format, uses the same centre and changes nothing.
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

from motcua.lab.player import PlayError, PlayProgress, play
from motcua.lab.replay.report import plan_report, result_report
from motcua.lab.replay.state import EventDigest, read_clocks, read_event_digest
from motcua.lab.scenarios.event_log.plan import Plan
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
"""The approximate number of windows of a replay. Each costs two waits for quiescence; the result is always the same."""
_SHOWN = 20


def home_of(found: Plan, centre: Centre) -> str:
    """Return the name of the folder, below MOTCUA_HOME, for a replay of this plan at this centre."""
    digest = hashlib.sha256(f"{found.digest} {centre.catalogue_version}".encode()).hexdigest()
    return f"replay-{found.system}-{digest[:12]}"


def run_replay(
    settings: MotcuaSettings, console: Console, found: Plan, file: Path, folder: Path, *, ops: bool = False
) -> int:
    """Play a plan to its end at the centre in `folder`, verify the centre and print the reports. Blocks until the end.

    Return 0 if intake accepted every act and every check passes, else 1; also 1, with the reason printed, if the replay
    is stopped, a process ends or the centre does not become quiescent. With `ops`, the page of ops runs during the
    play. Raises StartError if the centre cannot start, PlayError if the play cannot continue. All processes of the
    centre are ended on return; its folder stays, and the same command continues with it.
    """
    started = time.monotonic()

    def say(sentence: str) -> None:
        console.print(sentence, markup=False, soft_wrap=True)

    interrupted = ""
    name = home_of(found, load_centre(folder))
    own = isolated_settings(settings, home=settings.home / name).model_copy(
        update={"centre": folder, "clock": "simulated", "clock_starts_at": found.starts_at}
    )
    with stop_on_signals() as stop:
        local = LocalCentre(own, progress=say, stop_requested=stop.is_set)
        try:
            local.start(PROCESSES if ops else SERVICES)
            if ops:
                say(f"{page_hint(local)} Keys: {local.home / TOKENS_FILE}")
            verify_url = local.site.databases[VERIFY]
            before = read_event_digest(verify_url)
            played = _play_with_progress(local, found, console, stop)
            after = read_event_digest(verify_url)
            wrong = run_verify(verify_url, local.site.kafka, local.centre, console)
            clocks = read_clocks(verify_url, found.worktime)
        except (StopRequestedError, NotQuiescentError, ProcessEndedError) as reason:
            interrupted = str(reason) or "Stopped on request."
        finally:
            local.stop()
    if interrupted:
        say(interrupted)
        say(f"Run the same command again to continue with {local.home}.")
        return 1
    for sentence in (*result_report(found, clocks), *plan_report(found, file)):
        say(sentence)
    for refusal in played.refusals[:_SHOWN]:
        say(f"REFUSED {refusal.key}: {refusal.status} {refusal.problem.get('detail')}")
    say(change_report(before, after))
    say(f"{time.monotonic() - started:.0f} seconds. The centre's data and logs are in {local.home}.")
    return 1 if played.refusals or wrong else 0


def change_report(before: EventDigest, after: EventDigest) -> str:
    """Return a sentence on how many events a replay added, or that it changed nothing."""
    if before == after:
        return f"Nothing changed: the {after.count} events are the same, with the same sequences and bytes."
    return f"{after.count - before.count} events were added to {before.count}."


def window_of(found: Plan) -> timedelta:
    """Return the working time of one window, at least four hours. It affects only how long the replay takes."""
    whole = found.worktime.elapsed(found.starts_at, min(found.ends_at, found.worktime.ends_at))
    return max(timedelta(hours=4), whole / _WINDOWS)


def _play_with_progress(local: LocalCentre, found: Plan, console: Console, stop: threading.Event) -> PlayProgress:
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("Playing", total=len(found.acts))

        def advance(played: PlayProgress) -> None:
            if played.until is not None:
                day = found.worktime.local_date(played.until - datetime.resolution)  # 24:00 belongs to the day before
                progress.update(bar, completed=played.acts, description=f"Played to {day}")

        try:
            played = asyncio.run(_play(local, found, advance, lambda: stop.is_set() or local.ended() is not None))
        except PlayError:
            local.require_running()  # an ended process is the cause, with its own message
            raise
    local.require_running()
    if stop.is_set():
        raise StopRequestedError
    return played


async def _play(
    local: LocalCentre, found: Plan, advance: Callable[[PlayProgress], None], stop_asked: Callable[[], bool]
) -> PlayProgress:
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
