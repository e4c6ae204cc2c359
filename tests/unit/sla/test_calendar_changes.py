"""Effect a calendar changes: what a proposal may say, what its approval does, and what an edited seed differs in."""

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


def test_a_plain_day_off_is_sound() -> None:
    """A working Monday may become off, and a Saturday be worked by its own windows, or a Monday by fewer."""
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
def test_what_is_wrong_is_named_at_its_place(
    exceptions: tuple[CalendarException, ...], last_date: date | None, pointer: str, says: str
) -> None:
    """Each fault has a pointer into the proposal and says what would be accepted."""
    ((found, detail),) = faults(*exceptions, last_date=last_date)
    assert found == pointer
    assert says in detail


def test_a_date_beyond_the_old_end_belongs_to_a_longer_calendar() -> None:
    """Prolonging and its holidays are one proposal."""
    assert faults(off(date(2028, 1, 3)), last_date=date(2028, 12, 31)) == []


def test_an_exception_known_later_would_overrule() -> None:
    """On a centre that plays the past, a decision of the future stands in the calendar: nothing overrules it."""
    rules = replace(RULES, exceptions=(replace(off(date(2026, 6, 8)), known_from=at("2026-06-02 00:00")),))
    ((pointer, detail),) = [
        (each.pointer, each.detail)
        for each in find_faults(CalendarChange((off(date(2026, 6, 8), kind="half_day"),)), rules, NOW)
    ]
    assert (pointer, "would overrule" in detail) == ("/exceptions/0/date", True)


def test_half_a_day_by_the_same_windows_is_nothing_new() -> None:
    """Windows left out and windows spelled out say the same."""
    rules = replace(RULES, exceptions=(off(date(2026, 6, 8), kind="half_day"),))
    same = CalendarException(date(2026, 6, 8), "half_day", "decided", MORNING)
    assert [each.pointer for each in find_faults(CalendarChange((same,)), rules, NOW)] == ["/exceptions/0/kind"]


def test_a_rumour_may_be_ended() -> None:
    """A day that stood as unconfirmed is worked after all: from then on nobody is told of it."""
    rules = replace(RULES, exceptions=(off(date(2026, 6, 8), status="unconfirmed"),))
    assert find_faults(CalendarChange((off(date(2026, 6, 8), kind="working"),)), rules, NOW) == []


def test_what_was_projected_may_be_decided() -> None:
    """The same day off with another status is a change: due dates that cross it are no longer provisional."""
    projected = next(each for each in RULES.exceptions if each.status == "projected")
    assert faults(replace(projected, status="decided")) == []


def test_approval_makes_it_known_and_ruling() -> None:
    """From the approval on the added exception rules, by its decision; what was known before stays as it was."""
    holiday = date(2026, 9, 2)
    worked = CalendarException(holiday, "working", "decided", name="Trực bão")
    changed = apply_change(CalendarChange((worked,), date(2028, 12, 31)), RULES, decision="9/QĐ", now=NOW)
    ruling = compile_calendar(changed).ruling[holiday]
    assert (ruling.kind, ruling.decided_by, ruling.known_from) == ("working", "9/QĐ", NOW)
    assert changed.last_date == date(2028, 12, 31)
    before = rules_known_at(changed, at("2026-06-01 08:59"))
    assert before.exceptions == rules_known_at(RULES, at("2026-06-01 08:59")).exceptions


def test_of_two_approvals_at_one_instant_the_later_one_rules() -> None:
    """The time of a set centre stands still between them."""
    day = date(2026, 6, 8)
    once = apply_change(CalendarChange((off(day),)), RULES, decision="9/QĐ", now=NOW)
    twice = apply_change(CalendarChange((off(day, kind="half_day"),)), once, decision="10/QĐ", now=NOW)
    assert compile_calendar(twice).ruling[day].decided_by == "10/QĐ"


def test_kept_rules_read_as_they_were_written() -> None:
    """Whatever a calendar says survives the row: windows, zones of instants, statuses."""
    odd = CalendarException(date(2026, 6, 13), "working", "projected", MORNING, "Làm bù", None, NOW)
    rules = replace(RULES, exceptions=(*RULES.exceptions, odd))
    assert rules_from_document(rules_to_document(rules)) == rules


def test_an_edited_seed_is_told_with_both_values() -> None:
    """Which date and which member, what it says, and what it said; an unaffected_clocks one differs in nothing."""
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


def test_the_same_instant_in_another_zone_is_no_edit() -> None:
    """Instants are compared, not their spelling."""
    tet = RULES.exceptions[1]
    assert isinstance(tet.known_from, datetime)
    moved = replace(tet, known_from=tet.known_from.astimezone(ZoneInfo("UTC")))
    assert differences(replace(RULES, exceptions=(RULES.exceptions[0], moved, *RULES.exceptions[2:])), RULES) == []
