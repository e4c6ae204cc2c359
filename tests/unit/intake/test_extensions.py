"""When a due date may be extended, judged by the one that sla told."""

from datetime import date
from typing import Any

import pytest

from services.intake.domain.extensions import check_date, check_extension, standing_due
from services.intake.requests import read_line
from shared.kernel.errors import Refusal
from shared.service.problems import status_of
from tests.unit.sla.builders import VIETNAM, at

_ID = "019cab00-0000-7000-8000-000000000001"
DUE = at("2017-11-10 17:00")
TOLD = {"status": "set", "reflects": 7, "due_at": "2017-11-10T10:00:00Z"}


def test_the_due_date_is_the_one_after_the_last_act_of_the_clock() -> None:
    """A date that does not reflect that act is no ground to judge by; nor is none at all."""
    assert standing_due(TOLD, 7) == standing_due(TOLD, 3) == DUE
    for due, reflecting in ((None, 1), (TOLD, 8)):
        with pytest.raises(Refusal) as refusal:
            standing_due(due, reflecting)
        assert (status_of(refusal.value), refusal.value.name) == (409, "due-date-not-told")


@pytest.mark.parametrize(("status", "said"), [("none", "no term"), ("waiting", "waiting"), ("paused", "paused")])
def test_without_a_due_date_there_is_nothing_to_extend(status: str, said: str) -> None:
    """The refusal says why there is none."""
    with pytest.raises(Refusal, match=said) as refusal:
        standing_due({"status": status, "reflects": 7}, 7)
    assert refusal.value.name == "no-due-date"


def test_an_extension_comes_before_the_due_date() -> None:
    """At the due instant itself it is too late."""
    check_extension(at=at("2017-11-10 16:59:59"), due_at=DUE, made=0, at_most=1)
    with pytest.raises(Refusal, match="was due at 2017-11-10T10:00:00Z") as refusal:
        check_extension(at=DUE, due_at=DUE, made=0, at_most=1)
    assert (status_of(refusal.value), refusal.value.name) == (409, "extension-too-late")


@pytest.mark.parametrize(("made", "at_most"), [(1, 1), (2, 1), (0, 0)])
def test_the_quota_is_the_centres(made: int, at_most: int) -> None:
    """As often as the centre says, and no more."""
    with pytest.raises(Refusal) as refusal:
        check_extension(at=at("2017-11-08 08:00"), due_at=DUE, made=made, at_most=at_most)
    assert (status_of(refusal.value), refusal.value.name) == (409, "extension-quota")
    check_extension(at=at("2017-11-08 08:00"), due_at=DUE, made=made, at_most=made + 1)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2017-11-12", "a day off"),
        ("2017-11-10", "no later than the due date"),
        ("2017-11-09", "no later than the due date"),
        ("2099-01-05", "2099-01-05"),
    ],
)
def test_a_date_is_a_later_working_day(day: str, said: str) -> None:
    """Anything else is refused at its place in the request."""
    check_date(date(2017, 11, 13), due_at=DUE, calendar=VIETNAM.worktime)
    with pytest.raises(Refusal, match=said) as refusal:
        check_date(date.fromisoformat(day), due_at=DUE, calendar=VIETNAM.worktime)
    assert (status_of(refusal.value), refusal.value.errors[0].pointer) == (422, "/data/to_date")


def test_a_date_needs_the_calendar() -> None:
    """Before one has arrived nobody knows which days are worked."""
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
def test_an_extension_says_how_long_and_why(data: dict[str, Any]) -> None:
    """By days or by a date, not by both; the reason stands in the apology."""
    line = read_line({"key": "k", "act": "extend", "data": data, "dossier": {"id": _ID}})
    assert isinstance(line.data, Refusal)
    assert status_of(line.data) == 422
