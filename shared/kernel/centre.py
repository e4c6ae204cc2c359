"""The configuration of a centre as dated values: departments, counters, procedures, papers, calendars, thresholds.

Immutable data with look-ups by local date, for the domain of every service. `shared.catalogue` reads it from files.
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
"""The 90th percentile of the standard normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Department(Dated):
    """An agency that resolves dossiers. The codes of its dossiers begin with `agency_id`."""

    code: str
    name_vi: str
    name_en: str
    short_vi: str
    kind: str
    agency_id: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter(Dated):
    """A numbered desk. `department` is set for a counter of `kind` department, and None for every other kind."""

    number: int
    kind: CounterKind
    department: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffing(Dated):
    """The opening windows of a counter on a working day (empty: the centre's), and its number of officers."""

    counter: int
    windows: tuple[Window, ...]
    officers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTime(Dated):
    """The time that an officer at the counter needs for one dossier, as a log-normal distribution.

    Half of the dossiers take at most `median_minutes`, 90 % at most `p90_minutes`. If `procedure` is None, the
    distribution is for every procedure without its own service time.
    """

    procedure: str | None
    median_minutes: int
    p90_minutes: int

    def __post_init__(self) -> None:
        if self.p90_minutes <= self.median_minutes:
            raise ValueError(f"p90_minutes ({self.p90_minutes}) must be above median_minutes ({self.median_minutes})")

    @property
    def mu(self) -> float:
        """The mu of the log-normal service time in minutes: the logarithm of its median."""
        return log(self.median_minutes)

    @property
    def sigma(self) -> float:
        """The sigma of the log-normal service time in minutes."""
        return log(self.p90_minutes / self.median_minutes) / _NORMAL_P90

    @property
    def mean_minutes(self) -> float:
        """The mean of the service time in minutes, which is above the median."""
        return self.median_minutes * exp(self.sigma**2 / 2)


@dataclass(frozen=True, slots=True)
class Term:
    """How long a procedure or step may take: `value` in `unit`. `value` is 0 if and only if `unit` is `same_day`.

    The term of a dossier that is received after `cut_off` (a local time of day) is counted from the next working day.
    """

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
            raise ValueError(f"a term of {self.value} {self.unit} is not possible; use no term instead")
        if self.counting == "by_days" and self.unit != "working_day":
            raise ValueError(f"counting by_days is only for working_day, not for {self.unit}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure(Dated):
    """An administrative procedure. If `term` is None, the law sets none. If `fee_vnd` is None, the fee is unknown."""

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
    """A step, numbered from 1, of a procedure that several departments resolve one after the other.

    `term` is internal and in working time: no due date follows from it, only the warning that the due date is at risk.
    """

    procedure: str
    number: int
    department: str
    term: Term

    def __post_init__(self) -> None:
        if self.term.unit not in ("working_hour", "working_day") or self.term.counting != "by_hours":
            raise ValueError(f"a step's term must be in working hours or working days, by_hours, not {self.term}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement(Dated):
    """A paper that a procedure requires. `key` is unique within the procedure.

    `copies` is the number that must be handed in, each in this `form` (original, copy or certified copy).
    """

    procedure: str
    key: str
    name_vi: str
    form: Literal["original", "copy", "certified_copy"]
    copies: int
    mandatory: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooling(Dated):
    """The general counter receives the dossiers of `department`, which remains the competent department."""

    department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs(Dated):
    """The local times of day at which papers leave the counters for the departments; each such departure is a run.

    The runs of `kind` department serve the departments' own counters, those of `kind` general all other counters. On a
    day on which a time in `leaves_at` is not working time, no run leaves at that time.
    """

    kind: RunKind
    leaves_at: tuple[time, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWord(Dated):
    """A word that the centre lists for its control slips (form 06): an activity, or the group of people that did it."""

    kind: StepWordKind
    code: str
    name_vi: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds(Dated):
    """The limits for warnings, backdated acts, pauses and extensions. Hours and days are working time.

    A due date is near from `near_working_hours` before it, or from half the term before it for terms of at most
    `short_term_working_hours`. Level n of the escalation follows `escalation_working_hours[n - 1]` after the breach. An
    officer is warned of a pause of `pause_ceiling_working_days`.
    """

    max_backdate_working_days: int
    near_working_hours: int
    short_term_working_hours: int
    escalation_working_hours: tuple[int, ...]
    pause_ceiling_working_days: int
    max_extensions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolingRule(Dated):
    """The rule that proposes to pool a department with too few dossiers at the general counter, or to end its pooling.

    A week (from Monday) counts if it has at least `least_working_days`. Its volume is the number of the department's
    dossiers received by `channels`, scaled to `full_week_days` working days. The rule proposes to pool if the volume
    was below `pool_below` in each of the last `pool_weeks` weeks that count, and to release if it was at least
    `release_from` in each of the last `release_weeks`. Between two changes, at least `min_stay_weeks` pass.
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
                f"release_from ({self.release_from}) must be above pool_below ({self.pool_below}), or a department "
                "between them would be pooled and released again and again"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """The complete configuration of one centre, checked across its files.

    Mappings go from a key to its dated rows, oldest first. `files` are the configuration files (path within `folder` to
    content), and `catalogue_version` is their hash: services with the same version have the same configuration.
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
        """The rules of the centre's own calendar: the first one of calendars.csv."""
        return self.calendars[0]

    def local_date(self, instant: datetime) -> date:
        """The date in the centre's time zone at an aware instant."""
        return instant.astimezone(self.zone).date()

    def department(self, code: str, on: date) -> Department | None:
        """The department with this code that exists on a local date; None if there is none."""
        return in_force(self.departments.get(code, ()), on)

    def departments_on(self, on: date) -> tuple[Department, ...]:
        """Every department that exists on a local date, grouped by code in the order of the file."""
        return tuple(row for rows in self.departments.values() for row in rows if row.in_force(on))

    def counter(self, number: int, on: date) -> Counter | None:
        """The counter with this number that exists on a local date; None if there is none."""
        return in_force(self.counters.get(number, ()), on)

    def counters_on(self, on: date, kind: CounterKind, department: str | None = None) -> tuple[int, ...]:
        """The numbers, ascending, of the counters of a kind that exist on a local date.

        For kind `department`, name the department; otherwise leave it None, since a counter of another kind has none.
        """
        return tuple(
            sorted(
                row.number
                for rows in self.counters.values()
                for row in rows
                if row.in_force(on) and row.kind == kind and row.department == department
            )
        )

    def staffing_of(self, counter: int, on: date) -> Staffing | None:
        """The staffing of a counter on a local date. None: not configured, so one officer during the centre's hours."""
        return in_force(self.staffing.get(counter, ()), on)

    def service_time(self, procedure: str | None, on: date) -> ServiceTime | None:
        """The service time of a procedure on a local date, or else that for all procedures; None if not configured."""
        own = in_force(self.service_times.get(procedure, ()), on)
        return own or in_force(self.service_times.get(None, ()), on)

    def procedure(self, code: str, on: date) -> Procedure | None:
        """The procedure with this code on a local date; None if the catalogue does not contain it."""
        return in_force(self.procedures.get(code, ()), on)

    def steps_of(self, procedure: str, on: date) -> tuple[ProcedureStep, ...]:
        """The steps of a procedure on a local date, by number: at least two, or an empty tuple if it has no steps."""
        steps = [row for row in self.steps.get(procedure, ()) if row.in_force(on)]
        return tuple(sorted(steps, key=lambda row: row.number))

    def requirements_of(self, procedure: str, on: date) -> tuple[Requirement, ...] | None:
        """The papers that a procedure requires on a local date. None: unknown, not that no papers are required."""
        rows = tuple(row for row in self.requirements.get(procedure, ()) if row.in_force(on))
        return rows or None

    def pooling(self, department: str, on: date) -> Pooling | None:
        """The configured decision that pools the department on a local date; None if there is none."""
        return in_force(self.poolings.get(department, ()), on)

    def runs_on(self, on: date, kind: RunKind) -> Runs | None:
        """The times of day at which papers leave counters of this kind on a local date; None if not configured."""
        return in_force(self.runs.get(kind, ()), on)

    def step_code(self, kind: StepWordKind, code_or_name: str, on: date) -> str | None:
        """The code of a listed word, found by code or by name (in any case); None if not listed on the local date."""
        listed = [row for row in self.step_words if row.kind == kind and row.in_force(on)]
        name = code_or_name.casefold()
        return next((row.code for row in listed if code_or_name == row.code or name == row.name_vi.casefold()), None)

    def thresholds(self, on: date) -> Thresholds:
        """The thresholds in force on a local date; the oldest ones if none are in force."""
        return in_force(self.all_thresholds, on) or self.all_thresholds[0]

    def pooling_rule(self, on: date) -> PoolingRule | None:
        """The rule that proposes poolings on a local date; None if nothing is proposed."""
        return in_force(self.pooling_rules, on)
