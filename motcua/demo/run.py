"""`motcua demo`: a fresh centre, two hundred dossiers with whole lives, a check of everything, a summary, an end."""

import asyncio
import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from motcua.database import VERIFY
from motcua.demo.lives import SCENES, Life, plan
from motcua.demo.play import Player
from motcua.demo.summary import example, summary
from motcua.local import LocalCentre, ProcessEndedError, StopAskedError, beside
from motcua.quiet import NotQuietError, wait_until_quiet
from motcua.settings import MotcuaSettings
from motcua.sinks.inbox import read_inbox
from motcua.up import stop_on_signals
from motcua.verify.command import run_verify
from shared.runtime.clock import machine_now

_QUIET_SECONDS = 60.0


def run_demo(settings: MotcuaSettings, console: Console, *, count: int = 200) -> int:
    """Run it to its end. Exit status: 0 if every act was answered as planned and every check holds, else 1.

    Raises StartError when the centre cannot start. Nothing is left running; its folder stays for a look.
    """
    started = time.monotonic()

    def say(sentence: str) -> None:
        console.print(sentence, markup=False, soft_wrap=True)

    with stop_on_signals() as stop:
        local = LocalCentre(
            beside(settings, home=settings.home / f"demo-{machine_now():%Y%m%d-%H%M%S}"),
            jars_home=settings.home,
            progress=say,
            stop_asked=stop.is_set,
        )
        try:
            local.start()
            lives = plan(local.centre, local.centre.local_date(machine_now()), count=count)
            player, dossiers = asyncio.run(_play(local, lives, console, stop))
            verified = run_verify(
                local.site.databases[VERIFY],
                local.site.kafka,
                local.centre,
                console,
                ledger=local.home / "ledger.jsonl",
            )
        except (StopAskedError, NotQuietError, ProcessEndedError) as reason:
            say(str(reason) or "Stopped, as asked.")
            return 1
        finally:
            local.stop()
    inbox = read_inbox(local.home)
    console.print(summary(player.played, dossiers, inbox))
    if shown := example(inbox):
        say(f"One of them: {shown}")
    for failure in player.played.failures[:20]:
        say(f"NOT AS PLANNED: {failure}")
    say(f"{time.monotonic() - started:.0f} seconds. Logs, inbox and ledger stay in {local.home}.")
    return 1 if player.played.failures or verified else 0


async def _play(
    local: LocalCentre, lives: Sequence[Life], console: Console, stop: threading.Event
) -> tuple[Player, list[dict[str, Any]]]:
    """Scene by scene; each begins when the one before has come to rest, so that no alert is overtaken by the next."""
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with Player(local.site.url("intake"), local.tokens, local.home / "ledger.jsonl") as player:
        with Progress(*columns, console=console) as progress:
            for number, title in enumerate(SCENES):
                steps = sum(step.scene == number for life in lives for step in life.steps)
                bar = progress.add_task(title, total=steps)
                await player.scene(number, lives, partial(progress.advance, bar))
                await asyncio.to_thread(
                    wait_until_quiet,
                    local.site.kafka,
                    local.site.databases[VERIFY],
                    within_seconds=_QUIET_SECONDS,
                    stop_asked=lambda: stop.is_set() or local.ended() is not None,
                )
                if stop.is_set():
                    raise StopAskedError
                local.require_running()
        return player, await player.read(lives, local.tokens["auditor"])
