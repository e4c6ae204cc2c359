"""Errors of `motcua due --jsonl`."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.unit.motcua.lines import HOURS, MONDAY, case, error_of, exception, only, week


def paused(*pauses: Sequence[str | None]) -> dict[str, Any]:
    """A case with pauses given as day and hour of November 2017."""
    return {
        "pauses": [
            {
                name: f"2017-11-{when}:00+07:00"
                for name, when in zip(("from", "to", "recorded_at"), each, strict=False)
                if when
            }
            for each in pauses
        ]
    }


@pytest.mark.parametrize(
    ("changes", "slug"),
    [
        ({"term": ...}, "member-missing"),
        ({"received_at": ...}, "member-missing"),
        ({"calendar": ...}, "member-missing"),
        ({"pause": []}, "member-unknown"),
        ({"pauses": {}}, "member-invalid"),
        ({"pauses": "none"}, "member-invalid"),
        ({"calendar": 0}, "member-invalid"),
        ({"calendar": None}, "member-invalid"),
        ({"received_at": "2017-11-06T07:00:00"}, "time-naive"),
        ({"received_at": "2017-11-06"}, "time-naive"),
        ({"received_at": 1509926400}, "time-invalid"),
        ({"received_at": None}, "time-invalid"),
        ({"received_at": "2017-11-31T07:00:00+07:00"}, "time-invalid"),
        ({"as_known_at": "2017-11-06T07:00:00"}, "time-naive"),
        ({"as_known_at": "2017-11-06T06:59:59+07:00"}, "known-before-receipt"),
        ({"calendar": "vn-private"}, "calendar-unknown"),
        ({"calendar": week(hours=...)}, "member-missing"),
        ({"calendar": week(weekdays=...)}, "member-missing"),
        ({"calendar": week(weekdays=[0])}, "calendar-invalid"),
        ({"calendar": week(weekdays=[8])}, "calendar-invalid"),
        ({"calendar": week(weekdays=[True])}, "member-invalid"),
        ({"calendar": week(weekdays=["1"])}, "member-invalid"),
        ({"calendar": week(hours=[])}, "calendar-invalid"),
        ({"calendar": week(hours=[["07:00"]])}, "calendar-invalid"),
        ({"calendar": week(hours=[["17:00", "07:00"]])}, "calendar-invalid"),
        ({"calendar": week(hours=[["07:00", "07:00"]])}, "calendar-invalid"),
        ({"calendar": week(hours=[["07:00", "12:00"], ["11:30", "17:00"]])}, "calendar-invalid"),
        ({"calendar": week(hours=[["7:00", "17:00"]])}, "time-invalid"),
        ({"calendar": week(hours=[["07:00", "24:00"]])}, "time-invalid"),
        ({"calendar": week(hours=[["07:00", "17:00+07:00"]])}, "time-invalid"),
        ({"calendar": week(zone="Asia/Saigon_City")}, "calendar-invalid"),
        ({"calendar": week(zone="../zone")}, "calendar-invalid"),
        ({"calendar": week(zone="Asia")}, "calendar-invalid"),
        ({"calendar": week(holidays=[])}, "member-unknown"),
        ({"calendar": week(exceptions=0)}, "member-invalid"),
        ({"calendar": week(exceptions=False)}, "member-invalid"),
        ({"calendar": week(exceptions="")}, "member-invalid"),
        ({"calendar": week(exceptions={})}, "member-invalid"),
        ({"calendar": exception("2017-11-11", "working")}, "calendar-invalid"),
        ({"calendar": exception("2017-11-11", "working", hours=[])}, "calendar-invalid"),
        ({"calendar": exception("2017-11-07", "half_day", hours=[])}, "calendar-invalid"),
        ({"calendar": exception("2017-11-07", "off", hours=HOURS)}, "calendar-invalid"),
        ({"calendar": exception("2017-11-07", "holiday")}, "calendar-invalid"),
        ({"calendar": exception("2017-11-07", "off", status="rumour")}, "calendar-invalid"),
        ({"calendar": exception("7.11.2017", "off")}, "time-invalid"),
        ({"calendar": exception("2017-W45-2", "off")}, "time-invalid"),
        ({"calendar": exception("2017-11-07", "off", known_from="2017-11-06T07:00:00")}, "time-naive"),
        ({"calendar": exception("2017-11-07", "off", known_from="2017-11")}, "time-invalid"),
        ({"calendar": exception("2017-11-07", "off", name="Tết")}, "member-unknown"),
        (
            {
                "calendar": week(
                    exceptions=[
                        {"date": "2017-11-07", "kind": "off"},
                        {"date": "2017-11-07", "kind": "half_day"},
                    ]
                )
            },
            "calendar-invalid",
        ),
        ({"term": {"value": 0, "unit": "working_day"}}, "term-invalid"),
        ({"term": {"value": -1, "unit": "calendar_day"}}, "term-invalid"),
        ({"term": {"value": 0, "unit": "working_hour"}}, "term-invalid"),
        ({"term": {"value": 1.5, "unit": "working_hour"}}, "term-invalid"),
        ({"term": {"value": 2.0, "unit": "working_day"}}, "term-invalid"),
        ({"term": {"value": True, "unit": "working_day"}}, "term-invalid"),
        ({"term": {"value": "2", "unit": "working_day"}}, "term-invalid"),
        ({"term": {"unit": "working_day"}}, "member-missing"),
        ({"term": {"unit": "working_day", "value": None}}, "term-invalid"),
        ({"term": {"value": 2}}, "member-missing"),
        ({"term": {"value": 2, "unit": "fortnight"}}, "term-invalid"),
        ({"term": {"value": 2, "unit": "hour"}}, "term-invalid"),
        ({"term": {"value": 2, "unit": ["working_day"]}}, "term-invalid"),
        ({"term": {"value": 2, "unit": "working_day", "counting": "by_weeks"}}, "term-invalid"),
        ({"term": {"value": 2, "unit": "working_hour", "counting": "by_days"}}, "term-invalid"),
        ({"term": {"value": 2, "unit": "working_day", "cut_off": "15:00Z"}}, "time-invalid"),
        ({"term": "two days"}, "member-invalid"),
        (paused(["08T10:00", "08T09:59"]), "pause-invalid"),
        (paused(["06T06:59", "06T10:00"]), "pause-invalid"),
        (paused(["06T10:00", "06T12:00"], ["06T11:59", "06T13:00"]), "pauses-overlap"),
        (paused(["06T10:00"], ["06T12:00", "06T13:00"]), "pauses-overlap"),
        (paused(["06T10:00"], ["06T10:00"]), "pauses-overlap"),
        ({"pauses": [{"from": "2017-11-06T10:00:00"}]}, "time-naive"),
        ({"pauses": [{"to": "2017-11-06T10:00:00+07:00"}]}, "member-missing"),
        ({"pauses": [{"from": MONDAY, "until": MONDAY}]}, "member-unknown"),
        ({"extensions": [{"at": "2017-11-07T17:00:00+07:00", "working_days": 1}]}, "extension-refused"),
        ({"extensions": [{"at": "2017-11-09T08:00:00+07:00", "to_date": "2017-11-20"}]}, "extension-refused"),
        ({"extensions": [{"at": MONDAY, "to_date": "2017-11-11"}]}, "extension-refused"),
        ({"extensions": [{"at": MONDAY, "to_date": "2017-11-06"}]}, "extension-refused"),
        ({"extensions": [{"at": MONDAY, "to_date": "1990-01-01"}]}, "extension-refused"),
        ({"extensions": [{"at": MONDAY, "working_days": 1}], "term": None}, "extension-refused"),
        ({"extensions": [{"at": "2017-11-06T06:00:00+07:00", "working_days": 1}]}, "extension-invalid"),
        ({"extensions": [{"at": MONDAY, "working_days": 0}]}, "extension-invalid"),
        ({"extensions": [{"at": MONDAY, "working_days": 1.0}]}, "member-invalid"),
        ({"extensions": [{"at": MONDAY}]}, "extension-invalid"),
        ({"extensions": [{"at": MONDAY, "working_days": 1, "to_date": "2017-11-10"}]}, "extension-invalid"),
        ({"extensions": [{"working_days": 1}]}, "member-missing"),
        (
            {"extensions": [{"at": MONDAY, "working_days": 1}, {"at": MONDAY, "to_date": "2017-11-20"}]},
            "extension-invalid",
        ),
        ({"calendar": week(weekdays=[])}, "no-working-time"),
        ({"calendar": week(weekdays=[]), "term": None}, "no-working-time"),
        ({"calendar": "vn-public", "received_at": "2027-12-31T16:00:00+07:00"}, "outside-calendar"),
        ({"calendar": "vn-public", "received_at": "2031-01-01T16:00:00+07:00"}, "outside-calendar"),
        ({"term": {"value": 100_000, "unit": "working_day"}}, "outside-calendar"),
        ({"term": {"value": 10**40, "unit": "working_day"}}, "outside-calendar"),
        ({"received_at": "9999-12-31T16:00:00+00:00"}, "outside-calendar"),
        ({"received_at": "0001-01-01T00:00:00+00:00"}, "outside-calendar"),
    ],
)
def test_invalid_case_is_answered_with_an_error(changes: dict[str, Any], slug: str) -> None:
    """A contradictory or incomplete case, or one outside its calendar, is answered with an error and its id."""
    assert error_of(case(**changes)) == ("a", slug)


@pytest.mark.parametrize(
    ("changes", "local"),
    [
        (paused(["06T10:00", "06T12:00"], ["06T11:59", "06T13:00"]), "2017-11-06T11:59:00+07:00"),
        ({"extensions": [{"at": MONDAY, "working_days": 1}, {"at": MONDAY, "to_date": "2017-11-20"}]}, MONDAY),
        ({"calendar": week(weekdays=[])}, MONDAY),
        ({"calendar": "vn-public", "received_at": "2031-01-01T16:00:00+07:00"}, "2031-01-01T16:00:00+07:00"),
    ],
)
def test_error_has_instants_in_the_calendar_zone(changes: dict[str, Any], local: str) -> None:
    """Errors have instants in the calendar's zone, as answers do."""
    assert local in only(case(**changes))["error"]["detail"]
