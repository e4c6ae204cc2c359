"""When an act may be said to have happened."""

from datetime import UTC, datetime, timedelta

import pytest

from services.intake.domain.moments import Backdating, occurred_at
from shared.kernel.errors import ExpectedError

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def half_of_it(start: datetime, end: datetime) -> timedelta:
    """A calendar in which every other second is worked."""
    return (end - start) / 2


EIGHT_HOURS = Backdating(limit=8 * HOUR, worked=half_of_it)


def test_without_an_instant_an_act_happens_now() -> None:
    """`occurred_at` defaults to the centre's time."""
    assert occurred_at(None, now=NOW, previous=NOW - HOUR, backdating=None) == NOW


def test_an_act_without_an_instant_never_precedes_the_previous_one() -> None:
    """Replicas' clocks differ by a little; the order of a dossier's acts does not suffer."""
    previous = NOW + timedelta(milliseconds=3)
    assert occurred_at(None, now=NOW, previous=previous, backdating=None) == previous


def test_the_future_is_refused() -> None:
    """Even a second of it."""
    with pytest.raises(ExpectedError, match="in the future") as refusal:
        occurred_at(NOW + timedelta(seconds=1), now=NOW, previous=None, backdating=EIGHT_HOURS)
    assert (refusal.value.status, refusal.value.errors[0].pointer) == (422, "/occurred_at")


def test_an_act_before_the_previous_one_is_refused() -> None:
    """The same instant is not before."""
    assert occurred_at(NOW - HOUR, now=NOW, previous=NOW - HOUR, backdating=EIGHT_HOURS) == NOW - HOUR
    with pytest.raises(ExpectedError, match="previous act") as refusal:
        occurred_at(NOW - 2 * HOUR, now=NOW, previous=NOW - HOUR, backdating=EIGHT_HOURS)
    assert refusal.value.status == 422


def test_the_limit_is_working_time_and_itself_allowed() -> None:
    """Eight working hours back is sixteen hours of the wall here."""
    assert occurred_at(NOW - 16 * HOUR, now=NOW, previous=None, backdating=EIGHT_HOURS) == NOW - 16 * HOUR
    with pytest.raises(ExpectedError, match="more than 8 working hours ago"):
        occurred_at(NOW - 16 * HOUR - timedelta(seconds=2), now=NOW, previous=None, backdating=EIGHT_HOURS)


def test_before_the_calendar_begins_is_too_long_ago() -> None:
    """What cannot be measured is not guessed."""
    with pytest.raises(ExpectedError, match="working hours ago"):
        occurred_at(NOW - HOUR, now=NOW, previous=None, backdating=Backdating(8 * HOUR, lambda start, end: None))


def test_until_a_calendar_has_arrived_nothing_is_dated_back() -> None:
    """503 with a way out; an act that happens now is fine."""
    assert occurred_at(NOW, now=NOW, previous=None, backdating=None) == NOW
    with pytest.raises(ExpectedError, match="leave occurred_at out") as refusal:
        occurred_at(NOW - timedelta(seconds=1), now=NOW, previous=None, backdating=None)
    assert refusal.value.status == 503
