"""The demo command: plays the half year through a new centre, compares the result with the draw, and summarises it."""

import asyncio
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from motcua.lab.demo.comparison import differences
from motcua.lab.demo.expected_clocks import ExpectedClocks
from motcua.lab.demo.expected_pooling import ExpectedPooling
from motcua.lab.demo.page import write_page
from motcua.lab.demo.state import ServiceState, read_state
from motcua.lab.demo.summary import summarise
from motcua.lab.demo.tables import headline, tables
from motcua.lab.player import PlayError, PlayProgress, play
from motcua.lab.scenarios.half_year.parameters import INVENTED_PEOPLE
from motcua.lab.scenarios.half_year.scenario import HalfYear
from motcua.local.centre import LocalCentre, ProcessEndedError, StopRequestedError, isolated_settings
from motcua.local.database import VERIFY
from motcua.local.keys import IMPORTER, TOKENS_FILE
from motcua.local.processes import PROCESSES, SERVICES
from motcua.local.quiescence import NotQuiescentError
from motcua.local.settings import MotcuaSettings
from motcua.local.up import page_hint, stop_on_signals
from motcua.verification.command import run_verify
from shared.runtime.clock import machine_now

PAGE = "summary.html"
_SHOWN = 20
_MOMENT = timedelta(seconds=1)
"""Subtracted from 24:00, which belongs to the date that it ends."""
_RECEIPTS_WITHIN_SECONDS = 30.0
_REPORT_SECONDS = 15.0

Say = Callable[[str], None]
"""Prints one sentence."""


def run_demo(settings: MotcuaSettings, console: Console, half_year: HalfYear, *, ops: bool = False) -> int:
    """Play the half year to its end. Return 0 if the services' state matches the draw and every check passes, else 1.

    Also returns 1, with the reason printed, if the play is stopped or fails. Blocks until the end. With `ops`, the page
    of ops runs during the play. Raises StartError if the centre cannot start. All processes of the centre are ended on
    return; its folder, with the summary page, stays.
    """
    started = time.monotonic()

    def say(sentence: str) -> None:
        console.print(sentence, markup=False, soft_wrap=True)

    with stop_on_signals() as stop:
        local = LocalCentre(
            _demo_settings(settings, half_year),
            progress=say,
            stop_requested=stop.is_set,
            durable=False,  # the centre is for this run only, so it need not survive a power failure
        )
        clocks = ExpectedClocks(local.centre)
        pooling = ExpectedPooling(
            local.centre, half_year.worktime, half_year.standard_day, half_year.first_date, half_year.ends_at
        )
        try:
            local.start(PROCESSES if ops else SERVICES)
            if ops:
                say(f"{page_hint(local)} Keys: {local.home / TOKENS_FILE}")
            begun = time.monotonic()
            played = asyncio.run(_play(local, half_year, clocks, console, stop))
            if stop.is_set():
                raise StopRequestedError
            local.require_running()
            play_seconds = time.monotonic() - begun
            verify_url = local.site.databases[VERIFY]
            state = asyncio.run(_final_state(local, pooling))
            verified = run_verify(verify_url, local.site.kafka, local.centre, console)
        except (StopRequestedError, NotQuiescentError, PlayError, ProcessEndedError) as reason:
            say(str(reason) or "Stopped on request.")
            return 1
        finally:
            local.stop()
    wrong = [f"intake refused {one.key}: {one.status} {one.problem.get('detail')}" for one in played.refusals]
    wrong += differences(state, half_year.ledger, clocks, pooling)
    wrong += ["`motcua verify` found errors"] if verified else []
    _report(local, half_year, state, wrong, console, say)
    say(
        f"{time.monotonic() - started:.0f} seconds, {play_seconds:.0f} of them to play {played.acts:,} lines of acts "
        f"in {played.windows} windows (a line that submits and receives is two acts). "
        f"Logs, inbox and page are in {local.home}."
    )
    return 1 if wrong else 0


def _demo_settings(settings: MotcuaSettings, half_year: HalfYear) -> MotcuaSettings:
    home = settings.home / f"demo-{machine_now():%Y%m%d-%H%M%S}"
    centre = _without_decisions(settings.centre, home)
    past = {"clock": "simulated", "clock_starts_at": half_year.starts_at, "centre": centre}
    return isolated_settings(settings, home=home).model_copy(update=past)


def _without_decisions(centre: Path, home: Path) -> Path:
    """Copy the centre's folder into `home`, without its decisions about the general counter. Return the copy's path."""
    copy = home / "centre"
    shutil.copytree(centre, copy)
    receiving = copy / "receiving.csv"
    receiving.write_text(receiving.read_text(encoding="utf-8").split("\n", 1)[0] + "\n", encoding="utf-8")
    return copy


@asynccontextmanager
async def periodic_report(
    console: Console, line: Callable[[], str], *, seconds: float = _REPORT_SECONDS
) -> AsyncIterator[None]:
    """Context manager that prints `line()` every `seconds` during its block, if the console is not a terminal.

    A terminal shows a progress bar instead.
    """

    async def report() -> None:
        while True:
            await asyncio.sleep(seconds)
            console.print(line(), markup=False, soft_wrap=True)

    task = None if console.is_terminal else asyncio.create_task(report())
    try:
        yield
    finally:
        if task is not None:
            task.cancel()


async def _play(
    local: LocalCentre, half_year: HalfYear, clocks: ExpectedClocks, console: Console, stop: threading.Event
) -> PlayProgress:
    """Play the drawn acts, with a progress bar. Return how far the play came; a stop on request ends it early.

    Each act is added to the ledger and to `clocks` when the player takes it. Raises PlayError and NotQuiescentError.
    """
    total = half_year.dossiers()
    worktime = half_year.worktime
    length = worktime.elapsed(half_year.starts_at, half_year.ends_at)
    columns = (TextColumn("{task.description:<10}"), BarColumn(), TextColumn("{task.fields[at]}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        time_bar = progress.add_task("Time", total=length.total_seconds(), at="")
        dossier_bar = progress.add_task("Dossiers", total=total, at="")

        line = "Nothing played yet."

        def show(played: PlayProgress) -> None:
            nonlocal line
            if played.until is None:
                return
            done = worktime.elapsed(half_year.starts_at, played.until).total_seconds()
            date = f"{(played.until - _MOMENT).astimezone(local.centre.zone):%a %d %b %Y}, window {played.windows}"
            progress.update(time_bar, completed=done, at=date)
            count = half_year.ledger.dossiers
            dossiers = f"{count:,} of {total:,}, {played.acts:,} acts"
            progress.update(dossier_bar, completed=count, at=dossiers)
            line = f"Played to {date}; dossiers {dossiers}"

        def acts() -> Iterator[dict[str, Any]]:
            for act in half_year.acts():
                clocks.add(act)
                yield act.members()

        async with periodic_report(console, lambda: line):
            return await play(
                acts(),
                local.site,
                local.centre,
                importer=local.tokens[IMPORTER],
                ops=local.tokens["ops"],
                until=half_year.ends_at,
                progress=show,
                stop_asked=lambda: stop.is_set() or local.ended() is not None,
            )


async def _final_state(local: LocalCentre, pooling: ExpectedPooling) -> ServiceState:
    """Read the services' state until every SMS has its delivery receipt and routing has closed every expected week.

    Return that state, or, after 30 seconds, the last one that was read. Raises StartError if the database does not
    answer.
    """
    until = time.monotonic() + _RECEIPTS_WITHIN_SECONDS
    while True:
        state = read_state(local.site.databases[VERIFY], local.centre.zone)
        complete = not state.messages["sms", "sent"] and state.last_closed == pooling.last_closed
        if complete or time.monotonic() > until:
            return state
        await asyncio.sleep(0.5)


def _report(
    local: LocalCentre, half_year: HalfYear, state: ServiceState, wrong: list[str], console: Console, say: Say
) -> None:
    """Write the summary page, and print the tables, the headline and the differences (`wrong`)."""
    summary = summarise(
        state, local.centre, half_year.worktime, first_date=half_year.first_date, last_date=half_year.last_date
    )
    parameters = list(half_year.parameters.listed())
    checks = (
        f"Dossiers and acts by department and week: compared with the {half_year.ledger.lines:,} lines drawn.",
        f"Volumes of {summary.closed_weeks} closed weeks and the proposals of the general counter's rule: compared "
        "with the lines drawn.",
        f"Due date and outcome of {len(state.clocks):,} clocks: compared with the pure rules, applied to the lines "
        "drawn.",
        "All published events: compared with the history of every service and with Kafka (motcua verify).",
    )
    page = local.home / PAGE
    write_page(page, summary, local.centre, seed=half_year.seed, parameters=parameters, checks=checks, wrong=wrong)
    for table in tables(summary):
        console.print(table)
    invented = sum(parameter.invented for parameter in parameters)
    say(headline(summary))
    say(f"{invented} of {len(parameters)} parameters of the draw are invented (listed on the page); {INVENTED_PEOPLE}.")
    for sentence in wrong[:_SHOWN]:
        say(f"DIFFERS {sentence}")
    if len(wrong) > _SHOWN:
        say(f"… and {len(wrong) - _SHOWN} more.")
    if not wrong:
        say("Dossiers, acts, due dates, outcomes, volumes and proposals match the drawn acts.")
    say(f"Page with charts: {page}")
