"""Rates of due date derivations: vectorised, row by row, with `motcua due`, and with business-time libraries."""

import io
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any

import numpy as np

from motcua.due.lines import run_lines
from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.clock import ClockChange, derive
from services.sla.vectorized import CalendarArrays, PauseRound, derive_vectorized, instants
from shared.kernel.calendar_rules import CalendarRules, Window
from shared.kernel.centre import Term
from tests.bench.bench import Bench, InvalidRunError
from tests.bench.due_lines import cases
from tests.bench.figures import Figure, Part, Row, Table

VECTORISED = "vectorised"
WITH_PAUSE = "vectorised, one pause each"
ROW_BY_ROW = "row by row"
LINES = "`motcua due --jsonl`, a calendar of the centre"
PLAIN_ADD = "plain calendar: motcua, adding hours"
PLAIN_ELAPSED = "plain calendar: motcua, hours between"
LIBRARIES = ("businesstimedelta", "business-duration")
_TERMS = (
    Term(5, "working_day"),
    Term(20, "working_day"),
    Term(12, "working_hour"),
    Term(10, "working_day", "by_days"),
    Term(30, "calendar_day"),
    Term(0, "same_day", cut_off=clock_time(15)),
)
_PLAIN = CalendarRules(
    name="plain",
    zone="UTC",
    weekdays=frozenset({1, 2, 3, 4, 5}),
    windows=(Window(clock_time(7), clock_time(15)),),
    first_date=date(2016, 1, 1),
    last_date=date(2027, 12, 31),
)
_START = datetime(2017, 1, 2, tzinfo=UTC)


def run(bench: Bench) -> Part:
    """Measure every method several times on a seeded random draw of cases.

    The libraries run on plain cases, and their answers are compared with ours.
    """
    rates: dict[str, list[float]] = {}
    calendar = compile_calendar(bench.centre.calendar)
    for number in range(bench.sizes.runs):
        for name, rate in _rates(bench, calendar, seed=number).items():
            rates.setdefault(name, []).append(rate)
            bench.report(f"  {name}: {rate:,.0f}/s")
    goals = {VECTORISED: 1_000_000.0, LINES: 50_000.0}
    rows = [Row(name, {"rate": Figure(tuple(values), "/s", goal=goals.get(name))}) for name, values in rates.items()]
    notes = [f"{bench.sizes.derivations:,} vectorised derivations per run, of six terms in equal shares."]
    try:
        rows += _libraries(bench, notes)
    except (OSError, subprocess.SubprocessError) as error:
        notes.append(f"The libraries were skipped: {error}.")
    return Part("due-dates", 0.0, (Table("due-dates", tuple(rows), tuple(notes)),))


def _rates(bench: Bench, calendar: Calendar, *, seed: int) -> dict[str, float]:
    draw = np.random.default_rng(seed)
    share = bench.sizes.derivations // len(_TERMS)
    received = instants([_START])[0] + draw.integers(0, 365 * 8 * 86_400, share) * 1_000_000
    begin = received + draw.integers(0, 10 * 86_400, share) * 1_000_000
    pause = [PauseRound(np.arange(share), begin, begin + draw.integers(1, 20 * 86_400, share) * 1_000_000)]
    columns = CalendarArrays(calendar)

    def vectorised(rounds: list[PauseRound]) -> Callable[[], None]:
        def derive_all() -> None:
            for term in _TERMS:
                if derive_vectorized(term, received, rounds, columns).not_covered.any():
                    raise InvalidRunError("a due date was not derived: the calendar ends too early")

        return derive_all

    starts = [_START + timedelta(microseconds=int(at) - int(instants([_START])[0])) for at in received[: share // 50]]
    changes = [[ClockChange("received", at, at)] for at in starts]

    def row_by_row() -> None:
        for term in _TERMS:
            for clock in changes:
                derive(clock, term, calendar)

    count = bench.sizes.derivations // 5
    stream = b"\n".join(json.dumps(case).encode() for case in cases(count, calendar.rules.name))

    def lines() -> None:
        if run_lines(io.BytesIO(stream), io.BytesIO(), lambda: bench.centre):
            raise InvalidRunError("a line was answered with an error")

    return {
        VECTORISED: share * len(_TERMS) / _seconds(vectorised([])),
        WITH_PAUSE: share * len(_TERMS) / _seconds(vectorised(pause)),
        ROW_BY_ROW: len(changes) * len(_TERMS) / _seconds(row_by_row),
        LINES: count / _seconds(lines),
    }


def _libraries(bench: Bench, notes: list[str]) -> list[Row]:
    """Measure the libraries and add notes on their answers. Raises OSError or SubprocessError if they do not run."""
    python = _environment(bench)
    draw = random.Random(2017)
    plain = []
    for _ in range(bench.sizes.derivations // 500):
        start = _START + timedelta(minutes=draw.randrange(60 * 24 * 365 * 8))
        plain.append((start, start + timedelta(minutes=draw.randrange(60 * 24 * 30)), draw.randrange(1, 160)))
    cases_input = "\n".join(json.dumps([_local(start), _local(end), hours]) for start, end, hours in plain)
    script = Path(__file__).with_name("business_time_libraries.py")
    worktime = compile_calendar(_PLAIN).worktime
    rates: dict[str, list[float]] = {}
    ours: dict[str, list[Any]] = {}
    theirs: dict[str, list[Any]] = {}
    for _ in range(bench.sizes.runs):
        started = time.process_time()
        ours[LIBRARIES[0]] = [_local(worktime.add(start, timedelta(hours=hours))) for start, _, hours in plain]
        rates.setdefault(PLAIN_ADD, []).append(len(plain) / (time.process_time() - started))
        started = time.process_time()
        ours[LIBRARIES[1]] = [worktime.elapsed(start, end).total_seconds() for start, end, _ in plain]
        rates.setdefault(PLAIN_ELAPSED, []).append(len(plain) / (time.process_time() - started))
        done = subprocess.run(
            [python, script], input=cases_input, capture_output=True, text=True, timeout=900, check=True
        )
        for name, result in json.loads(done.stdout).items():
            rates.setdefault(f"plain calendar: {name}", []).append(len(plain) / result["seconds"])
            theirs[name] = result["answers"]
        rates.setdefault("plain days: numpy.busday_offset", []).append(_busdays(bench.sizes.derivations))
    for name in LIBRARIES:
        equal = sum(
            our_answer == their_answer for our_answer, their_answer in zip(ours[name], theirs[name], strict=True)
        )
        notes.append(f"{name} and motcua agree on {equal:,} of {len(plain):,} plain cases.")
    for name, values in rates.items():
        bench.report(f"  {name}: {max(values):,.0f}/s")
    return [Row(name, {"rate": Figure(tuple(values), "/s")}) for name, values in rates.items()]


def _busdays(count: int) -> float:
    """Return the rate at which numpy adds working days to dates; its calendar has neither hours nor pauses."""
    days = np.datetime64("2017-01-02") + np.random.default_rng(1).integers(0, 2900, count)
    started = time.process_time()
    np.busday_offset(days, 5, roll="forward")
    return count / (time.process_time() - started)


def _environment(bench: Bench) -> str:
    """Install the libraries into their own virtual environment on the first call. Returns its Python. Blocks."""
    home = bench.settings.home.resolve() / "bench-peers"
    python = home / "derivations" / "bin" / "python"
    if not (home / "derivations-ready").exists():
        bench.report("  installing the libraries (first run only)")
        for command in (
            [sys.executable, "-m", "venv", str(home / "derivations")],
            [str(python), "-m", "pip", "install", "-q", "businesstimedelta==1.0.1", "business-duration==0.68"],
        ):
            subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
        (home / "derivations-ready").touch()
    return str(python)


def _seconds(work: Callable[[], None]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _local(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat()
