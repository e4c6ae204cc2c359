"""Pauses and settlements for a leader to check: each may be correct, or may only serve to stop the clock in time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import ClockChange, Deadline
from services.sla.domain.term_run import Pause
from shared.kernel.centre import Thresholds

FindingKind = Literal["paused_near_due", "paused_too_long", "settled_without_result"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One pause or settlement to check, and when it began.

    `working_time` is, by kind, the time left when the pause began, the length of the pause, or how long the result has
    been missing.
    """

    kind: FindingKind
    at: datetime
    working_time: timedelta
    ground: str | None = None


def find_doubtful(
    changes: Sequence[ClockChange],
    deadline: Deadline,
    *,
    result_at: datetime | None,
    now: datetime,
    near: timedelta,
    patience: timedelta,
    rules: Thresholds,
    calendar: Calendar,
) -> Iterator[Finding]:
    """Yield the pauses and settlements of one dossier to check at `now`; `deadline` is derived from its changes.

    They are: a pause that began with at most `near` of working time left; a pause longer than the centre's ceiling,
    finished or not; a settlement whose result is not available (`result_at` None) after more than `patience` of working
    time. Time after the end of the calendar does not count until the calendar is extended.
    """
    worktime = calendar.worktime

    def lasted(start: datetime, end: datetime) -> timedelta:
        return worktime.elapsed(min(start, worktime.ends_at), min(max(start, end), worktime.ends_at))

    ceiling = rules.pause_ceiling_working_days * calendar.standard_day
    left = {shift.by.start: shift.left for shift in deadline.shifts if isinstance(shift.by, Pause)}
    for start, end, ground in _pauses(changes, now):
        found = left.get(start)
        if found is not None and found <= near:
            yield Finding("paused_near_due", start, found, ground)
        paused = lasted(start, end)
        if paused > ceiling:
            yield Finding("paused_too_long", start, paused, ground)
    if deadline.ended == "settled" and deadline.ended_at is not None and result_at is None:
        missing = lasted(deadline.ended_at, now)
        if missing > patience:
            yield Finding("settled_without_result", deadline.ended_at, missing)


def _pauses(changes: Sequence[ClockChange], now: datetime) -> Iterator[tuple[datetime, datetime, str | None]]:
    """Yield the start, end and ground of each pause; it ends by the resumption, by the end of the clock, or now."""
    begun: ClockChange | None = None
    for change in sorted(changes, key=lambda each: each.at):
        if change.kind == "paused":
            begun = change
        elif begun is not None and change.kind in ("resumed", "settled", "withdrawn", "stopped"):
            yield begun.at, change.at, begun.ground
            begun = None
    if begun is not None:
        yield begun.at, max(now, begun.at), begun.ground
