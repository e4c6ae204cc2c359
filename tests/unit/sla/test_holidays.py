"""Our dated days off against an independent calculation, so that a slip of the pen is seen."""

from datetime import date

import holidays

from tests.unit.sla.given import RULES, VIETNAM

DISAGREEMENTS = {
    date(2026, 1, 2): "swapped for 10 January by 12729/VPCP-KGVX of 25 December 2025; missing in the package",
    date(2026, 1, 10): "worked for 2 January; missing in the package",
    date(2026, 11, 24): "Culture Day: a holiday in the package, unconfirmed here (the amended law was not found)",
    date(2027, 11, 24): "Culture Day: as in 2026",
}


def test_working_days_agree_with_the_holidays_package() -> None:
    """Every date of 2016 to 2027 is worked or off in both, but for the disagreements listed with their reasons."""
    package = holidays.country_holidays("VN", years=range(2016, 2028))
    days = [date.fromordinal(n) for n in range(RULES.first_date.toordinal(), RULES.last_date.toordinal() + 1)]
    differing = {day for day in days if VIETNAM.worktime.is_working_day(day) != package.is_working_day(day)}
    assert differing == set(DISAGREEMENTS)
