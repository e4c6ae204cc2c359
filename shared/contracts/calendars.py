"""Events of sla about working calendars (`sla.calendars.v1`, keyed by the calendar's name)."""

from datetime import date
from typing import ClassVar, Literal

from shared.contracts.envelope import ContractModel, EventData, Instant, Open
from shared.contracts.topics import CALENDARS


class PublishedException(ContractModel):
    """A dated exception, its decision, and the instant at which it became known."""

    date: date
    kind: Open[Literal["off", "working", "half_day"]]
    decided_by: str | None = None
    known_from: Instant | None = None
    status: Open[Literal["statutory", "decided", "projected", "unconfirmed"]]


class CalendarPublishedV1(EventData):
    """A calendar is published, compiled to windows of working time.

    `opens` and `closes` are parallel, ascending lists of UTC epoch seconds. A window includes its start but not its
    end. The calendar covers `first_date` to `last_date`, both included, in `zone`.
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
