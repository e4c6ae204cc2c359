"""Due dates a second of CPU: by columns, step by step, line by line; and what libraries of business time can do."""

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
from tests.bench.bench import Bench, NoResultError
from tests.bench.due_lines import cases
from tests.bench.figures import Figure, Part, Row, Table

COLUMNS = "by columns"
PAUSED = "by columns, one pause each"
STEPWISE = "step by step"
LINES = "`motcua due --jsonl`, a calendar of the centre"
PLAIN_ADD = "plain calendar: ours, adding hours"
PLAIN_ELAPSED = "plain calendar: ours, hours between"
PEERS = ("businesstimedelta", "business-duration")
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
    """Every form several times on the same cases, by lot; the peers on plain ones, whose answers are compared."""
    found: dict[str, list[float]] = {}
    calendar = compile_calendar(bench.centre.calendar)
    for number in range(bench.sizes.runs):
        for name, rate in _ours(bench, calendar, seed=number).items():
            found.setdefault(name, []).append(rate)
            bench.say(f"  {name}: {rate:,.0f}/s")
    aims = {COLUMNS: 1_000_000.0, LINES: 50_000.0}
    rows = [Row(name, {"rate": Figure(tuple(rates), "/s", aim=aims.get(name))}) for name, rates in found.items()]
    notes = [f"{bench.sizes.derivations:,} derivations by columns a run, of six terms in equal shares."]
    try:
        rows += _peers(bench, notes)
    except (OSError, subprocess.SubprocessError) as error:
        notes.append(f"The libraries are left out: {error}.")
    return Part("derivations", 0.0, (Table("derivations", tuple(rows), tuple(notes)),))


def _ours(bench: Bench, calendar: Calendar, *, seed: int) -> dict[str, float]:
    lot = np.random.default_rng(seed)
    share = bench.sizes.derivations // len(_TERMS)
    received = instants([_START])[0] + lot.integers(0, 365 * 8 * 86_400, share) * 1_000_000
    begin = received + lot.integers(0, 10 * 86_400, share) * 1_000_000
    pause = [PauseRound(np.arange(share), begin, begin + lot.integers(1, 20 * 86_400, share) * 1_000_000)]
    columns = CalendarArrays(calendar)

    def by_columns(rounds: list[PauseRound]) -> Callable[[], None]:
        def derive_all() -> None:
            for term in _TERMS:
                if derive_vectorized(term, received, rounds, columns).not_covered.any():
                    raise NoResultError("a derivation was left out: the calendar ends too early")

        return derive_all

    starts = [_START + timedelta(microseconds=int(at) - int(instants([_START])[0])) for at in received[: share // 50]]
    changes = [[ClockChange("received", at, at)] for at in starts]

    def stepwise() -> None:
        for term in _TERMS:
            for one in changes:
                derive(one, term, calendar)

    count = bench.sizes.derivations // 5
    stream = b"\n".join(json.dumps(case).encode() for case in cases(count, calendar.rules.name))

    def lines() -> None:
        if run_lines(io.BytesIO(stream), io.BytesIO(), lambda: bench.centre):
            raise NoResultError("a line was answered with an error")

    return {
        COLUMNS: share * len(_TERMS) / _seconds(by_columns([])),
        PAUSED: share * len(_TERMS) / _seconds(by_columns(pause)),
        STEPWISE: len(changes) * len(_TERMS) / _seconds(stepwise),
        LINES: count / _seconds(lines),
    }


def _peers(bench: Bench, notes: list[str]) -> list[Row]:
    """The libraries, each brought once into an environment of its own. Raises OSError, SubprocessError."""
    python = _environment(bench)
    lot = random.Random(2017)
    plain = []
    for _ in range(bench.sizes.derivations // 500):
        start = _START + timedelta(minutes=lot.randrange(60 * 24 * 365 * 8))
        plain.append((start, start + timedelta(minutes=lot.randrange(60 * 24 * 30)), lot.randrange(1, 160)))
    given = "\n".join(json.dumps([_local(start), _local(end), hours]) for start, end, hours in plain)
    script = Path(__file__).with_name("business_time_libraries.py")
    worktime = compile_calendar(_PLAIN).worktime
    rates: dict[str, list[float]] = {}
    ours: dict[str, list[Any]] = {}
    theirs: dict[str, list[Any]] = {}
    for _ in range(bench.sizes.runs):
        began = time.process_time()
        ours[PEERS[0]] = [_local(worktime.add(start, timedelta(hours=hours))) for start, _, hours in plain]
        rates.setdefault(PLAIN_ADD, []).append(len(plain) / (time.process_time() - began))
        began = time.process_time()
        ours[PEERS[1]] = [worktime.elapsed(start, end).total_seconds() for start, end, _ in plain]
        rates.setdefault(PLAIN_ELAPSED, []).append(len(plain) / (time.process_time() - began))
        done = subprocess.run([python, script], input=given, capture_output=True, text=True, timeout=900, check=True)
        for name, told in json.loads(done.stdout).items():
            rates.setdefault(f"plain calendar: {name}", []).append(len(plain) / told["seconds"])
            theirs[name] = told["answers"]
        rates.setdefault("plain days: numpy.busday_offset", []).append(_busdays(bench.sizes.derivations))
    for name in PEERS:
        same = sum(mine == other for mine, other in zip(ours[name], theirs[name], strict=True))
        notes.append(f"{name} and we agree on {same:,} of {len(plain):,} plain cases.")
    for name, found in rates.items():
        bench.say(f"  {name}: {max(found):,.0f}/s")
    return [Row(name, {"rate": Figure(tuple(found), "/s")}) for name, found in rates.items()]


def _busdays(count: int) -> float:
    """Working days added to dates, by numpy's own calendar of days: it knows neither hours nor pauses."""
    days = np.datetime64("2017-01-02") + np.random.default_rng(1).integers(0, 2900, count)
    began = time.process_time()
    np.busday_offset(days, 5, roll="forward")
    return count / (time.process_time() - began)


def _environment(bench: Bench) -> str:
    home = bench.settings.home.resolve() / "bench-peers"
    python = home / "derivations" / "bin" / "python"
    if not (home / "derivations-ready").exists():
        bench.say("  bringing the libraries (once)")
        for command in (
            [sys.executable, "-m", "venv", str(home / "derivations")],
            [str(python), "-m", "pip", "install", "-q", "businesstimedelta==1.0.1", "business-duration==0.68"],
        ):
            subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
        (home / "derivations-ready").touch()
    return str(python)


def _seconds(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _local(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat()
