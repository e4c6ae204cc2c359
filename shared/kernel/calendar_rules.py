"""A working calendar as decided: plain dated data with its invariants. Only sla compiles it to windows."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal, get_args

Kind = Literal["off", "working", "half_day"]
Status = Literal["statutory", "decided", "projected", "unconfirmed"]


@dataclass(frozen=True, slots=True)
class Window:
    """Working time of a day, in local time: from `opens` (included) to `closes` (not included)."""

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.opens.tzinfo or self.closes.tzinfo:
            raise ValueError("a window is in local time, without an offset")
        if self.opens >= self.closes:
            raise ValueError(f"a window ends after it starts, not {self.opens:%H:%M} to {self.closes:%H:%M}")

    @property
    def length(self) -> timedelta:
        """How long it is open."""
        return timedelta(
            hours=self.closes.hour - self.opens.hour,
            minutes=self.closes.minute - self.opens.minute,
            seconds=self.closes.second - self.opens.second,
        )


@dataclass(frozen=True, slots=True)
class CalendarException:
    """A date that differs from its weekday, by which decision, and since when that is known (None: since always)."""

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
            raise ValueError(f"{self.on} is off and has windows")
        _require_apart(self.windows)

    @property
    def counts(self) -> bool:
        """Unconfirmed exceptions are only told; all others make or take working time."""
        return self.status != "unconfirmed"


@dataclass(frozen=True, slots=True)
class CalendarRules:
    """A calendar as decided: standard windows on `weekdays` (ISO, Monday = 1), and what differs by date.

    Without weekdays only dates with an exception are worked.
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
        """The working time of a day that is like any other."""
        return sum((window.length for window in self.windows), timedelta(0))


def _require_apart(windows: tuple[Window, ...]) -> None:
    for earlier, later in pairwise(windows):
        if later.opens < earlier.closes:
            raise ValueError(f"windows overlap or are out of order at {later.opens:%H:%M}")
