"""Pauses and settlements that a leader should look at: each may be in order, and each is how a clock is made to lie."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import ClockChange, Deadline
from services.sla.domain.running import Pause
from shared.kernel.centre import Thresholds

Doubt = Literal["paused_near_due", "paused_too_long", "settled_without_result"]


@dataclass(frozen=True, slots=True)
class Doubtful:
    """One thing to look at: what, when it began, and a working time that says how much: what was left of the term when
    it was paused, how long the pause lasted, or how long the result has been missing."""

    doubt: Doubt
    at: datetime
    working_time: timedelta
    ground: str | None = None


def doubts(
    changes: Sequence[ClockChange],
    deadline: Deadline,
    *,
    result_at: datetime | None,
    now: datetime,
    near: timedelta,
    patience: timedelta,
    rules: Thresholds,
    calendar: Calendar,
) -> Iterator[Doubtful]:
    """What there is to look at in one dossier, by the centre's time `now`; `deadline` is what its changes come to.

    A pause that began when no more than `near` of working time was left; one that lasted longer than the centre's
    ceiling, or still does; a settlement whose result (`result_at`) has not come within `patience` of working time.
    Time beyond the calendar's end is not counted until it is prolonged.
    """
    worktime = calendar.worktime

    def lasted(start: datetime, end: datetime) -> timedelta:
        return worktime.elapsed(min(start, worktime.ends_at), min(max(start, end), worktime.ends_at))

    ceiling = rules.pause_ceiling_working_days * calendar.standard_day
    left = {shift.by.start: shift.left for shift in deadline.shifts if isinstance(shift.by, Pause)}
    for start, end, ground in _pauses(changes, now):
        found = left.get(start)
        if found is not None and found <= near:
            yield Doubtful("paused_near_due", start, found, ground)
        paused = lasted(start, end)
        if paused > ceiling:
            yield Doubtful("paused_too_long", start, paused, ground)
    if deadline.ended == "settled" and deadline.ended_at is not None and result_at is None:
        missing = lasted(deadline.ended_at, now)
        if missing > patience:
            yield Doubtful("settled_without_result", deadline.ended_at, missing)


def _pauses(changes: Sequence[ClockChange], now: datetime) -> Iterator[tuple[datetime, datetime, str | None]]:
    """Each pause for a ground, with its end: a resume, the clock's own end, or now."""
    begun: ClockChange | None = None
    for change in sorted(changes, key=lambda each: each.at):
        if change.what == "paused":
            begun = change
        elif begun is not None and change.what in ("resumed", "settled", "withdrawn", "stopped"):
            yield begun.at, change.at, begun.ground
            begun = None
    if begun is not None:
        yield begun.at, max(now, begun.at), begun.ground
