"""The rules of an extension, which need the due date that sla published last.

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
    """Return the due date that follows from the dossier's last act that touched the clock.

    Raises DueDateNotAvailableError until sla's event with it is consumed, and NoDueDateError if there is none: the
    procedure has no term, or the clock is paused, ended or waiting for missing data.
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
    """Raise a Refusal if a dossier may not be extended at the instant `at`.

    ExtensionTooLateError: `at` is not before `due_at`. ExtensionQuotaError: `made`, the number of extensions so far,
    has reached `max_extensions`.
    """
    if at >= due_at:
        raise ExtensionTooLateError(due_at=iso(due_at), at=iso(at))
    if made >= max_extensions:
        raise ExtensionQuotaError(made=made, max_extensions=max_extensions)


def check_date(day: date, *, due_at: datetime, calendar: Worktime | None) -> None:
    """Check that the requested date is a working day whose working time ends after `due_at`.

    Raises ExtensionDateError if not, or if the calendar does not cover the date, and CalendarNotAvailableError if
    `calendar` is None.
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
