"""When a due date may be extended, by sla's current due date."""

from datetime import date
from typing import Any

import pytest

from services.intake.domain.dossier import Dossier
from services.intake.domain.extensions import check_date, check_extension, current_due_date
from services.intake.dossiers.schemas import parse_act
from shared.kernel.errors import Refusal
from shared.service.problems import status_of
from tests.unit.sla.builders import VIETNAM, at

_ID = "019cab00-0000-7000-8000-000000000001"
DUE = at("2017-11-10 17:00")
PUBLISHED = {"status": "set", "reflects": 7, "due_at": "2017-11-10T10:00:00Z"}


def dossier(due: dict[str, Any] | None, clock_sequence: int) -> Dossier:
    """A dossier with this clock, whose last act on it has this sequence."""
    return Dossier(due=due, clock_sequence=clock_sequence)


def test_due_date_reflects_the_last_act_that_touched_the_clock() -> None:
    """A due date that does not reflect that act, or none at all, is not available."""
    assert current_due_date(dossier(PUBLISHED, 7)) == current_due_date(dossier(PUBLISHED, 3)) == DUE
    for due, clock_sequence in ((None, 1), (PUBLISHED, 8)):
        with pytest.raises(Refusal) as refusal:
            current_due_date(dossier(due, clock_sequence))
        assert (status_of(refusal.value), refusal.value.name) == (409, "due-date-not-available")


@pytest.mark.parametrize(("status", "message"), [("none", "no term"), ("waiting", "waiting"), ("paused", "paused")])
def test_clock_without_a_due_date_is_not_extended(status: str, message: str) -> None:
    """The message states why there is no due date."""
    with pytest.raises(Refusal, match=message) as refusal:
        current_due_date(dossier({"status": status, "reflects": 7}, 7))
    assert refusal.value.name == "no-due-date"


def test_extension_at_or_after_the_due_date_is_refused() -> None:
    """The due instant itself is too late."""
    check_extension(at=at("2017-11-10 16:59:59"), due_at=DUE, made=0, max_extensions=1)
    with pytest.raises(Refusal, match="was due at 2017-11-10T10:00:00Z") as refusal:
        check_extension(at=DUE, due_at=DUE, made=0, max_extensions=1)
    assert (status_of(refusal.value), refusal.value.name) == (409, "extension-too-late")


@pytest.mark.parametrize(("made", "max_extensions"), [(1, 1), (2, 1), (0, 0)])
def test_extension_beyond_the_quota_is_refused(made: int, max_extensions: int) -> None:
    """The centre configures the quota."""
    with pytest.raises(Refusal) as refusal:
        check_extension(at=at("2017-11-08 08:00"), due_at=DUE, made=made, max_extensions=max_extensions)
    assert (status_of(refusal.value), refusal.value.name) == (409, "extension-quota")
    check_extension(at=at("2017-11-08 08:00"), due_at=DUE, made=made, max_extensions=made + 1)


@pytest.mark.parametrize(
    ("day", "message"),
    [
        ("2017-11-12", "a day off"),
        ("2017-11-10", "no later than the due date"),
        ("2017-11-09", "no later than the due date"),
        ("2099-01-05", "2099-01-05"),
    ],
)
def test_date_that_is_not_a_later_working_day_is_refused(day: str, message: str) -> None:
    """The refusal points to the date in the request."""
    check_date(date(2017, 11, 13), due_at=DUE, calendar=VIETNAM.worktime)
    with pytest.raises(Refusal, match=message) as refusal:
        check_date(date.fromisoformat(day), due_at=DUE, calendar=VIETNAM.worktime)
    assert (status_of(refusal.value), refusal.value.errors[0].pointer) == (422, "/data/to_date")


def test_date_without_a_calendar_is_refused() -> None:
    """Until a calendar is available, working days are unknown."""
    with pytest.raises(Refusal) as refusal:
        check_date(date(2017, 11, 13), due_at=DUE, calendar=None)
    assert status_of(refusal.value) == 503


@pytest.mark.parametrize(
    "data",
    [
        {"reason": "much to read"},
        {"reason": "much to read", "working_days": 1, "to_date": "2017-11-13"},
        {"reason": "much to read", "working_days": 0},
        {"reason": "much to read", "working_days": 1.0},
        {"reason": "much to read", "to_date": "13/11/2017"},
        {"reason": "much to read", "to_date": 1510531200},
        {"reason": "much to read", "to_date": "2017-11-31"},
        {"working_days": 1},
    ],
)
def test_extension_without_duration_or_reason_is_refused(data: dict[str, Any]) -> None:
    """An extension has a number of days or a date, not both, and the reason for the apology."""
    act = parse_act({"key": "k", "act": "extend", "data": data, "dossier": {"id": _ID}})
    assert isinstance(act.data, Refusal)
    assert status_of(act.data) == 422
