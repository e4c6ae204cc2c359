"""`motcua simulate general-counter`: applies rules to past arrivals, compares them, and writes a document to sign."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.progress import track
from rich.table import Table

from motcua.lab.simulate.arrivals import arrival_arrays
from motcua.lab.simulate.outcomes import SCALES, Outcome, Simulation, pareto_optimal
from motcua.lab.simulate.paper import assumptions, write_paper
from motcua.lab.simulate.rule_grid import PARAMETERS, parse_range, rule_grid
from motcua.lab.simulate.sources import ReceivedDossier, from_database, from_file, from_half_year
from services.sla.domain.calendar import compile_calendar
from shared.kernel.centre import Centre
from shared.kernel.errors import StartError
from shared.postgres.published_calendars import WorkingTime

Lang = Literal["vi", "en"]
_HALF_YEAR = (date(2017, 5, 1), date(2017, 11, 5))
"""The whole weeks of the half year."""
_SHOWN = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationRequest:
    """The options of the command. `ranges` has the text of each range that the user gave, by the rule's parameter."""

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


def run_simulation(request: SimulationRequest, centre: Centre, verify_url: str, console: Console) -> int:
    """Simulate every rule, print the results, and write the requested files. Return 0, the exit status.

    Blocks. Raises StartError for arrivals with gaps or faults, ranges without a valid rule, and a file that cannot be
    written.
    """
    first, last = _span(request)
    rule = centre.pooling_rule(last)
    if rule is None:
        raise StartError(
            f"The centre has no rule for the general counter on {last}. Add [[general_counter]] to centre.toml."
        )
    tried = rule_grid(rule, {name: parse_range(name, written) for name, written in request.ranges.items()})
    received, calendar = _received(request, centre, verify_url, first, last)
    found = arrival_arrays(
        received,
        centre,
        calendar.worktime,
        calendar.standard_day,
        rule,
        first=first,
        last=last,
    )
    simulation = Simulation(found, seed=request.seed)
    outcomes = [
        simulation.outcome(one)
        for one in track(tried.rules, f"Simulating {len(tried.rules)} settings", console=console, transient=True)
    ]
    optimal = pareto_optimal(outcomes)
    in_force = simulation.outcome(rule)

    def say(sentence: str) -> None:
        console.print(sentence, markup=False, soft_wrap=True)

    say(
        f"{len(found.at):,} dossiers by {' and '.join(rule.channels)} from {first} to {last} at {centre.name_en}, "
        f"{found.online:,} more online; {len(simulation.closings)} weeks closed early enough to count."
    )
    console.print(_table(outcomes if request.everything else optimal[:_SHOWN], in_force, request.everything))
    if not request.everything:
        more = f" ({_SHOWN} are shown)" if len(optimal) > _SHOWN else ""
        say(
            f"{len(tried.rules)} settings simulated. {tried.left_out} combinations left out: they would release below "
            f"the pooling threshold. {len(optimal)} settings are not dominated by another in hours, waits and "
            f"changes{more}."
        )
    pooled = ", ".join(in_force.pooling.pooled_at_end) or "no department"
    say(f"The rule in force ({rule.decision}) ends with {pooled} at the general counter.")
    for sentence in assumptions(found, request.seed, "en"):
        say(f"- {sentence}")
    if request.table is not None:
        _write_table(request.table, outcomes)
        say(f"All settings: {request.table}")
    if request.paper is not None:
        write_paper(request.paper, found, in_force, outcomes, optimal, seed=request.seed, language=request.language)
        say(f"Document to sign: {request.paper}")
    return 0


def _span(request: SimulationRequest) -> tuple[date, date]:
    if request.half_year and request.arrivals is not None:
        raise StartError("--half-year and --arrivals exclude each other. Choose one.")
    default = _HALF_YEAR if request.half_year else (None, None)
    first, last = request.first or default[0], request.last or default[1]
    if first is None or last is None:
        raise StartError(
            "--from and --to are missing. Write for example --from 2017-05-01 --to 2017-11-05, or use --half-year."
        )
    return first, last


def _received(
    request: SimulationRequest, centre: Centre, verify_url: str, first: date, last: date
) -> tuple[Sequence[ReceivedDossier], WorkingTime]:
    """Read the arrivals. Return them with their calendar: the folder's, or for routing's record the published one."""
    compiled = compile_calendar(centre.calendar)
    calendar = WorkingTime(0, compiled.standard_day, compiled.worktime)
    if request.half_year:
        return list(from_half_year(centre, seed=request.seed)), calendar
    if request.arrivals is not None:
        return from_file(request.arrivals, centre), calendar
    recorded = from_database(verify_url, centre, first, last)
    return recorded.arrivals, recorded.calendar or calendar


def _table(outcomes: Sequence[Outcome], in_force: Outcome, everything: bool) -> Table:
    title = "All settings" if everything else "Settings that no other dominates"
    waits = "/".join(f"{scale:g}" for scale in SCALES)
    table = Table(
        title=f"{title}, after the rule in force. Waits in minutes, for {waits} times the entered time per dossier.",
        title_justify="left",
        box=None,
        padding=(0, 1, 0, 0),  # the columns fit into a width of 80
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
            str(len(one.pooling.pooled_at_end)),
            f"{one.freed_mean:.1f}",
            f"{one.hours_returned:,.0f}",
            f"{one.share:.1%}",
            str(one.peak),
            "–" if one.waiting is None else "/".join(f"{each.mean:.1f}" for each in one.waiting),
            str(one.pooling.changes),
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
                        " ".join(one.pooling.pooled_at_end),
                        one.pooling.changes,
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
        raise StartError(f"{path} cannot be written: {error.strerror}.") from error
