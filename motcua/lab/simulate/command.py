"""`motcua simulate general-counter`: rules tried on what came, compared, and written down for a leader to sign."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.progress import track
from rich.table import Table

from motcua.lab.simulate.arrivals import Arrival, from_database, from_file, from_half_year, past
from motcua.lab.simulate.outcomes import SCALES, Outcome, Simulation, best
from motcua.lab.simulate.paper import assumptions, write_paper
from motcua.lab.simulate.rule_grid import PARAMETERS, grid, values
from services.sla.domain.calendar import compile_calendar
from shared.kernel.centre import Centre
from shared.kernel.errors import StartError
from shared.postgres.published_calendars import WorkingTime

Lang = Literal["vi", "en"]
_HALF_YEAR = (date(2017, 5, 1), date(2017, 11, 5))
"""The whole weeks of the letter's half year."""
_SHOWN = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command was asked for; `ranges` as written, by parameter."""

    first: date | None
    last: date | None
    arrivals: Path | None
    half_year: bool
    ranges: Mapping[str, str]
    seed: int
    everything: bool
    table: Path | None
    paper: Path | None
    language: Lang


def run_simulation(asked: Asked, centre: Centre, verify_url: str, console: Console) -> int:
    """Try every rule, print what each is worth, and write what was asked for. Exit status 0.

    Blocks. Raises StartError for a past with gaps or faults, ranges that are no rule, and a file that it cannot write.
    """
    first, last = _span(asked)
    rule = centre.pooling_rule(last)
    if rule is None:
        raise StartError(
            f"the centre has no rule of a general counter on {last}: add [[general_counter]] to centre.toml"
        )
    tried = grid(rule, {name: values(name, written) for name, written in asked.ranges.items()})
    arrivals, calendar = _came(asked, centre, verify_url, first, last)
    found = past(
        arrivals,
        centre,
        calendar.worktime,
        calendar.standard_day,
        rule,
        first=first,
        last=last,
    )
    simulation = Simulation(found, seed=asked.seed)
    outcomes = [
        simulation.outcome(one)
        for one in track(tried.rules, f"Trying {len(tried.rules)} settings", console=console, transient=True)
    ]
    undominated = best(outcomes)
    in_force = simulation.outcome(rule)

    def say(sentence: str) -> None:
        console.print(sentence, markup=False, soft_wrap=True)

    say(
        f"{len(found.at):,} dossiers by {' and '.join(rule.channels)} from {first} to {last} at {centre.name_en}, "
        f"{found.online:,} online beside; {len(simulation.closings)} weeks closed in time to count."
    )
    console.print(_table(outcomes if asked.everything else undominated[:_SHOWN], in_force, asked.everything))
    if not asked.everything:
        more = f", of which {_SHOWN} are shown" if len(undominated) > _SHOWN else ""
        say(
            f"{len(tried.rules)} settings tried, {tried.left_out} combinations left out that would release below where "
            f"they pool; {len(undominated)} are beaten by no other in hours, waits and changes at once{more}."
        )
    pooled = ", ".join(in_force.lived.pooled_at_end) or "nobody"
    say(f"The rule in force ({rule.decision}) ends with {pooled} at the general counter.")
    for sentence in assumptions(found, asked.seed, "en"):
        say(f"- {sentence}")
    if asked.table is not None:
        _write_table(asked.table, outcomes)
        say(f"All settings: {asked.table}")
    if asked.paper is not None:
        write_paper(asked.paper, found, in_force, outcomes, undominated, seed=asked.seed, language=asked.language)
        say(f"The paper: {asked.paper}")
    return 0


def _span(asked: Asked) -> tuple[date, date]:
    if asked.half_year and asked.arrivals is not None:
        raise StartError("--half-year and --arrivals name two pasts: choose one")
    default = _HALF_YEAR if asked.half_year else (None, None)
    first, last = asked.first or default[0], asked.last or default[1]
    if first is None or last is None:
        raise StartError("say from when to when, such as --from 2017-05-01 --to 2017-11-05 (or try --half-year)")
    return first, last


def _came(
    asked: Asked, centre: Centre, verify_url: str, first: date, last: date
) -> tuple[Sequence[Arrival], WorkingTime]:
    """The arrivals, and the calendar by which they are counted: the folder's, or for a record the one that stands."""
    compiled = compile_calendar(centre.calendar)
    calendar = WorkingTime(0, compiled.standard_day, compiled.worktime)
    if asked.half_year:
        return list(from_half_year(centre, seed=asked.seed)), calendar
    if asked.arrivals is not None:
        return from_file(asked.arrivals, centre), calendar
    recorded = from_database(verify_url, centre, first, last)
    return recorded.arrivals, recorded.calendar or calendar


def _table(outcomes: Sequence[Outcome], in_force: Outcome, everything: bool) -> Table:
    title = "Every setting" if everything else "Settings that no other beats"
    waits = "/".join(f"{scale:g}" for scale in SCALES)
    table = Table(
        title=f"{title}, after the rule in force; waits in minutes if a dossier takes {waits} times as long as entered",
        title_justify="left",
        box=None,
        padding=(0, 1, 0, 0),  # the columns fit into eighty
    )
    for heading in (
        "below",
        "from",
        "weeks",
        "stay",
        "pooled",
        "freed",
        "hours",
        "share",
        "peak",
        "mean wait",
        "changes",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in (in_force, *(each for each in outcomes if each.rule != in_force.rule)):
        rule = one.rule
        table.add_row(
            str(rule.pool_below),
            str(rule.release_from),
            f"{rule.pool_weeks}/{rule.release_weeks}",
            str(rule.min_stay_weeks),
            str(len(one.lived.pooled_at_end)),
            f"{one.freed_mean:.1f}",
            f"{one.hours_returned:,.0f}",
            f"{one.share:.1%}",
            str(one.peak),
            "–" if one.waiting is None else "/".join(f"{each.mean:.1f}" for each in one.waiting),
            str(one.lived.changes),
            style="bold" if one is in_force else None,
        )
    return table


def _write_table(path: Path, outcomes: Sequence[Outcome]) -> None:
    waits = [f"wait_{what}_minutes_x{scale:g}" for scale in SCALES for what in ("mean", "p90", "longest")]
    overtime = [f"overtime_hours_x{scale:g}" for scale in SCALES]
    header = [*PARAMETERS, "pooled_at_end", "changes", "counters_freed_mean", "counters_freed_at_end"]
    header += ["officer_hours_returned", "moved", "share", "peak_in_an_hour", *waits, *overtime]
    try:
        with path.open("w", encoding="utf-8", newline="") as sink:
            rows = csv.writer(sink, lineterminator="\n")
            rows.writerow(header)
            for one in outcomes:
                waiting = one.waiting or ()
                rows.writerow(
                    [
                        *(getattr(one.rule, name) for name in PARAMETERS),
                        " ".join(one.lived.pooled_at_end),
                        one.lived.changes,
                        f"{one.freed_mean:.3f}",
                        one.freed_at_end,
                        f"{one.hours_returned:.2f}",
                        one.moved,
                        f"{one.share:.5f}",
                        one.peak,
                        *(f"{each:.3f}" for w in waiting for each in (w.mean, w.p90, w.longest)),
                        *(f"{w.overtime_hours:.3f}" for w in waiting),
                    ]
                )
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror}") from error
