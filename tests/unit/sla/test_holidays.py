"""The configured days off, compared with an independent package."""

from datetime import date

import holidays

from tests.unit.sla.builders import RULES, VIETNAM

PACKAGE = holidays.country_holidays("VN", years=range(2016, 2028))
DISAGREEMENTS = {
    date(2026, 1, 2): "swapped for 10 January by 12729/VPCP-KGVX of 25 December 2025; missing in the package",
    date(2026, 1, 10): "worked for 2 January; missing in the package",
    date(2026, 11, 24): "Culture Day: a holiday in the package, unconfirmed here (the amended law was not found)",
    date(2027, 11, 24): "Culture Day: as in 2026",
}

WITHOUT_EFFECT = {
    date(2025, 2, 1): "a Saturday: the package's fourth day of Tết; the five days decided are 27 to 31 January",
}
"""Dates that one of both lists as off, and that are worked in neither."""


def test_working_days_agree_with_the_holidays_package() -> None:
    """Every date of 2016 to 2027 is a working day in both or in neither, except for the listed disagreements."""
    days = [date.fromordinal(n) for n in range(RULES.first_date.toordinal(), RULES.last_date.toordinal() + 1)]
    differing = {day for day in days if VIETNAM.worktime.is_working_day(day) != PACKAGE.is_working_day(day)}
    assert differing == set(DISAGREEMENTS)


def test_days_off_agree_with_the_holidays_package() -> None:
    """Every listed day off, weekends included, is listed in both, except for the listed disagreements."""
    off = {each.on for each in RULES.exceptions if each.kind == "off" and each.counts}
    differing = off ^ set(PACKAGE)
    assert differing == set(DISAGREEMENTS) - {date(2026, 1, 10)} | set(WITHOUT_EFFECT)


def test_swap_days_agree_with_the_holidays_package() -> None:
    """Every weekend day worked for a day off is listed in both, except for the one decided last."""
    worked = {each.on for each in RULES.exceptions if each.kind == "working"}
    assert worked ^ {day for day in PACKAGE.weekend_workdays if day >= RULES.first_date} == {date(2026, 1, 10)}
