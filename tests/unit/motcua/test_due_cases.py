"""Answers of `motcua due --jsonl`: due dates, states and knowledge, for cases calculated by hand."""

from typing import Any

import pytest

from tests.unit.motcua.lines import HOURS, MONDAY, case, error_of, exception, only, week


def test_running_case_has_due_date_and_counted_start() -> None:
    """A running case has the due date and the counted start in the calendar's zone, and no other member."""
    assert only(case(received_at="2017-11-04T02:00:00Z")) == {
        "id": "a",
        "counted_from": "2017-11-06T07:00:00+07:00",
        "due_at": "2017-11-07T17:00:00+07:00",
        "state": "running",
    }


def test_paused_case_has_remaining_time() -> None:
    """A paused case has no due date, but the remaining working time: 13 of 16 hours at 10:00."""
    assert only(case(pauses=[{"from": "2017-11-06T10:00:00+07:00"}])) == {
        "id": "a",
        "counted_from": MONDAY,
        "due_at": None,
        "remaining_seconds": 13 * 3600,
        "state": "paused",
    }


def test_case_without_term_has_counted_start() -> None:
    """A case without a term has the state `no_term`, and the counted start."""
    assert only(
        case(term=None, received_at="2017-11-06T12:00:00+07:00", pauses=[{"from": MONDAY[:11] + "13:00:00+07:00"}])
    ) == {
        "id": "a",
        "counted_from": "2017-11-06T13:30:00+07:00",
        "due_at": None,
        "state": "no_term",
    }


def test_pause_from_the_due_date_keeps_the_due_date() -> None:
    """A pause that begins at the due date leaves it unchanged, with no time remaining."""
    found = only(case(pauses=[{"from": "2017-11-07T17:00:00+07:00"}]))
    assert (found["due_at"], found["remaining_seconds"], found["state"]) == ("2017-11-07T17:00:00+07:00", 0, "paused")


@pytest.mark.parametrize("name", ["a", "", 'hồ sơ "1"\\', "\ud800", 7, -3, 10**30])
def test_id_is_returned_unchanged(name: Any) -> None:
    """Every string and every whole number is a valid id."""
    assert only(case(id=name))["id"] == name


@pytest.mark.parametrize(
    ("changes", "due_at"),
    [
        # a calendar of the centre's folder: Monday 4 September 2017 is off
        ({"calendar": "vn-public", "received_at": "2017-09-01T07:00:00+07:00"}, "2017-09-05T17:00:00+07:00"),
        ({"calendar": week(exceptions=...)}, "2017-11-07T17:00:00+07:00"),
        ({"calendar": week(hours=HOURS[::-1])}, "2017-11-07T17:00:00+07:00"),
        # 07:00 in Vietnam is 01:00 in Amsterdam, where two days of 8 hours from 07:00 end on Tuesday at 17:00
        ({"calendar": week(zone="Europe/Amsterdam")}, "2017-11-07T17:00:00+01:00"),
        ({"calendar": exception("2017-11-07", "off")}, "2017-11-08T17:00:00+07:00"),
        ({"calendar": exception("2017-11-07", "off", status="projected")}, "2017-11-08T17:00:00+07:00"),
        ({"calendar": exception("2017-11-07", "off", status="unconfirmed")}, "2017-11-07T17:00:00+07:00"),
        # 4.5 h on a half Tuesday leave 3.5 h: Wednesday 10:30; with hours of its own 2 h leave 6 h: 15:00
        ({"calendar": exception("2017-11-07", "half_day")}, "2017-11-08T10:30:00+07:00"),
        ({"calendar": exception("2017-11-07", "half_day", hours=[["08:00", "10:00"]])}, "2017-11-08T15:00:00+07:00"),
        # from Friday: 8 h, and 4 + 4 h on a worked Saturday
        (
            {
                "calendar": exception("2017-11-11", "working", hours=[["07:00", "11:00"], ["12:00", "16:00"]]),
                "received_at": "2017-11-10T07:00:00+07:00",
            },
            "2017-11-11T16:00:00+07:00",
        ),
        # only exceptions are worked: Monday 6 and Friday 10
        (
            {
                "calendar": week(
                    weekdays=[],
                    exceptions=[{"date": f"2017-11-{day}", "kind": "working", "hours": HOURS} for day in ("06", "10")],
                )
            },
            "2017-11-10T17:00:00+07:00",
        ),
        ({"term": {"value": 2, "unit": "working_day", "counting": "by_days"}}, "2017-11-08T17:00:00+07:00"),
        ({"term": {"value": 9, "unit": "working_hour"}}, "2017-11-07T08:00:00+07:00"),
        ({"term": {"value": 5, "unit": "calendar_day"}}, "2017-11-13T17:00:00+07:00"),
        ({"term": {"value": 5, "unit": "calendar_day", "counting": "by_days"}}, "2017-11-13T17:00:00+07:00"),
        ({"term": {"value": 0, "unit": "same_day"}}, "2017-11-06T17:00:00+07:00"),
        ({"term": {"unit": "same_day"}}, "2017-11-06T17:00:00+07:00"),
        (
            {"term": {"value": 0, "unit": "same_day", "cut_off": "15:00"}, "received_at": "2017-11-06T15:00:01+07:00"},
            "2017-11-07T17:00:00+07:00",
        ),
        # 13 h left on Monday 10:00, from Wednesday 10:00: 5 + 8 h
        (
            {"pauses": [{"from": "2017-11-06T10:00:00+07:00", "to": "2017-11-08T10:00:00+07:00"}]},
            "2017-11-09T17:00:00+07:00",
        ),
        # last day Saturday 11, due on Monday 13: two days paused from Sunday on are added to Monday
        (
            {
                "term": {"value": 5, "unit": "calendar_day"},
                "pauses": [{"from": "2017-11-12T10:00:00+07:00", "to": "2017-11-14T10:00:00+07:00"}],
            },
            "2017-11-15T17:00:00+07:00",
        ),
        # two pauses of an hour each, in the wrong order
        (
            {
                "pauses": [
                    {"from": "2017-11-06T14:00:00+07:00", "to": "2017-11-06T15:00:00+07:00"},
                    {"from": "2017-11-06T10:00:00+07:00", "to": "2017-11-06T11:00:00+07:00", "recorded_at": None},
                ]
            },
            "2017-11-08T09:00:00+07:00",
        ),
        ({"pauses": [{"from": MONDAY, "to": MONDAY}]}, "2017-11-07T17:00:00+07:00"),
        ({"extensions": [{"at": MONDAY, "working_days": 1}]}, "2017-11-08T17:00:00+07:00"),
        ({"extensions": [{"at": MONDAY, "to_date": "2017-11-10"}]}, "2017-11-10T17:00:00+07:00"),
        ({"pauses": None, "extensions": None, "as_known_at": None}, "2017-11-07T17:00:00+07:00"),
        ({"pauses": [], "extensions": []}, "2017-11-07T17:00:00+07:00"),
        # a thousand working days are 200 weeks: from Monday 6 November 2017 to Friday 3 September 2021
        ({"term": {"value": 1000, "unit": "working_day"}}, "2021-09-03T17:00:00+07:00"),
    ],
)
def test_due_date_follows_the_grammar(changes: dict[str, Any], due_at: str) -> None:
    """Calendars, terms, pauses and extensions work as docs/deadlines.md describes."""
    assert only(case(**changes)).get("due_at") == due_at


@pytest.mark.parametrize(
    ("known_from", "as_known_at", "due_at"),
    [
        ("2017-11-07", "2017-11-06T23:59:59+07:00", "2017-11-07T17:00:00+07:00"),
        ("2017-11-07", "2017-11-07T00:00:00+07:00", "2017-11-08T17:00:00+07:00"),
        ("2017-11-07T09:00:00+07:00", "2017-11-07T01:59:59Z", "2017-11-07T17:00:00+07:00"),
        ("2017-11-07T09:00:00+07:00", "2017-11-07T02:00:00Z", "2017-11-08T17:00:00+07:00"),
        (None, MONDAY, "2017-11-08T17:00:00+07:00"),
        ("2017-11-07", None, "2017-11-08T17:00:00+07:00"),
    ],
)
def test_exception_applies_from_known_from(known_from: str | None, as_known_at: str | None, due_at: str) -> None:
    """A date as `known_from` means 00:00 in the calendar's zone; the instant itself is included."""
    found = only(case(calendar=exception("2017-11-07", "off", known_from=known_from), as_known_at=as_known_at))
    assert found["due_at"] == due_at


@pytest.mark.parametrize(
    ("as_known_at", "expected"),
    [
        ("2017-11-06T10:59:59+07:00", ("running", "2017-11-07T17:00:00+07:00")),
        ("2017-11-06T11:00:00+07:00", ("paused", None)),
        ("2017-11-08T09:59:59+07:00", ("paused", None)),
        ("2017-11-08T10:00:00+07:00", ("running", "2017-11-09T17:00:00+07:00")),
    ],
)
def test_pause_is_known_from_its_record(as_known_at: str, expected: tuple[str, str | None]) -> None:
    """A pause recorded at 11:00 is known from then on, its end from Wednesday."""
    pause = {
        "from": "2017-11-06T10:00:00+07:00",
        "to": "2017-11-08T10:00:00+07:00",
        "recorded_at": "2017-11-06T11:00:00+07:00",
    }
    found = only(case(pauses=[pause], as_known_at=as_known_at))
    assert (found["state"], found["due_at"]) == expected


def test_pause_recorded_in_advance_is_known_when_it_begins() -> None:
    """A pause recorded in advance is known when it begins, and its end when it comes."""
    pause = {
        "from": "2017-11-06T10:00:00+07:00",
        "to": "2017-11-08T10:00:00+07:00",
        "recorded_at": "2017-11-06T07:00:00+07:00",
    }
    known = ("2017-11-06T09:59:59+07:00", "2017-11-06T10:00:00+07:00", None)
    assert [only(case(pauses=[pause], as_known_at=each))["state"] for each in known] == ["running", "paused", "running"]


def test_extension_is_known_from_its_instant() -> None:
    """An extension is known from its instant on."""
    extensions = [{"at": "2017-11-06T10:00:00+07:00", "working_days": 1}]
    found = [
        only(case(extensions=extensions, as_known_at=f"2017-11-06T{clock}+07:00"))["due_at"]
        for clock in ("09:59:59", "10:00:00")
    ]
    assert found == ["2017-11-07T17:00:00+07:00", "2017-11-08T17:00:00+07:00"]


def test_calendar_without_windows_for_366_days_is_an_error() -> None:
    """Working time once a year is enough for a due date; once in 367 days is not."""

    def worked(*days: str) -> dict[str, Any]:
        return week(weekdays=[], exceptions=[{"date": day, "kind": "working", "hours": HOURS} for day in days])

    assert only(case(calendar=worked("2017-11-06", "2018-11-07")))["due_at"] == "2018-11-07T17:00:00+07:00"
    assert error_of(case(calendar=worked("2017-11-06", "2018-11-09"))) == ("a", "no-working-time")
