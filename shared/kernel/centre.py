"""What a centre is made of, as dated values: departments, counters, procedures, papers, calendars and decisions.

Pure data and look-ups by local date, so that every service's domain can use it; reading it from files is runtime's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from math import exp, log
from pathlib import Path
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from shared.kernel.calendar_rules import CalendarRules, Window
from shared.kernel.dated import Dated, in_force

CounterKind = Literal["department", "general", "guidance", "fees", "results"]
TermUnit = Literal["working_hour", "working_day", "calendar_day", "same_day"]
Counting = Literal["by_hours", "by_days"]
StepWordKind = Literal["activity", "group"]
RunKind = Literal["department", "general"]

_NORMAL_P90 = 1.2815515655446004
"""How many standard deviations above the mean nine tenths of a normal distribution lie below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Department(Dated):
    """An agency competent to resolve. `agency_id` begins its dossier codes."""

    code: str
    name_vi: str
    name_en: str
    short_vi: str
    kind: str
    agency_id: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter(Dated):
    """A numbered desk; `department` stands only with kind `department`."""

    number: int
    kind: CounterKind
    department: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffing(Dated):
    """When a counter is open on a working day, and by how many officers. Without `windows`: as long as the centre."""

    counter: int
    windows: tuple[Window, ...]
    officers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTime(Dated):
    """How long an officer needs at the counter for one dossier, log-normal: half take at most `median_minutes`, nine of
    ten at most `p90_minutes`. `procedure` None: for every one without a line of its own."""

    procedure: str | None
    median_minutes: int
    p90_minutes: int

    def __post_init__(self) -> None:
        if self.p90_minutes <= self.median_minutes:
            raise ValueError(f"p90_minutes, {self.p90_minutes}, is not above median_minutes, {self.median_minutes}")

    @property
    def mu(self) -> float:
        """The mean of the logarithm of the minutes."""
        return log(self.median_minutes)

    @property
    def sigma(self) -> float:
        """The standard deviation of that logarithm."""
        return log(self.p90_minutes / self.median_minutes) / _NORMAL_P90

    @property
    def mean_minutes(self) -> float:
        """The mean, which lies above the median."""
        return self.median_minutes * exp(self.sigma**2 / 2)


@dataclass(frozen=True, slots=True)
class Term:
    """How long the law gives. `value` is 0 only with `same_day`; dossiers of after `cut_off` (local) count from the
    next working day."""

    value: int
    unit: TermUnit
    counting: Counting = "by_hours"
    cut_off: time | None = None

    def __post_init__(self) -> None:
        if self.unit not in get_args(TermUnit) or self.counting not in get_args(Counting):
            raise ValueError(f"unknown unit {self.unit!r} or counting {self.counting!r}")
        if self.unit == "same_day" and self.value != 0:
            raise ValueError("the value of same_day is 0")
        if self.unit != "same_day" and self.value <= 0:
            raise ValueError(f"a term of {self.value} {self.unit} is none; say no term instead")
        if self.counting == "by_days" and self.unit != "working_day":
            raise ValueError(f"counting by_days is for working_day, not for {self.unit}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure(Dated):
    """What may be requested. `term` None: the law gives none. `fee_vnd` None: not entered (not: free)."""

    code: str
    name_vi: str
    name_en: str
    field_vi: str
    departments: tuple[str, ...]
    term: Term | None
    fee_vnd: int | None = None
    legal_basis: tuple[str, ...] = ()
    source: str = ""
    verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureStep(Dated):
    """One of the steps, numbered from 1, in which several departments resolve a procedure. `term` is the internal one,
    in working time: it promises nobody anything and tells when the whole is at risk."""

    procedure: str
    number: int
    department: str
    term: Term

    def __post_init__(self) -> None:
        if self.term.unit not in ("working_hour", "working_day") or self.term.counting != "by_hours":
            raise ValueError(f"a step's term is in working hours or days, by_hours, not {self.term}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement(Dated):
    """A paper that a procedure asks for; `key` is unique within the procedure, `copies` how many of that form."""

    procedure: str
    key: str
    name_vi: str
    form: Literal["original", "copy", "certified_copy"]
    copies: int
    mandatory: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooling(Dated):
    """The general counter receives for this department; competence and returning place stay as they are."""

    department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs(Dated):
    """When papers leave for the departments, at these local times of a day: from the departments' own counters, or
    from all others (`general`). A time that is no working time on some day is no run on it."""

    kind: RunKind
    leaves_at: tuple[time, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWord(Dated):
    """A word of the control slip (form 06) that may travel: what was done, or the group of people that did it."""

    kind: StepWordKind
    code: str
    name_vi: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds(Dated):
    """When officers are warned, how far back an act may be dated, how often a due date may be extended. Hours and days
    are working time.

    Near is `near_working_hours` before the due date, or at half the term for terms of `short_term_working_hours` or
    less; level n of the escalation comes `escalation_working_hours[n - 1]` after the breach. A pause of more than
    `pause_ceiling_working_days` is too long.
    """

    max_backdate_working_days: int
    near_working_hours: int
    short_term_working_hours: int
    escalation_working_hours: tuple[int, ...]
    pause_ceiling_working_days: int
    max_extensions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolingRule(Dated):
    """When a department's dossiers are too few for counters of its own; weeks run from Monday to Sunday.

    A week's volume is what came by `channels`, scaled to `full_week_days` working days; a week with fewer than
    `least_working_days` is not counted. Pooled below `pool_below` in each of the last `pool_weeks` counted weeks,
    released from `release_from` on in each of the last `release_weeks`; `min_stay_weeks` lie between two changes.
    """

    channels: tuple[str, ...]
    full_week_days: int
    least_working_days: int
    pool_below: int
    pool_weeks: int
    release_from: int
    release_weeks: int
    min_stay_weeks: int

    def __post_init__(self) -> None:
        if self.release_from <= self.pool_below:
            raise ValueError(
                f"release_from, {self.release_from}, is not above pool_below, {self.pool_below}: a department between "
                "them would be pooled and released for ever"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """One centre's configuration, whole and cross-checked. Mappings go from a key to its dated rows, oldest first.

    `catalogue_version` is the hash over the bytes in `files` (path within `folder` to content): every file that
    counts there, so services that hold the same value hold the same configuration.
    """

    code: str
    name_vi: str
    name_en: str
    zone: ZoneInfo
    agency_prefix: str
    opened_on: date
    address_vi: str
    hotline: str
    email: str
    sms_brand: str
    invented: tuple[str, ...]
    departments: Mapping[str, tuple[Department, ...]]
    counters: Mapping[int, tuple[Counter, ...]]
    procedures: Mapping[str, tuple[Procedure, ...]]
    steps: Mapping[str, tuple[ProcedureStep, ...]]
    requirements: Mapping[str, tuple[Requirement, ...]]
    poolings: Mapping[str, tuple[Pooling, ...]]
    staffing: Mapping[int, tuple[Staffing, ...]]
    service_times: Mapping[str | None, tuple[ServiceTime, ...]]
    runs: Mapping[RunKind, tuple[Runs, ...]]
    step_words: tuple[StepWord, ...]
    calendars: tuple[CalendarRules, ...]
    all_thresholds: tuple[Thresholds, ...]
    pooling_rules: tuple[PoolingRule, ...]
    catalogue_version: str
    folder: Path
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def calendar(self) -> CalendarRules:
        """The calendar by which the centre works: the first of its file."""
        return self.calendars[0]

    def local_date(self, instant: datetime) -> date:
        """The date that an aware instant has at the centre."""
        return instant.astimezone(self.zone).date()

    def department(self, code: str, on: date) -> Department | None:
        """The department as it is on that local date; None if there is none of that code."""
        return in_force(self.departments.get(code, ()), on)

    def departments_on(self, on: date) -> tuple[Department, ...]:
        """Every department of that local date, in the order of the file."""
        return tuple(row for rows in self.departments.values() for row in rows if row.in_force(on))

    def counter(self, number: int, on: date) -> Counter | None:
        """The counter as it is on that local date."""
        return in_force(self.counters.get(number, ()), on)

    def counters_on(self, on: date, kind: CounterKind, department: str | None = None) -> tuple[int, ...]:
        """The numbers, ascending, of the counters of that kind (and department) open on that local date."""
        return tuple(
            sorted(
                row.number
                for rows in self.counters.values()
                for row in rows
                if row.in_force(on) and row.kind == kind and row.department == department
            )
        )

    def staffing_of(self, counter: int, on: date) -> Staffing | None:
        """When and by how many a counter is served; None where nothing is entered: one officer, the centre's hours."""
        return in_force(self.staffing.get(counter, ()), on)

    def service_time(self, procedure: str | None, on: date) -> ServiceTime | None:
        """The procedure's own time at the counter, or that of all others; None where none is entered."""
        own = in_force(self.service_times.get(procedure, ()), on)
        return own or in_force(self.service_times.get(None, ()), on)

    def procedure(self, code: str, on: date) -> Procedure | None:
        """The procedure as it is on that local date; None where the catalogue does not know it: it waits, listed."""
        return in_force(self.procedures.get(code, ()), on)

    def steps_of(self, procedure: str, on: date) -> tuple[ProcedureStep, ...]:
        """The procedure's steps on that local date, in order: none, or at least two. None: the competent department
        resolves it alone."""
        steps = [row for row in self.steps.get(procedure, ()) if row.in_force(on)]
        return tuple(sorted(steps, key=lambda row: row.number))

    def requirements_of(self, procedure: str, on: date) -> tuple[Requirement, ...] | None:
        """The papers asked for on that local date; None where none are entered, which never means that none are
        asked."""
        rows = tuple(row for row in self.requirements.get(procedure, ()) if row.in_force(on))
        return rows or None

    def pooling(self, department: str, on: date) -> Pooling | None:
        """The decision by which the general counter receives for the department on that local date, if any."""
        return in_force(self.poolings.get(department, ()), on)

    def runs_on(self, on: date, kind: RunKind) -> Runs | None:
        """When papers leave counters of that kind on that local date; None where nobody entered it."""
        return in_force(self.runs.get(kind, ()), on)

    def step_code(self, kind: StepWordKind, given: str, on: date) -> str | None:
        """The code of the listed word that somebody means by its code or its name; None for everybody's own words."""
        listed = [row for row in self.step_words if row.kind == kind and row.in_force(on)]
        by_name = given.casefold()
        return next((row.code for row in listed if given == row.code or by_name == row.name_vi.casefold()), None)

    def thresholds(self, on: date) -> Thresholds:
        """The thresholds of that local date; those of the first row for dates before it."""
        return in_force(self.all_thresholds, on) or self.all_thresholds[0]

    def pooling_rule(self, on: date) -> PoolingRule | None:
        """The general counter's rule on that local date; None while the centre has none, so nothing is proposed."""
        return in_force(self.pooling_rules, on)
