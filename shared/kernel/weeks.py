"""Calendar weeks, from Monday to Sunday."""

from datetime import date, timedelta

WEEK = timedelta(days=7)


def monday(day: date) -> date:
    """Return the Monday of the week that contains `day`."""
    return day - timedelta(days=day.weekday())
