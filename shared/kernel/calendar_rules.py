"""The rules of a working calendar: weekdays, windows of working time and exceptions, as immutable, validated values.

Only sla compiles the rules to windows in UTC.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal, get_args

Kind = Literal["off", "working", "half_day"]
Status = Literal["statutory", "decided", "projected", "unconfirmed"]


@dataclass(frozen=True, slots=True)
class Window:
    """Working time of a day in local time, from `opens` (included) to `closes` (excluded)."""

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.opens.tzinfo or self.closes.tzinfo:
            raise ValueError("a window is in local time and has no offset")
        if self.opens >= self.closes:
            raise ValueError(f"a window must end after it starts: {self.opens:%H:%M} to {self.closes:%H:%M}")

    @property
    def length(self) -> timedelta:
        """The duration of the window."""
        return timedelta(
            hours=self.closes.hour - self.opens.hour,
            minutes=self.closes.minute - self.opens.minute,
            seconds=self.closes.second - self.opens.second,
        )


@dataclass(frozen=True, slots=True)
class CalendarException:
    """A date on which a calendar differs from the rule for its weekday.

    `decided_by` is the document that decides it; None if there is none yet. `known_from` is the instant from which the
    exception is known; None means always.
    """

    on: date
    kind: Kind
    status: Status
    windows: tuple[Window, ...] = ()
    name: str = ""
    decided_by: str | None = None
    known_from: datetime | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind) or self.status not in get_args(Status):
            raise ValueError(f"{self.on}: unknown kind {self.kind!r} or status {self.status!r}")
        if self.kind == "off" and self.windows:
            raise ValueError(f"{self.on} is a day off but has windows")
        _require_apart(self.windows)

    @property
    def counts(self) -> bool:
        """Whether the exception changes working time: false for an unconfirmed one, which is only published."""
        return self.status != "unconfirmed"


@dataclass(frozen=True, slots=True)
class CalendarRules:
    """The rules of one calendar from `first_date` to `last_date`, both included.

    On `weekdays` (ISO, Monday = 1), working time is in the standard `windows`; `exceptions` replace that rule on their
    dates. Without weekdays, only dates with an exception are working days.
    """

    name: str
    zone: str
    weekdays: frozenset[int]
    windows: tuple[Window, ...]
    first_date: date
    last_date: date
    exceptions: tuple[CalendarException, ...] = ()
    decision: str | None = None

    def __post_init__(self) -> None:
        if not self.windows:
            raise ValueError(f"calendar {self.name} has no standard windows")
        if not self.weekdays <= set(range(1, 8)):
            raise ValueError(f"calendar {self.name}: weekdays are 1 (Monday) to 7, not {sorted(self.weekdays)}")
        if self.first_date > self.last_date:
            raise ValueError(f"calendar {self.name} ends on {self.last_date}, before {self.first_date}")
        _require_apart(self.windows)

    @property
    def standard_day(self) -> timedelta:
        """The sum of the lengths of the standard windows: the working time of a working day without an exception."""
        return sum((window.length for window in self.windows), timedelta(0))


def _require_apart(windows: tuple[Window, ...]) -> None:
    for earlier, later in pairwise(windows):
        if later.opens < earlier.closes:
            raise ValueError(f"windows overlap or are out of order at {later.opens:%H:%M}")
