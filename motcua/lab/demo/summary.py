"""The figures that people ask for first, taken from the services' state; the terminal and the page show the same."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from motcua.lab.demo.state import Clock, Proposed, State
from shared.kernel.centre import Centre
from shared.kernel.weeks import WEEK, monday
from shared.kernel.worktime import Worktime

FEW = 10
"""Dossiers a week below which a department need not keep a counter (letter 24/TTHCC-CV of 6 November 2017)."""
_WEEK_OF_WORK = 5
_ROUNDING = 1e-6
_LEAST_DAYS = 2
"""A week with fewer working days says nothing about a department's volume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Punctuality:
    """How promises were kept. Shares are of what was settled with a due date."""

    received: int = 0
    early: int = 0
    on_day: int = 0
    late: int = 0
    overdue: int = 0
    """Still open though the due date has passed."""
    paused: int = 0
    was_paused: int = 0
    """Paused now, or earlier."""

    @property
    def judged(self) -> int:
        """Settled with a due date."""
        return self.early + self.on_day + self.late

    @property
    def on_time(self) -> int:
        """Settled by the end of the due date."""
        return self.early + self.on_day

    @property
    def share(self) -> float | None:
        """On time, of those judged; None where there is none."""
        return self.on_time / self.judged if self.judged else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """One department's line. `weeks` are dossiers by week; `volumes` those by counter or post, as in whole weeks."""

    code: str
    name: str
    weeks: Sequence[int]
    punctuality: Punctuality
    volumes: Sequence[float]

    @property
    def dossiers(self) -> int:
        """Submitted in all."""
        return sum(self.weeks)

    @property
    def volume(self) -> float | None:
        """The mean week's volume; None where no week had working days enough."""
        return sum(self.volumes) / len(self.volumes) if self.volumes else None

    @property
    def weeks_with_few(self) -> int:
        """In how many weeks the volume was below FEW."""
        return sum(volume < FEW for volume in self.volumes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What the general counter's rule proposes for a department: `volumes` are those of the weeks that speak for it."""

    code: str
    name: str
    to_general: bool
    coming: date
    volumes: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Everything that is shown; `weeks` are Mondays (local dates)."""

    first_date: date
    last_date: date
    weeks: Sequence[date]
    departments: Sequence[Department]
    """The largest first."""
    whole: Punctuality
    acts: Counter[str]
    messages: Counter[tuple[str, str]]
    closed_weeks: int
    """Weeks that can get no dossier any more; proposals rest on these alone."""
    proposals: Sequence[Proposal]

    @property
    def dossiers(self) -> int:
        """Submitted in all."""
        return sum(one.dossiers for one in self.departments)

    @property
    def by_week(self) -> list[int]:
        """Dossiers of each week."""
        return [sum(one.weeks[place] for one in self.departments) for place in range(len(self.weeks))]

    @property
    def with_few(self) -> list[Department]:
        """Departments whose mean week stays below FEW, the smallest first."""
        found = [(one.volume, one) for one in self.departments if one.volume is not None and one.volume < FEW]
        return [one for _, one in sorted(found, key=lambda entry: entry[0])]


def summarise(state: State, centre: Centre, worktime: Worktime, *, first_date: date, last_date: date) -> Summary:
    """The figures of a centre that was played from `first_date` to `last_date`, both included."""
    weeks = [monday(first_date)]
    while weeks[-1] + WEEK <= last_date:
        weeks.append(weeks[-1] + WEEK)
    days = {week: _working_days(worktime, max(week, first_date), min(week + WEEK, _after(last_date))) for week in weeks}
    clocks: dict[str, list[Clock]] = {}
    for clock in state.clocks.values():
        clocks.setdefault(clock.department, []).append(clock)
    departments = [
        Department(
            code=code or "none",
            name=found.name_en if (found := centre.department(code, first_date)) else "no department told",
            weeks=tuple(state.submitted[code, week] for week in weeks),
            punctuality=_punctuality(clocks.get(code, ())),
            volumes=tuple(
                state.volume[code, week] * _WEEK_OF_WORK / days[week] for week in weeks if days[week] >= _LEAST_DAYS
            ),
        )
        for code in sorted({code for code, _ in state.submitted})
    ]
    acts: Counter[str] = Counter()
    for (_, _, act), count in state.acts.items():
        acts[act] += count
    return Summary(
        first_date=first_date,
        last_date=last_date,
        weeks=weeks,
        departments=sorted(departments, key=lambda one: -one.dossiers),
        whole=_punctuality(list(state.clocks.values())),
        acts=acts,
        messages=state.messages,
        closed_weeks=len({week for _, week in state.closed}),
        proposals=[_proposal(one, centre) for one in state.proposals],
    )


def outcomes_by_channel(messages: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    """Channels with their outcomes, the most frequent first."""
    found: dict[str, dict[str, int]] = {}
    for (channel, outcome), count in sorted(messages.items(), key=lambda entry: -entry[1]):
        found.setdefault(channel, {})[outcome] = count
    return found


def percent(share: float | None) -> str:
    """With one decimal, rounded down: only what is whole reads 100.0 %."""
    return "–" if share is None else f"{int(share * 1000 + _ROUNDING) / 10:.1f} %"


def local(instant: datetime, centre: Centre) -> str:
    """A local date and time, for people."""
    return f"{instant.astimezone(centre.zone):%a %d %b %Y %H:%M}"


def _punctuality(clocks: Sequence[Clock]) -> Punctuality:
    outcomes = Counter(clock.promise.outcome for clock in clocks)
    return Punctuality(
        received=len(clocks),
        early=outcomes["early"],
        on_day=outcomes["on_time"],
        late=outcomes["late"],
        overdue=sum(clock.overdue for clock in clocks),
        paused=sum(clock.promise.state == "paused" for clock in clocks),
        was_paused=sum(clock.was_paused for clock in clocks),
    )


def _proposal(one: Proposed, centre: Centre) -> Proposal:
    found, rule = centre.department(one.department, one.coming), centre.pooling_rule(one.coming)
    assert rule is not None  # it proposed this
    return Proposal(
        code=one.department,
        name=found.name_en if found else one.department,
        to_general=one.receiving == "general",
        coming=one.coming,
        volumes=[float(week.volume(rule)) for week in one.weeks],
    )


def _after(day: date) -> date:
    return day + timedelta(days=1)


def _working_days(worktime: Worktime, first: date, before: date) -> int:
    return sum(worktime.is_working_day(first + timedelta(days=count)) for count in range((before - first).days))
