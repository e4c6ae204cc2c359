"""Deadlines as known at a past instant, from the calendar and the changes of that time."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla.domain.calendar import compile_calendar, rules_known_at
from services.sla.domain.clock import ClockChange, derive, recorded_by
from services.sla.domain.errors import ClockError
from services.sla.domain.terms import counted_from, due
from shared.kernel.calendar_rules import CalendarException, CalendarRules
from shared.kernel.centre import Term
from tests.unit.sla.builders import RULES, VIETNAM, at, change, local

DAY = Term(1, "working_day")
TWO_DAYS = Term(2, "working_day")
MONDAY = change("received", "2017-11-06 07:00")


def due_as_known(term: Term, received: str, known: str, rules: CalendarRules = RULES) -> str | None:
    """The due date without pauses by the calendar as known at that local time."""
    calendar = compile_calendar(rules_known_at(rules, at(known)))
    return local(due(term, counted_from(term, at(received), calendar), calendar).at)


@pytest.mark.parametrize(
    ("received", "term", "known", "expected"),
    [
        # 12729/VPCP-KGVX, known from 25 December 2025 00:00: Friday 2 January off, Saturday 10 January worked.
        # Wednesday 31 December 14:00 leaves 3 h; Thursday is New Year's Day; 5 h of the next working day: 14:00.
        ("2025-12-31 14:00", DAY, "2025-12-24 23:59:59", "2026-01-02 14:00"),
        ("2025-12-31 14:00", DAY, "2025-12-25 00:00", "2026-01-05 14:00"),
        # Thursday 8 January 14:00: 3 h, Friday 8 h, 5 h of Monday 12 or of the swapped Saturday.
        ("2026-01-08 14:00", TWO_DAYS, "2025-12-24 23:59:59", "2026-01-12 14:00"),
        ("2026-01-08 14:00", TWO_DAYS, "2025-12-25 00:00", "2026-01-10 14:00"),
        # The notice on Tết 2017 is of 24 November 2016; before, no day of the block was entered.
        # Wednesday 25 January 16:00: 1 h, then 7 h (to 16:00) of Thursday 26 January, or of Thursday 2 February.
        ("2017-01-25 16:00", DAY, "2016-11-23 23:59", "2017-01-26 16:00"),
        ("2017-01-25 16:00", DAY, "2016-11-24 00:00", "2017-02-02 16:00"),
        # Monday 29 April 2024 was swapped for Saturday 4 May on 12 April; 30 April and 1 May are the law's.
        # Friday 26 April 15:00: 2 h, then 6 h (to 15:00) of Monday, or of Thursday 2 May.
        ("2024-04-26 15:00", DAY, "2024-04-11 23:59", "2024-04-29 15:00"),
        ("2024-04-26 15:00", DAY, "2024-04-12 00:00", "2024-05-02 15:00"),
        # Tết 2027 is projected and was so always: known at any time.
        ("2027-02-03 10:00", DAY, "2020-01-01 00:00", "2027-02-11 10:00"),
    ],
)
def test_calendar_known_at_an_instant_omits_later_exceptions(
    received: str, term: Term, known: str, expected: str
) -> None:
    """Exceptions known from a later instant are left out; the instant itself is included."""
    assert due_as_known(term, received, known) == expected


def test_exception_overrules_earlier_ones_from_its_known_instant() -> None:
    """A day off decided on 2 November and made a working day on 3 November has each effect in its time."""
    rules = replace(
        RULES,
        exceptions=(
            CalendarException(date(2017, 11, 7), "off", "decided", known_from=at("2017-11-02 00:00")),
            CalendarException(date(2017, 11, 7), "working", "decided", known_from=at("2017-11-03 00:00")),
        ),
    )
    found = [due_as_known(DAY, "2017-11-06 15:00", f"2017-11-0{day} 12:00", rules) for day in (1, 2, 3)]
    assert found == ["2017-11-07 15:00", "2017-11-08 15:00", "2017-11-07 15:00"]


def test_unconfirmed_day_is_named_from_its_known_instant() -> None:
    """Culture Day is known from 26 February 2026; before that, no date is named."""
    received = change("received", "2026-11-23 10:00")
    crossed = [
        derive([received], TWO_DAYS, compile_calendar(rules_known_at(RULES, at(known)))).crosses_unconfirmed
        for known in ("2026-02-25 23:59", "2026-02-26 00:00")
    ]
    assert crossed == [(), (date(2026, 11, 24),)]


def test_unconfirmed_exception_does_not_overrule_a_decided_one() -> None:
    """An unconfirmed working day, known later than the decided day off, leaves it off."""
    rumour = CalendarException(date(2017, 9, 4), "working", "unconfirmed", known_from=at("2017-09-01 00:00"))
    calendar = compile_calendar(replace(RULES, exceptions=(*RULES.exceptions, rumour)))
    assert not calendar.worktime.is_working_day(date(2017, 9, 4))


@pytest.mark.parametrize(
    ("known", "state", "expected", "remaining"),
    [
        # paused on Monday 10:00 (3 h run, 13 h left), recorded on Monday 11:00; resumed Wednesday 10:00, recorded 12:00
        ("2017-11-06 10:59", "running", "2017-11-07 17:00", None),
        ("2017-11-06 11:00", "paused", None, timedelta(hours=13)),
        ("2017-11-08 11:59", "paused", None, timedelta(hours=13)),
        # 13 h from Wednesday 10:00: 1.5 + 3.5 h, Thursday 8 h: 17:00
        ("2017-11-08 12:00", "running", "2017-11-09 17:00", None),
    ],
)
def test_changes_known_at_an_instant_omit_later_records(
    known: str, state: str, expected: str | None, remaining: timedelta | None
) -> None:
    """Changes recorded later are left out, even if they happened before."""
    changes = (
        MONDAY,
        ClockChange("paused", at("2017-11-06 10:00"), at("2017-11-06 11:00"), "supplement"),
        ClockChange("resumed", at("2017-11-08 10:00"), at("2017-11-08 12:00")),
    )
    deadline = derive(recorded_by(changes, at(known)), TWO_DAYS, VIETNAM)
    assert (deadline.state, local(deadline.due_at), deadline.remaining) == (state, expected, remaining)


def test_deadline_before_the_recorded_receipt_is_an_error() -> None:
    """Without a recorded receipt there is no clock."""
    with pytest.raises(ClockError, match="begins with the receipt"):
        derive(recorded_by([MONDAY], at("2017-11-06 06:59")), TWO_DAYS, VIETNAM)


@given(
    st.integers(0, 60 * 24 * 60).map(lambda minutes: at("2026-12-20 00:00") + timedelta(minutes=minutes)),
    st.one_of(
        st.builds(Term, st.integers(1, 40), st.sampled_from(["working_day", "calendar_day", "working_hour"])),
        st.builds(Term, st.integers(1, 40), st.just("working_day"), st.just("by_days")),
        st.just(Term(0, "same_day")),
    ),
)
def test_due_date_never_falls_on_a_projected_day_off(received_at: datetime, term: Term) -> None:
    """Projected days off count: no due date falls on Tết 2027 (4 to 10 February)."""
    deadline = derive([change("received", received_at)], term, VIETNAM)
    assert deadline.due_date is not None
    assert not date(2027, 2, 4) <= deadline.due_date <= date(2027, 2, 10)


def test_calendars_count_in_their_own_zone() -> None:
    """The same instant is Monday 06:30 in Vietnam and Sunday evening in Amsterdam; each has its windows."""
    amsterdam = compile_calendar(replace(RULES, name="nl", zone="Europe/Amsterdam", exceptions=()))
    received = at("2017-11-06 06:30")
    found = [due(DAY, counted_from(DAY, received, each), each).at for each in (VIETNAM, amsterdam)]
    # both are due on Monday at 17:00 of their own zone: 10:00 UTC in Vietnam (+7), 16:00 UTC in Amsterdam (+1)
    assert [each.isoformat() for each in found] == ["2017-11-06T10:00:00+00:00", "2017-11-06T16:00:00+00:00"]
