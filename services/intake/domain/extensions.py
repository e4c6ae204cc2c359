"""Whether a due date may be extended, by sla's current due date.

Source: the apology and its quota are those of form 04 (Circular 03/2025).
"""

from datetime import date, datetime

from services.intake.domain.dossier import Dossier
from services.intake.domain.errors import (
    DueDateNotAvailableError,
    ExtensionDateError,
    ExtensionQuotaError,
    ExtensionTooLateError,
    NoDueDateError,
)
from services.intake.domain.instants import iso
from shared.kernel.errors import CalendarNotAvailableError
from shared.kernel.worktime import OutsideCalendarError, Worktime


def current_due_date(dossier: Dossier) -> datetime:
    """The due date after the last act that touched the clock.

    Raises DueDateNotAvailableError until sla has published it, NoDueDateError if the clock has none.
    """
    due = dossier.due
    if due is None or not dossier.is_due_current:
        raise DueDateNotAvailableError
    if due["status"] == "none":
        raise NoDueDateError(reason="the procedure has no term")
    if due["status"] != "set":
        raise NoDueDateError(reason=f"the clock is {due['status']}")
    return datetime.fromisoformat(due["due_at"])


def check_extension(*, at: datetime, due_at: datetime, made: int, max_extensions: int) -> None:
    """Raises ExtensionTooLateError at or after the due date, ExtensionQuotaError if `made` reached the quota."""
    if at >= due_at:
        raise ExtensionTooLateError(due_at=iso(due_at), at=iso(at))
    if made >= max_extensions:
        raise ExtensionQuotaError(made=made, max_extensions=max_extensions)


def check_date(day: date, *, due_at: datetime, calendar: Worktime | None) -> None:
    """Check that the new date is a working day that closes after the due date.

    Raises ExtensionDateError, and CalendarNotAvailableError while `calendar` is None.
    """
    if calendar is None:
        raise CalendarNotAvailableError(
            "The working calendar is not available here yet, so a date cannot be checked. Name working_days, or retry "
            "in a moment."
        )
    try:
        if not calendar.is_working_day(day):
            raise _refusal(f"{day} is a day off. Name a working day.")
        if calendar.closing(day) <= due_at:
            raise _refusal(f"{day} closes no later than the due date, {iso(due_at)}. Name a later day.")
    except OutsideCalendarError as error:
        raise _refusal(str(error)) from None


def _refusal(detail: str) -> ExtensionDateError:
    return ExtensionDateError(detail, pointer="/data/to_date")
