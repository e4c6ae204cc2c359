"""Changes of a calendar: valid proposals, the effect of an approval, and differences of an edited configuration."""

from dataclasses import replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from services.sla.calendars.store import rules_from_document, rules_to_document
from services.sla.domain.calendar import compile_calendar, rules_known_at
from services.sla.domain.calendar_changes import CalendarChange, apply_change, differences, find_faults
from shared.kernel.calendar_rules import CalendarException, Kind, Status, Window
from tests.unit.sla.builders import RULES, at

NOW = at("2026-06-01 09:00")
MORNING = (Window(time(7), time(11, 30)),)


def off(day: date, *, kind: Kind = "off", status: Status = "decided") -> CalendarException:
    return CalendarException(day, kind, status, name="Nghỉ bão")


def faults(*exceptions: CalendarException, last_date: date | None = None) -> list[tuple[str, str]]:
    return [(each.pointer, each.detail) for each in find_faults(CalendarChange(exceptions, last_date), RULES, NOW)]


def test_valid_exceptions_have_no_faults() -> None:
    """A working Monday may become off or half a day, and a Saturday or Tuesday may have its own windows."""
    saturday = CalendarException(date(2026, 6, 13), "working", "decided", MORNING)
    sunday, tuesday = replace(saturday, on=date(2026, 6, 14), kind="half_day"), replace(saturday, on=date(2026, 6, 9))
    assert faults(off(date(2026, 6, 8)), saturday, sunday, tuesday, off(date(2026, 6, 10), kind="half_day")) == []


@pytest.mark.parametrize(
    ("exceptions", "last_date", "pointer", "says"),
    [
        ((), None, "", "The proposal is empty"),
        ((off(date(2028, 1, 3)),), None, "/exceptions/0/date", "2016-01-01 to 2027-12-31"),
        ((off(date(2015, 12, 31)),), None, "/exceptions/0/date", "is outside the span"),
        ((), date(2027, 12, 31), "/last_date", "already"),
        ((), date(2057, 1, 1), "/last_date", "more than 40 years"),
        ((off(date(2026, 6, 13), kind="working"),), None, "/exceptions/0/windows", "give its windows"),
        ((off(date(2026, 6, 13), kind="half_day"),), None, "/exceptions/0/windows", "give its windows"),
        ((off(date(2026, 9, 2), status="statutory"),), None, "/exceptions/0/kind", "already"),
        ((off(date(2026, 6, 8), kind="working"),), None, "/exceptions/0/kind", "by its weekday already"),
        ((off(date(2026, 6, 14)),), None, "/exceptions/0/kind", "by its weekday already"),
        ((off(date(2026, 6, 14), status="projected"),), None, "/exceptions/0/kind", "by its weekday already"),
        ((off(date(2026, 6, 8)), off(date(2026, 6, 8), kind="half_day")), None, "/exceptions/1/date", "twice"),
        ((off(date(2026, 9, 2), status="unconfirmed"),), None, "/exceptions/0/status", "would change nothing"),
    ],
)
def test_fault_has_its_pointer_and_reason(
    exceptions: tuple[CalendarException, ...], last_date: date | None, pointer: str, says: str
) -> None:
    """Each fault has a pointer into the proposal and names what is wrong."""
    ((found, detail),) = faults(*exceptions, last_date=last_date)
    assert found == pointer
    assert says in detail


def test_date_after_the_present_end_is_valid_with_a_later_last_date() -> None:
    """An extended span and its holidays are one proposal."""
    assert faults(off(date(2028, 1, 3)), last_date=date(2028, 12, 31)) == []


def test_exception_known_later_is_a_fault() -> None:
    """With a simulated clock, the calendar may have a decision of the future, which would overrule the proposal."""
    rules = replace(RULES, exceptions=(replace(off(date(2026, 6, 8)), known_from=at("2026-06-02 00:00")),))
    ((pointer, detail),) = [
        (each.pointer, each.detail)
        for each in find_faults(CalendarChange((off(date(2026, 6, 8), kind="half_day"),)), rules, NOW)
    ]
    assert (pointer, "would overrule" in detail) == ("/exceptions/0/date", True)


def test_half_day_with_the_same_windows_is_a_fault() -> None:
    """Omitted windows and the same explicit windows are equal."""
    rules = replace(RULES, exceptions=(off(date(2026, 6, 8), kind="half_day"),))
    same = CalendarException(date(2026, 6, 8), "half_day", "decided", MORNING)
    assert [each.pointer for each in find_faults(CalendarChange((same,)), rules, NOW)] == ["/exceptions/0/kind"]


def test_unconfirmed_exception_may_become_a_working_day() -> None:
    """Events then no longer name the date as unconfirmed."""
    rules = replace(RULES, exceptions=(off(date(2026, 6, 8), status="unconfirmed"),))
    assert find_faults(CalendarChange((off(date(2026, 6, 8), kind="working"),)), rules, NOW) == []


def test_projected_exception_may_be_decided() -> None:
    """The same day off with another status is a change: due dates that cross it are no longer provisional."""
    projected = next(each for each in RULES.exceptions if each.status == "projected")
    assert faults(replace(projected, status="decided")) == []


def test_approved_exception_rules_from_the_approval_on() -> None:
    """The added exception rules by its decision; the calendar as known before is unchanged."""
    holiday = date(2026, 9, 2)
    worked = CalendarException(holiday, "working", "decided", name="Trực bão")
    changed = apply_change(CalendarChange((worked,), date(2028, 12, 31)), RULES, decision="9/QĐ", now=NOW)
    ruling = compile_calendar(changed).ruling[holiday]
    assert (ruling.kind, ruling.decided_by, ruling.known_from) == ("working", "9/QĐ", NOW)
    assert changed.last_date == date(2028, 12, 31)
    before = rules_known_at(changed, at("2026-06-01 08:59"))
    assert before.exceptions == rules_known_at(RULES, at("2026-06-01 08:59")).exceptions


def test_later_of_two_approvals_at_one_instant_rules() -> None:
    """The time of a simulated clock does not advance between them."""
    day = date(2026, 6, 8)
    once = apply_change(CalendarChange((off(day),)), RULES, decision="9/QĐ", now=NOW)
    twice = apply_change(CalendarChange((off(day, kind="half_day"),)), once, decision="10/QĐ", now=NOW)
    assert compile_calendar(twice).ruling[day].decided_by == "10/QĐ"


def test_rules_are_equal_after_storing() -> None:
    """Windows, zones of instants and statuses survive storage as JSON."""
    odd = CalendarException(date(2026, 6, 13), "working", "projected", MORNING, "Làm bù", None, NOW)
    rules = replace(RULES, exceptions=(*RULES.exceptions, odd))
    assert rules_from_document(rules_to_document(rules)) == rules


def test_edited_configuration_differs_with_both_values() -> None:
    """Each difference names the date, the member and both values; equal rules have none."""
    tet = RULES.exceptions[0]
    edited = replace(
        RULES,
        last_date=date(2028, 12, 31),
        exceptions=(replace(tet, kind="half_day"), *RULES.exceptions[2:], off(date(2026, 6, 8))),
    )
    assert differences(RULES, rules_from_document(rules_to_document(RULES))) == []
    assert differences(edited, RULES) == [
        "last_date is 2028-12-31, and was 2027-12-31",
        f"kind of the exception of {tet.on} is 'half_day', and was 'off'",
        "the exception of 2016-02-07 known from 2015-10-29 00:00:00+07:00 is missing, and was 'off (Tết Nguyên đán)'",
        "the exception of 2026-06-08 is 'off (Nghỉ bão)', and was missing",
    ]


def test_same_instant_in_another_zone_is_not_a_difference() -> None:
    """Instants are compared, not their text."""
    tet = RULES.exceptions[1]
    assert isinstance(tet.known_from, datetime)
    moved = replace(tet, known_from=tet.known_from.astimezone(ZoneInfo("UTC")))
    assert differences(replace(RULES, exceptions=(RULES.exceptions[0], moved, *RULES.exceptions[2:])), RULES) == []
