"""The vectorised derivation gives the due dates of the row-by-row derivation, for any calendar, term and pauses."""

import json
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sla import vectorized
from services.sla.calendars.rehearsal import rounds_of as rounds_of_rows
from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.errors import ExtensionRefusedError
from services.sla.domain.term_run import Extension, Pause, run_term
from services.sla.domain.terms import counted_from
from services.sla.vectorized import (
    NO_END,
    CalendarArrays,
    ExtensionRound,
    PauseRound,
    derive_vectorized,
    instants,
    moment,
)
from shared.kernel.calendar_rules import CalendarException
from shared.kernel.centre import Term
from shared.kernel.worktime import OutsideCalendarError
from tests.unit.sla.builders import RULES, VIETNAM, at, dossier_events, local
from tests.unit.sla.harness import ClockHarness
from tests.unit.sla.test_term_properties import gaps, terms

_BERLIN = compile_calendar(replace(RULES, name="summer-time", zone="Europe/Berlin"))
_SHORT = compile_calendar(
    replace(RULES, name="short", first_date=date(2017, 1, 2), last_date=date(2017, 12, 29), exceptions=())
)
CALENDARS = {calendar.rules.name: (calendar, CalendarArrays(calendar)) for calendar in (VIETNAM, _BERLIN, _SHORT)}
received = st.integers(-3 * 86_400, 400 * 86_400).map(lambda second: at("2017-01-02 00:00") + timedelta(seconds=second))
spans = st.lists(st.tuples(gaps, gaps.map(lambda gap: gap + timedelta(minutes=1))), max_size=4)


def pauses_of(start: datetime, drawn: list[tuple[timedelta, timedelta]], *, last_is_present: bool) -> list[Pause]:
    """Pauses that do not overlap, the last perhaps without an end."""
    pauses: list[Pause] = []
    now = start
    for running, paused in drawn:
        begin = now + running + timedelta(seconds=1)
        now = begin + paused
        pauses.append(Pause(begin, now))
    if pauses and last_is_present:
        pauses[-1] = pauses[-1]._replace(end=None)
    return pauses


def rounds_of(courses: list[list[Pause]]) -> list[PauseRound]:
    """The pauses of several clocks as rounds."""
    found = []
    for number in range(max(map(len, courses), default=0)):
        having = [(place, course[number]) for place, course in enumerate(courses) if len(course) > number]
        found.append(
            PauseRound(
                np.array([place for place, _ in having]),
                instants([pause.start for _, pause in having]),
                np.array([NO_END if pause.end is None else instants([pause.end])[0] for _, pause in having]),
            )
        )
    return found


def row_by_row(term: Term, start: datetime, pauses: list[Pause], calendar: Calendar) -> tuple[str, datetime | None]:
    """The state and due date of one clock, derived row by row."""
    try:
        course = run_term(term, start, pauses, [], calendar)
    except OutsideCalendarError:
        return "left out", None
    return ("paused", None) if course.paused_from is not None else ("due", course.due.at)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(CALENDARS)),
    terms,
    st.lists(st.tuples(received, spans, st.booleans()), min_size=1, max_size=5),
)
def test_vectorized_and_row_by_row_are_equal(
    name: str, term: Term, drawn: list[tuple[datetime, list[tuple[timedelta, timedelta]], bool]]
) -> None:
    """Each clock is due, paused or not covered in both."""
    calendar, columns = CALENDARS[name]
    starts = [start for start, _, _ in drawn]
    courses = [pauses_of(start, spans, last_is_present=is_present) for start, spans, is_present in drawn]
    found = derive_vectorized(term, instants(starts), rounds_of(courses), columns)
    for place, (start, pauses) in enumerate(zip(starts, courses, strict=True)):
        what, due_at = row_by_row(term, start, pauses, calendar)
        if found.not_covered[place]:
            assert what == "left out" or term.unit == "calendar_day"  # whose pause may end beyond, and it not
            continue
        assert what == ("paused" if found.paused[place] else "due")
        assert moment(found.counted_from[place]) == counted_from(term, start, calendar)
        if due_at is not None:
            assert moment(found.due_at[place]) == due_at


@settings(max_examples=50, deadline=None)
@given(
    terms.filter(lambda term: term.unit != "same_day"),
    st.lists(
        st.tuples(received, st.integers(1, 60), st.booleans(), gaps, st.integers(1, 20), spans), min_size=1, max_size=5
    ),
)
def test_vectorized_values_and_extensions_are_equal(
    term: Term, drawn: list[tuple[datetime, int, bool, timedelta, int, Any]]
) -> None:
    """Terms that differ in their value are one group; working days are added before or after the pauses."""
    calendar, columns = CALENDARS[RULES.name]
    lives = []
    for start, value, is_first, gap, days, pauses in drawn:
        at = start + gap
        courses = pauses_of(at + timedelta(minutes=1) if is_first else start, pauses, last_is_present=False)
        if not is_first and courses:
            at = (courses[-1].end or at) + gap
        lives.append((start, value, courses, Extension(at, working_days=days), is_first))
    found = derive_vectorized(
        term,
        instants([start for start, *_ in lives]),
        [
            *_extension_rounds(lives, first=True),
            *rounds_of([life[2] for life in lives]),
            *_extension_rounds(lives, first=False),
        ],
        columns,
        values=np.array([value for _, value, *_ in lives]),
    )
    for place, (start, value, pauses, extension, _) in enumerate(lives):
        try:
            course = run_term(replace(term, value=value), start, pauses, [extension], calendar)
        except (OutsideCalendarError, ExtensionRefusedError):
            assert found.not_covered[place]
            continue
        if not found.not_covered[place]:
            assert moment(found.due_at[place]) == course.due.at


def _extension_rounds(
    lives: list[tuple[datetime, int, list[Pause], Extension, bool]], *, first: bool
) -> list[ExtensionRound]:
    """The extensions of the clocks that are extended first, or last, as a round."""
    of = [place for place, life in enumerate(lives) if life[4] is first]
    added = [lives[place][3] for place in of]
    days = np.array([each.working_days for each in added], dtype=np.int64)
    return [ExtensionRound(np.array(of, dtype=np.int64), instants([each.at for each in added]), days)]


def test_present_pause_has_the_time_left() -> None:
    """Two days from Monday at 07:00, less the three hours until the pause."""
    pause = [PauseRound(np.array([0]), instants([at("2017-11-06 10:00")]), np.array([NO_END]))]
    found = derive_vectorized(
        Term(2, "working_day"), instants([at("2017-11-06 07:00")]), pause, CALENDARS[RULES.name][1]
    )
    assert found.paused[0]
    assert timedelta(microseconds=int(found.left[0])) == timedelta(hours=13)


@pytest.mark.parametrize(
    "zone", ["America/St_Johns", "America/Havana", "America/Sao_Paulo", "Pacific/Apia", "Asia/Gaza"]
)
def test_vectorized_local_dates_are_equal(zone: str) -> None:
    """Every half hour of four years is on its zone's date, or the zone must be derived row by row."""
    span = replace(RULES, zone=zone, first_date=date(2008, 1, 1), last_date=date(2012, 1, 31), exceptions=())
    calendar = compile_calendar(span)
    if zone == "America/St_Johns":
        with pytest.raises(ValueError, match="2008-11-02 begins twice"):
            CalendarArrays(calendar)
        return
    columns, worktime = CalendarArrays(calendar), calendar.worktime
    moments = [worktime.starts_at + n * timedelta(minutes=30) for n in range(48 * 365 * 4)]
    days = columns.day(instants(moments))
    assert [columns.date_of(int(day)) for day in days] == [worktime.local_date(moment) for moment in moments]
    steady = np.diff(columns.offsets)[days] == 0
    local = [moment.astimezone(worktime.zone).utcoffset() for moment in moments]
    ahead = columns.offsets[days] // 1_000_000
    assert all(not s or timedelta(seconds=int(a)) == t for s, a, t in zip(steady, ahead, local, strict=True))
    standard = {window.opens for window in RULES.windows} | {window.closes for window in RULES.windows}
    assert {edge.astimezone(worktime.zone).time() for edge in (*worktime.opens, *worktime.closes)} == standard


def test_vectorized_table() -> None:
    """Five working days from Monday 6 November 2017 07:00, paused on Tuesday for a day and a half."""
    rounds = [PauseRound(np.array([1]), instants([at("2017-11-07 13:30")]), instants([at("2017-11-09 07:00")]))]
    two = instants([at("2017-11-06 07:00")] * 2)
    found = derive_vectorized(Term(5, "working_day"), two, rounds, CALENDARS[RULES.name][1])
    assert [local(moment(due_at)) for due_at in found.due_at] == ["2017-11-10 17:00", "2017-11-14 10:30"]


def test_vectorized_table_of_calendar_days() -> None:
    """Five calendar days to Saturday 11, so Monday 13, paused on Saturday, Sunday or Monday for three days.

    They are added to Saturday (Tuesday 14), or to Monday (Thursday 16). Three further days from Thursday on are added
    to Thursday: Sunday 19, so Monday 20.
    """
    starts = instants([at(f"2017-11-{day} 10:00") for day in (11, 12, 13, 12)])
    ends = instants([at(f"2017-11-{day} 20:00") for day in (14, 15, 16, 15)])
    again = instants([at("2017-11-16 10:00")]), instants([at("2017-11-19 10:00")])
    rounds = [PauseRound(np.arange(4), starts, ends), PauseRound(np.array([3]), *again)]
    received_at = instants([at("2017-11-06 07:00")] * 4)
    found = derive_vectorized(Term(5, "calendar_day"), received_at, rounds, CALENDARS[RULES.name][1])
    assert [local(moment(due_at)) for due_at in found.due_at] == [
        "2017-11-14 17:00",
        "2017-11-16 17:00",
        "2017-11-16 17:00",
        "2017-11-20 17:00",
    ]


def test_calendar_with_a_year_without_work_is_not_vectorized() -> None:
    """The row-by-row derivation refuses dates after it for each clock; arrays cannot."""
    idle = tuple(CalendarException(date(2018, 1, 1) + timedelta(days=n), "off", "decided") for n in range(400))
    with pytest.raises(ValueError, match="more than a year without work"):
        CalendarArrays(compile_calendar(replace(RULES, exceptions=idle)))


def test_rounds_have_the_pauses_of_rows() -> None:
    """The first pause of each clock, then the second; adjacent pauses are joined, and a present pause has no end."""
    dossier = dossier_events()
    clock = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received(), dossier.at("2017-11-06 08:00").supplement_required()
    )
    clock.consume(
        dossier.at("2017-11-06 09:00").supplement_received(), dossier.at("2017-11-06 09:00").supplement_required()
    )
    clock.consume(
        dossier.at("2017-11-06 10:00").supplement_received(), dossier.at("2017-11-07 07:00").supplement_required()
    )
    first, second = rounds_of_rows([None, json.dumps(clock.row.changes)])
    assert (first.of.tolist(), second.of.tolist()) == ([1], [1])
    assert [local(moment(at)) for at in (first.start[0], first.end[0], second.start[0])] == [
        "2017-11-06 08:00",
        "2017-11-06 10:00",
        "2017-11-07 07:00",
    ]
    assert second.end[0] == NO_END


def test_cut_off_instants_are_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    """A further page of clocks computes no instants again; another cut-off has its own."""
    columns, receipt = CalendarArrays(VIETNAM), instants([at("2017-11-06 15:30")])
    late = {cut_off: columns.after_cut_off(receipt, cut_off)[1][0] for cut_off in (time(15), time(16))}
    assert late == {time(15): True, time(16): False}

    def unexpected(moments: object) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr(vectorized, "instants", unexpected)
    assert late == {cut_off: columns.after_cut_off(receipt, cut_off)[1][0] for cut_off in late}
