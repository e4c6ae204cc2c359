"""When an act may be said to have happened."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.intake.domain.moments import Backdating, occurred_at
from shared.kernel.errors import Refusal
from shared.kernel.worktime import Worktime
from shared.service.problems import status_of

NOW = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)  # Tuesday, 10:00 in Vietnam
HOUR = timedelta(hours=1)


def calendar() -> Worktime:
    """Monday 2 and Tuesday 3 March 2026, 07:00-11:30 and 13:30-17:00 in Vietnam."""
    opens, closes = [], []
    for day in (2, 3):
        for opening, closing in (((0, 0), (4, 30)), ((6, 30), (10, 0))):
            opens.append(int(datetime(2026, 3, day, *opening, tzinfo=UTC).timestamp()))
            closes.append(int(datetime(2026, 3, day, *closing, tzinfo=UTC).timestamp()))
    return Worktime(
        name="vn-public",
        zone="Asia/Ho_Chi_Minh",
        first_date=date(2026, 3, 1),
        last_date=date(2026, 3, 4),
        opens=opens,
        closes=closes,
    )


ONE_DAY = Backdating(limit=8 * HOUR, calendar=calendar())


def test_without_an_instant_an_act_happens_now() -> None:
    """`occurred_at` defaults to the centre's time."""
    assert occurred_at(None, now=NOW, previous=NOW - HOUR, backdating=None) == NOW


def test_an_act_without_an_instant_never_precedes_the_previous_one() -> None:
    """Replicas' clocks differ by a little; the order of a dossier's acts does not suffer."""
    previous = NOW + timedelta(milliseconds=3)
    assert occurred_at(None, now=NOW, previous=previous, backdating=None) == previous


def test_the_future_is_refused() -> None:
    """Even a second of it."""
    with pytest.raises(Refusal, match="in the future") as refusal:
        occurred_at(NOW + timedelta(seconds=1), now=NOW, previous=None, backdating=ONE_DAY)
    assert (status_of(refusal.value), refusal.value.errors[0].pointer) == (422, "/occurred_at")


def test_an_act_before_the_previous_one_is_refused() -> None:
    """The same instant is not before."""
    assert occurred_at(NOW - HOUR, now=NOW, previous=NOW - HOUR, backdating=ONE_DAY) == NOW - HOUR
    with pytest.raises(Refusal, match="previous act") as refusal:
        occurred_at(NOW - 2 * HOUR, now=NOW, previous=NOW - HOUR, backdating=ONE_DAY)
    assert status_of(refusal.value) == 422


def test_the_limit_is_working_time_and_itself_allowed() -> None:
    """Tuesday 10:00 less eight working hours is Monday 10:00: the noon break and the night do not count."""
    a_day_ago = NOW - 24 * HOUR
    assert occurred_at(a_day_ago, now=NOW, previous=None, backdating=ONE_DAY) == a_day_ago
    with pytest.raises(Refusal, match="more than 8 working hours ago") as refusal:
        occurred_at(a_day_ago - timedelta(seconds=1), now=NOW, previous=None, backdating=ONE_DAY)
    assert status_of(refusal.value) == 422


def test_before_the_calendar_begins_is_too_long_ago() -> None:
    """What cannot be measured is not guessed."""
    with pytest.raises(Refusal, match="working hours ago"):
        occurred_at(NOW - timedelta(days=30), now=NOW, previous=None, backdating=ONE_DAY)


def test_until_a_calendar_has_arrived_nothing_is_dated_back() -> None:
    """503 with a way out; an act that happens now is fine."""
    assert occurred_at(NOW, now=NOW, previous=None, backdating=None) == NOW
    with pytest.raises(Refusal, match="leave occurred_at out") as refusal:
        occurred_at(NOW - timedelta(seconds=1), now=NOW, previous=None, backdating=None)
    assert status_of(refusal.value) == 503


def test_a_set_centre_takes_what_it_accepts_and_no_more() -> None:
    """The past is played: up to `accepts_until`, though the centre's own time stands before it."""
    until = NOW + 4 * HOUR
    assert occurred_at(until, now=NOW, previous=None, backdating=None, accepts_until=until) == until
    with pytest.raises(Refusal, match="accepts acts until 2026-03-03T07:00:00Z") as refusal:
        occurred_at(until + timedelta(seconds=1), now=NOW, previous=None, backdating=None, accepts_until=until)
    assert status_of(refusal.value) == 422


def test_a_set_centre_takes_any_act_of_long_ago() -> None:
    """No calendar measures how long; an act still does not precede the dossier's previous one."""
    long_ago = NOW - timedelta(days=3000)
    assert occurred_at(long_ago, now=NOW, previous=None, backdating=None, accepts_until=NOW) == long_ago
    with pytest.raises(Refusal, match="previous act"):
        occurred_at(long_ago, now=NOW, previous=NOW - HOUR, backdating=None, accepts_until=NOW)
