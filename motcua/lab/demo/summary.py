"""The summary of a demo, computed from the services' state. The terminal and the page show the same figures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from motcua.lab.demo.state import Clock, OpenProposal, ServiceState
from shared.kernel.centre import Centre
from shared.kernel.weeks import WEEK, monday
from shared.kernel.worktime import Worktime

FEW = 10
"""Dossiers per week below which a department needs no counter of its own (letter 24/TTHCC-CV of 6 November 2017)."""
_WEEK_OF_WORK = 5
_ROUNDING = 1e-6
_LEAST_DAYS = 2
"""The fewest working days of a week that counts for a department's volume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Punctuality:
    """Numbers of received dossiers by punctuality. `early`, `on_day` and `late` are settled ones with a due date."""

    received: int = 0
    early: int = 0
    on_day: int = 0
    late: int = 0
    overdue: int = 0
    """Open after the local date of the due date."""
    paused: int = 0
    was_paused: int = 0
    """Paused now or at any earlier time."""

    @property
    def judged(self) -> int:
        """The number of dossiers settled with a due date."""
        return self.early + self.on_day + self.late

    @property
    def on_time(self) -> int:
        """The number of dossiers settled by the end of the due date."""
        return self.early + self.on_day

    @property
    def share(self) -> float | None:
        """The share (0 to 1) of the dossiers settled with a due date that was on time. None if there are none."""
        return self.on_time / self.judged if self.judged else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """One department. `weeks` are the numbers of dossiers submitted in each week.

    `volumes` are the dossiers received by counter or post in each week, scaled to five working days; weeks with too few
    working days are left out.
    """

    code: str
    name: str
    weeks: Sequence[int]
    punctuality: Punctuality
    volumes: Sequence[float]

    @property
    def dossiers(self) -> int:
        """The number of dossiers submitted."""
        return sum(self.weeks)

    @property
    def volume(self) -> float | None:
        """The mean of `volumes`. None if no week has enough working days."""
        return sum(self.volumes) / len(self.volumes) if self.volumes else None

    @property
    def weeks_with_few(self) -> int:
        """The number of weeks with a volume below FEW, of those in `volumes`."""
        return sum(volume < FEW for volume in self.volumes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A proposal of the general counter's rule for a department. `volumes` are those of its deciding weeks."""

    code: str
    name: str
    to_general: bool
    earliest_from: date
    volumes: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All figures of the summary. `weeks` are Mondays (local dates)."""

    first_date: date
    last_date: date
    weeks: Sequence[date]
    departments: Sequence[Department]
    """By dossiers, descending."""
    whole: Punctuality
    acts: Counter[str]
    messages: Counter[tuple[str, str]]
    closed_weeks: int
    """The number of closed weeks, on which the proposals are based."""
    proposals: Sequence[Proposal]

    @property
    def dossiers(self) -> int:
        """The number of dossiers submitted."""
        return sum(one.dossiers for one in self.departments)

    @property
    def by_week(self) -> list[int]:
        """The number of dossiers submitted in each week of `weeks`."""
        return [sum(one.weeks[place] for one in self.departments) for place in range(len(self.weeks))]

    @property
    def with_few(self) -> list[Department]:
        """The departments with a mean weekly volume below FEW, sorted by that mean, ascending."""
        found = [(one.volume, one) for one in self.departments if one.volume is not None and one.volume < FEW]
        return [one for _, one in sorted(found, key=lambda entry: entry[0])]


def summarise(state: ServiceState, centre: Centre, worktime: Worktime, *, first_date: date, last_date: date) -> Summary:
    """Compute the summary of a centre that was played from `first_date` to `last_date`, both included."""
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
            name=found.name_en if (found := centre.department(code, first_date)) else "no department",
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
    """Return, by channel, the number of messages with each outcome, the most frequent outcome first."""
    found: dict[str, dict[str, int]] = {}
    for (channel, outcome), count in sorted(messages.items(), key=lambda entry: -entry[1]):
        found.setdefault(channel, {})[outcome] = count
    return found


def percent(share: float | None) -> str:
    """Format a share (0 to 1) as per cent with one decimal, rounded down: only 1 gives 100.0 %. None gives a dash."""
    return "–" if share is None else f"{int(share * 1000 + _ROUNDING) / 10:.1f} %"


def _punctuality(clocks: Sequence[Clock]) -> Punctuality:
    outcomes = Counter(clock.status.outcome for clock in clocks)
    return Punctuality(
        received=len(clocks),
        early=outcomes["early"],
        on_day=outcomes["on_time"],
        late=outcomes["late"],
        overdue=sum(clock.overdue for clock in clocks),
        paused=sum(clock.status.state == "paused" for clock in clocks),
        was_paused=sum(clock.was_paused for clock in clocks),
    )


def _proposal(one: OpenProposal, centre: Centre) -> Proposal:
    found, rule = centre.department(one.department, one.earliest_from), centre.pooling_rule(one.earliest_from)
    assert rule is not None  # the proposal is based on it
    return Proposal(
        code=one.department,
        name=found.name_en if found else one.department,
        to_general=one.receiving == "general",
        earliest_from=one.earliest_from,
        volumes=[float(week.volume(rule)) for week in one.weeks],
    )


def _after(day: date) -> date:
    return day + timedelta(days=1)


def _working_days(worktime: Worktime, first: date, before: date) -> int:
    return sum(worktime.is_working_day(first + timedelta(days=count)) for count in range((before - first).days))
