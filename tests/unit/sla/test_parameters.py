"""Dates and times of day of a proposal: one form each, without the forms that pydantic would guess."""

import pytest
from pydantic import ValidationError

from services.sla.calendars.schemas import ProposalRequest

NAMED = {"date": "2026-11-28", "kind": "working", "status": "decided", "name": "Làm bù"}


def refused(body: dict[str, object]) -> tuple[tuple[str | int, ...], str]:
    """The one invalid place and the message."""
    with pytest.raises(ValidationError) as refusal:
        ProposalRequest.model_validate(body)
    (fault,) = refusal.value.errors()
    return fault["loc"], fault["msg"]


def test_local_dates_and_times_are_read() -> None:
    """Local dates and times are written without an offset."""
    asked = ProposalRequest.model_validate(
        {"exceptions": [NAMED | {"windows": [["07:00", "11:30"]]}], "last_date": "2028-12-31"}
    )
    (window,) = asked.exceptions[0].exception().windows
    assert (f"{window.opens:%H:%M}", f"{window.closes:%H:%M}") == ("07:00", "11:30")
    assert str(asked.last_date) == "2028-12-31"


@pytest.mark.parametrize(
    "day", ["1764201600", 1764201600, "2026-11-27T00:00:00", "27/11/2026", "2026-11-27\n", "٢٠٢٦-11-27"]
)
def test_date_in_another_form_is_refused(day: object) -> None:
    """pydantic would read a number as seconds since 1970."""
    says = "Value error, write a date as YYYY-MM-DD"
    assert refused({"exceptions": [NAMED | {"date": day}]}) == (("exceptions", 0, "date"), says)
    assert refused({"last_date": day}) == (("last_date",), says)


@pytest.mark.parametrize("opens", ["25200", 25200, "07:00:00.5", "07:00Z", "7:00"])
def test_time_in_another_form_is_refused(opens: object) -> None:
    """pydantic would read a number as seconds since midnight."""
    place = ("exceptions", 0, "windows", 0, 0)
    windows = [[opens, "11:30"]]
    assert refused({"exceptions": [NAMED | {"windows": windows}]}) == (
        place,
        "Value error, write a time of day as HH:MM, or HH:MM:SS",
    )


def test_date_that_does_not_exist_is_refused() -> None:
    """The right form does not make 29 February 2027 a date."""
    assert refused({"last_date": "2027-02-29"})[0] == ("last_date",)
