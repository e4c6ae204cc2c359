"""Whether a due date may be extended: judged by the date that stands, which is sla's to tell.

Source: the "Extension" of the domain; the apology and its quota are those of form 04 (Circular 03/2025).
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from shared.kernel.errors import ExpectedError, FieldError, Refusal
from shared.kernel.worktime import OutsideCalendarError, Worktime

NOT_TOLD = "due-date-not-told"
"""The refusal that time mends: sla has not told yet what the last act made of the clock."""


def standing_due(due: Mapping[str, Any] | None, clock_sequence: int) -> datetime:
    """The due date that stands after the last act that touched the clock (`clock_sequence`), by what sla told last.

    Raises Refusal (409): sla has not told it yet, or there is none to extend.
    """
    if due is None or due["reflects"] < clock_sequence:
        raise ExpectedError(
            NOT_TOLD,
            "the due date that now stands has not been told yet: send this again in a moment, with the same key",
        )
    if due["status"] == "none":
        raise ExpectedError("no-due-date", "the procedure has no term, so that there is no due date to extend")
    if due["status"] != "set":
        raise ExpectedError("no-due-date", f"there is no due date to extend now: the clock is {due['status']}")
    return datetime.fromisoformat(due["due_at"])


def check_extension(*, at: datetime, due_at: datetime, made: int, at_most: int) -> None:
    """Raises Refusal (409) where the due date has come by `at`, or was extended `at_most` times already."""
    if at >= due_at:
        raise ExpectedError(
            "extension-too-late",
            f"the dossier was due at {_z(due_at)}: an extension comes before that, not at {_z(at)}",
            more={"due_at": _z(due_at)},
        )
    if made >= at_most:
        times = "once" if made == 1 else f"{made} times"
        why = f"the due date was extended {times}" if made else "due dates are not extended here"
        raise ExpectedError("extension-quota", f"{why}; this centre allows {at_most}", more={"max_extensions": at_most})


def check_date(day: date, *, due_at: datetime, calendar: Worktime | None) -> None:
    """A date set is a working day that closes after the due date. Raises Refusal: 422, naming what is wrong;
    503 while no calendar has arrived to judge it by."""
    if calendar is None:
        raise ExpectedError(
            "calendar-not-arrived",
            "a date can be set only once the working calendar has arrived here; name working_days, or send this again "
            "in a moment",
            status=503,
        )
    try:
        if not calendar.is_working_day(day):
            raise _refused(f"{day} is a day off: name a working day")
        if calendar.closing(day) <= due_at:
            raise _refused(f"{day} closes no later than the due date, {_z(due_at)}: an extension gives more time")
    except OutsideCalendarError as error:
        raise _refused(str(error)) from None


def _refused(detail: str) -> Refusal:
    return ExpectedError("extension-date", detail, status=422, errors=[FieldError("/data/to_date", detail)])


def _z(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
