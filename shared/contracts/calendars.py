"""Events of sla about working calendars (`sla.calendars.v1`, keyed by the calendar's name)."""

from datetime import date
from typing import ClassVar, Literal

from shared.contracts.envelope import ContractModel, EventData, Instant, Open
from shared.contracts.topics import CALENDARS


class PublishedException(ContractModel):
    """A date on which the calendar differs from the rule for its weekday.

    `decided_by` is the document that decides it, absent if there is none. `known_from` is the instant from which it is
    known; absent means always. An `unconfirmed` exception does not change working time.
    """

    date: date
    kind: Open[Literal["off", "working", "half_day"]]
    decided_by: str | None = None
    known_from: Instant | None = None
    status: Open[Literal["statutory", "decided", "projected", "unconfirmed"]]


class CalendarPublishedV1(EventData):
    """A version of a calendar is in force, compiled to windows of working time.

    `opens` and `closes` are parallel, ascending lists of UTC epoch seconds. A window includes its start but not its
    end. The calendar covers `first_date` to `last_date`, both included, in `zone`. `standard_day_seconds` is the
    working time of a working day without an exception.
    """

    TYPE: ClassVar[str] = "calendar.published"
    TOPIC: ClassVar[str] = CALENDARS.name

    name: str
    version: int
    zone: str
    first_date: date
    last_date: date
    standard_day_seconds: int
    opens: tuple[int, ...]
    closes: tuple[int, ...]
    exceptions: tuple[PublishedException, ...] = ()
    decision: str | None = None
