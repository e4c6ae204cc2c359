"""When an act may be said to have happened."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.kernel.errors import ExpectedError, FieldError, Refusal
from shared.kernel.worktime import OutsideCalendarError, Worktime


@dataclass(frozen=True, slots=True)
class Backdating:
    """How far back an act may be dated: `limit` of working time, measured by the centre's calendar."""

    limit: timedelta
    calendar: Worktime

    def allows(self, asked: datetime, now: datetime) -> bool:
        """Whether no more than the limit lies between; before the calendar begins is always too long ago."""
        try:
            return self.calendar.elapsed(asked, now) <= self.limit
        except OutsideCalendarError:
            return False


def occurred_at(
    asked: datetime | None,
    *,
    now: datetime,
    previous: datetime | None,
    backdating: Backdating | None,
    accepts_until: datetime | None = None,
) -> datetime:
    """The instant of an act that was asked to have happened at `asked` (absent: now), all instants aware.

    `accepts_until` is a set centre's latest instant: up to there any is taken, however long ago.

    An act without an instant of its own never precedes the dossier's `previous` act, even where replicas' clocks
    differ by a little. Raises Refusal: 422 for an instant in the future, before the previous act or too far
    back; 503 for any past instant while no calendar has arrived to measure it with.
    """
    if asked is None:
        return now if previous is None or previous <= now else previous
    if accepts_until is not None and asked > accepts_until:
        detail = f"{_z(asked)} is in the future; this centre, whose time is set, accepts acts until {_z(accepts_until)}"
        raise _refused("occurred-in-future", detail)
    if accepts_until is None and asked > now:
        raise _refused("occurred-in-future", f"{_z(asked)} is in the future; the centre's time is {_z(now)}")
    if previous is not None and asked < previous:
        raise _refused(
            "occurred-before-previous", f"{_z(asked)} is before the dossier's previous act at {_z(previous)}"
        )
    if asked == now or accepts_until is not None:
        return asked
    if backdating is None:
        raise ExpectedError(
            "calendar-not-arrived",
            "an act can be dated back only once the working calendar has arrived here; leave occurred_at out, or send "
            "this again in a moment",
            status=503,
        )
    if not backdating.allows(asked, now):
        hours = backdating.limit / timedelta(hours=1)
        raise _refused("occurred-too-long-ago", f"{_z(asked)} is more than {hours:g} working hours ago")
    return asked


def _refused(slug: str, detail: str) -> Refusal:
    return ExpectedError(slug, detail, status=422, errors=[FieldError("/occurred_at", detail)])


def _z(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
