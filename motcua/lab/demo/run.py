"""`motcua demo`: the centre of 2017, drawn by lot, played through a fresh centre, checked, summed up, ended."""

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
from motcua.lab.demo.derivation import Derivation
from motcua.lab.demo.judging import Judged
from motcua.lab.demo.page import write_page
from motcua.lab.demo.reading import State, read_state
from motcua.lab.demo.summary import summarise
from motcua.lab.demo.terminal import headline, tables
from motcua.lab.half_year.drawing import HalfYear
from motcua.lab.half_year.figures import MADE_UP_PEOPLE
from motcua.lab.player import Played, PlayError, play
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
"""Before 24:00, which is of the date that it ends."""
_LAST_SECONDS = 30.0
_TOLD_SECONDS = 15.0


def run_demo(settings: MotcuaSettings, console: Console, half_year: HalfYear, *, ops: bool = False) -> int:
    """Run it to its end. Exit status: 0 if the services' state is what was drawn, and every promise is kept, else 1.

    With `ops`, the chain can be seen meanwhile. Raises StartError when the centre cannot start. Nothing is left
    running; its folder, with the page, stays.
    """
    started = time.monotonic()

    def say(sentence: str) -> None:
        console.print(sentence, markup=False, soft_wrap=True)

    with stop_on_signals() as stop:
        local = LocalCentre(
            _past(settings, half_year),
            jars_home=settings.home,
            progress=say,
            stop_requested=stop.is_set,
            durable=False,  # made for this run alone: nothing in it is worth waiting for the disk
        )
        derivation = Derivation(local.centre)
        judged = Judged(
            local.centre, half_year.worktime, half_year.standard_day, half_year.first_date, half_year.ends_at
        )
        try:
            local.start(PROCESSES if ops else SERVICES)
            if ops:
                say(f"{page_hint(local)} Keys: {local.home / TOKENS_FILE}")
            begun = time.monotonic()
            played = asyncio.run(_play(local, half_year, derivation, console, stop))
            if stop.is_set():
                raise StopRequestedError
            local.require_running()
            play_seconds = time.monotonic() - begun
            verify_url = local.site.databases[VERIFY]
            state = asyncio.run(_told(local, judged))
            verified = run_verify(verify_url, local.site.kafka, local.centre, console)
        except (StopRequestedError, NotQuiescentError, PlayError, ProcessEndedError) as reason:
            say(str(reason) or "Stopped, as asked.")
            return 1
        finally:
            local.stop()
    wrong = [f"intake refused {one.key}: {one.status} {one.problem.get('detail')}" for one in played.refusals]
    wrong += differences(state, half_year.ledger, derivation, judged)
    wrong += ["`motcua verify` found promises that are not kept"] if verified else []
    _tell(local, half_year, state, wrong, console)
    say(
        f"{time.monotonic() - started:.0f} seconds, {play_seconds:.0f} of them for {played.acts:,} lines of acts in "
        f"{played.windows} windows (a line that submits and receives in one is two acts). "
        f"Logs, inbox and page stay in {local.home}."
    )
    return 1 if wrong else 0


def _past(settings: MotcuaSettings, half_year: HalfYear) -> MotcuaSettings:
    home = settings.home / f"demo-{machine_now():%Y%m%d-%H%M%S}"
    past = {"clock": "simulated", "clock_starts_at": half_year.starts_at, "centre": _undecided(settings.centre, home)}
    return isolated_settings(settings, home=home).model_copy(update=past)


def _undecided(centre: Path, home: Path) -> Path:
    """A copy of the centre's folder in which nobody has decided about the general counter yet."""
    copy = home / "centre"
    shutil.copytree(centre, copy)
    receiving = copy / "receiving.csv"
    receiving.write_text(receiving.read_text(encoding="utf-8").split("\n", 1)[0] + "\n", encoding="utf-8")
    return copy


@asynccontextmanager
async def telling(console: Console, line: Callable[[], str], *, seconds: float = _TOLD_SECONDS) -> AsyncIterator[None]:
    """Meanwhile print the line every so many seconds where no terminal shows a bar: a log must not fall silent."""

    async def tell() -> None:
        while True:
            await asyncio.sleep(seconds)
            console.print(line(), markup=False, soft_wrap=True)

    task = None if console.is_terminal else asyncio.create_task(tell())
    try:
        yield
    finally:
        if task is not None:
            task.cancel()


async def _play(
    local: LocalCentre, half_year: HalfYear, derivation: Derivation, console: Console, stop: threading.Event
) -> Played:
    """Play what is drawn; the ledger and the derivation take note of each act as it goes."""
    total = half_year.dossiers()
    worktime = half_year.worktime
    length = worktime.elapsed(half_year.starts_at, half_year.ends_at)
    columns = (TextColumn("{task.description:<10}"), BarColumn(), TextColumn("{task.fields[at]}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        time_bar = progress.add_task("Time", total=length.total_seconds(), at="")
        dossier_bar = progress.add_task("Dossiers", total=total, at="")

        at = "Played: nothing yet"

        def told(played: Played) -> None:
            nonlocal at
            if played.until is None:
                return
            done = worktime.elapsed(half_year.starts_at, played.until).total_seconds()
            date = f"{(played.until - _MOMENT).astimezone(local.centre.zone):%a %d %b %Y}, window {played.windows}"
            progress.update(time_bar, completed=done, at=date)
            count = half_year.ledger.dossiers
            dossiers = f"{count:,} of {total:,}, {played.acts:,} acts"
            progress.update(dossier_bar, completed=count, at=dossiers)
            at = f"Played to {date}; dossiers {dossiers}"

        def acts() -> Iterator[dict[str, Any]]:
            for act in half_year.acts():
                derivation.note(act)
                yield act.members()

        async with telling(console, lambda: at):
            return await play(
                acts(),
                local.site,
                local.centre,
                importer=local.tokens[IMPORTER],
                ops=local.tokens["ops"],
                until=half_year.ends_at,
                progress=told,
                stop_asked=lambda: stop.is_set() or local.ended() is not None,
            )


async def _told(local: LocalCentre, judged: Judged) -> State:
    """The services' state, once the SMS provider's receipts have come and routing has closed what weeks can be closed,
    or both have had time enough."""
    until = time.monotonic() + _LAST_SECONDS
    while True:
        state = read_state(local.site.databases[VERIFY], local.centre.zone)
        at_rest = not state.messages["sms", "sent"] and state.last_closed == judged.last_closed
        if at_rest or time.monotonic() > until:
            return state
        await asyncio.sleep(0.5)


def _tell(local: LocalCentre, half_year: HalfYear, state: State, wrong: list[str], console: Console) -> None:
    summary = summarise(
        state, local.centre, half_year.worktime, first_date=half_year.first_date, last_date=half_year.last_date
    )
    figures = list(half_year.figures.listed())
    checks = (
        f"Dossiers and acts by department and week: held against the {half_year.ledger.lines:,} lines drawn.",
        f"Volumes of {summary.closed_weeks} closed weeks, and what the general counter's rule proposes: held against "
        "the lines drawn.",
        f"Due date and outcome of {len(state.clocks):,} clocks: held against the pure rules on what was drawn.",
        "Everything that was told: held against every service's history and Kafka (motcua verify).",
    )
    page = local.home / PAGE
    write_page(page, summary, local.centre, seed=half_year.seed, figures=figures, checks=checks, wrong=wrong)
    for table in tables(summary):
        console.print(table)
    invented = sum(figure.invented for figure in figures)

    def say(sentence: str) -> None:
        console.print(sentence, markup=False, soft_wrap=True)

    say(headline(summary))
    say(f"{invented} of {len(figures)} numbers behind the draw are invented (the page lists them); {MADE_UP_PEOPLE}.")
    for sentence in wrong[:_SHOWN]:
        say(f"DIFFERS {sentence}")
    if len(wrong) > _SHOWN:
        say(f"… and {len(wrong) - _SHOWN} more.")
    if not wrong:
        say("Dossiers, acts, due dates, outcomes, volumes and proposals are what the drawn acts come to.")
    say(f"The same with charts: {page}")
