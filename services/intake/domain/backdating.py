"""The instant of an act, and how far back an act may be dated."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.intake.domain.errors import (
    OccurredBeforePreviousError,
    OccurredInFutureError,
    OccurredTooLongAgoError,
)
from services.intake.domain.instants import iso
from shared.kernel.errors import CalendarNotAvailableError
from shared.kernel.worktime import OutsideCalendarError, Worktime

_POINTER = "/occurred_at"


@dataclass(frozen=True, slots=True)
class Backdating:
    """How far back an act may be dated: `limit` is working time by the centre's calendar."""

    limit: timedelta
    calendar: Worktime

    def allows(self, occurred_at: datetime, now: datetime) -> bool:
        """Whether working time from `occurred_at` to `now` is within the limit; False before the calendar begins."""
        try:
            return self.calendar.elapsed(occurred_at, now) <= self.limit
        except OutsideCalendarError:
            return False


def instant_of_act(
    occurred_at: datetime | None,
    *,
    now: datetime,
    previous: datetime | None,
    backdating: Backdating | None,
    accepts_until: datetime | None = None,
) -> datetime:
    """The instant of an act with the `occurred_at` of its request (None: now). All instants are aware.

    `accepts_until` is the latest instant with a simulated clock, which accepts any earlier one; None with a system
    clock. `backdating` is None while no calendar is available. An act without an instant of its own is never before the
    dossier's `previous` act, even if the clocks of replicas differ slightly.

    Raises OccurredInFutureError, OccurredBeforePreviousError or OccurredTooLongAgoError, and CalendarNotAvailableError
    for a past instant that no calendar can measure.
    """
    if occurred_at is None:
        return now if previous is None or previous <= now else previous
    limit = now if accepts_until is None else accepts_until
    if occurred_at > limit:
        raise OccurredInFutureError(occurred_at=iso(occurred_at), limit=iso(limit), pointer=_POINTER)
    if previous is not None and occurred_at < previous:
        raise OccurredBeforePreviousError(occurred_at=iso(occurred_at), previous=iso(previous), pointer=_POINTER)
    if occurred_at == now or accepts_until is not None:
        return occurred_at
    if backdating is None:
        raise CalendarNotAvailableError(
            "The working calendar is not available here yet, so an act cannot be dated back. Omit occurred_at, or "
            "retry in a moment."
        )
    if not backdating.allows(occurred_at, now):
        hours = backdating.limit / timedelta(hours=1)
        raise OccurredTooLongAgoError(occurred_at=iso(occurred_at), hours=hours, pointer=_POINTER)
    return occurred_at
