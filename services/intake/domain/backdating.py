"""The instant at which an act happened, and how far back a request may date it."""

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
    """How far back an act may be dated: at most `limit` of working time by the centre's calendar."""

    limit: timedelta
    calendar: Worktime

    def allows(self, occurred_at: datetime, now: datetime) -> bool:
        """Return whether the working time from `occurred_at` to `now` is at most `limit`.

        False for an instant outside the calendar's range.
        """
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
    """Return the instant of an act: the `occurred_at` of its request, or if it has none, `now`.

    Without `occurred_at`, the result is never before `previous`, the instant of the dossier's previous act, even if the
    clocks of replicas differ slightly. With a system clock, `accepts_until` is None, and `occurred_at` must be at most
    `now` and within the limit of `backdating`, which is None while no calendar is available. With a simulated clock,
    `occurred_at` must be at most `accepts_until`, and `backdating` is ignored. All instants are aware.

    Raises OccurredInFutureError, OccurredBeforePreviousError, OccurredTooLongAgoError, and CalendarNotAvailableError
    for an instant in the past if `backdating` is needed but None.
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
